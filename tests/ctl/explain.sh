# postern explain: what refuses, and each change tried: the three that don't help, what does, both at once, the permission.
. "$(dirname "$0")/common.sh"
new_store alice bob
service='Maximum Allowed Service Sessions Per User'
exits 1 postern explain nobody
exits 64 postern explain alice --service telnet
exits 0 postern explain alice
prints "  sessions          [................................] 0 of 32"
prints "  POP3       granted"
grep -q "lets" "$work/out" && bad "advice that nobody needs: $(cat "$work/out")"

serve_pop3
exec 5<>"/dev/tcp/127.0.0.1/$port"
printf 'USER alice\r\nPASS alice-pw\r\n' >&5
head -n 3 <&5 >/dev/null

# The lines between two headings.
part() { sed -n "/^$1/,/^$2/p" "$work/out"; }
helps() { part "What lets $1 in" "What does not" | grep -qF -- "$2" || bad "\`$2\` is not said to help $1: $(cat "$work/out")"; }
helps_not() { part "What does not" "Who holds" | grep -qF -- "$1" || bad "\`$1\` is not said not to help: $(cat "$work/out")"; }

exits 0 postern reg add -v "$service" -d 1
exits 0 postern explain alice
prints "  service sessions  [################################] 1 of 1  full"
prints "  held through      POP3 1"
prints "  fs         granted"
prints "  POP3       refused by store: $service is 1, held 1"
helps IMAP4 "postern sessions end ID"
helps IMAP4 "postern reg add -v '$service' -d N"
helps IMAP4 "postern reg add -v 'Disable Session Limit' -d 1"
helps_not "postern settings imap MaxConnectionsPerUser N"
helps_not "postern policy set default IMAPMaxConcurrency N"
helps_not "it is null and limits nothing; still refused by store: $service is 1, held 1"
helps_not "postern grant alice 'View Information Store Status'"

# Two at once: none helps alone.
exits 0 postern settings pop MaxConnectionsPerUser 1
exits 0 postern explain alice --service pop3
prints "             and by POP3: MaxConnectionsPerUser is 1, held 1"
helps POP3 "postern reg add -v '$service' -d N && postern settings pop MaxConnectionsPerUser N"
helps_not "not alone: still refused by POP3: MaxConnectionsPerUser is 1, held 1"

# The limit of all sessions is the one that the permission lifts; one that was lowered needs several to go.
exits 0 postern reg add -v "$service" -d 5
exits 0 postern settings pop MaxConnectionsPerUser 5
exits 0 postern reg add -v 'Maximum Allowed Sessions Per User' -d 0
exits 0 postern explain alice --service fs
helps fs "postern grant alice 'View Information Store Status'"
helps fs "once 2 are ended: 1 are held and Maximum Allowed Sessions Per User is 0"

# What it says helps does.
exits 0 postern explain alice --json
python3 - "$work/out" <<'EOF' || bad "the JSON: $(cat "$work/out")"
import json, sys
said = json.load(open(sys.argv[1]))
assert (said["user"], said["sessions"], said["service_sessions"]) == ("alice", 1, 1), said
door = {d["service"]: d for d in said["doors"]}["POP3"]
assert door["granted"] is False
told = [limit for limit in door["limits"] if limit["refuses"]]
assert [(t["layer"], t["limit"], t["value"], t["held"]) for t in told] == [("store", "Maximum Allowed Sessions Per User", 0, 1)], told
assert any(c["helps"] for c in door["changes"]) and any(not c["helps"] for c in door["changes"])
EOF
exits 0 postern grant alice 'View Information Store Status'
exits 0 postern explain alice --service pop3
prints "  POP3       granted"
finish
