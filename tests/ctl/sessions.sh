# postern sessions: list as JSON, end, and its exit statuses; against a real POP3 daemon.
. "$(dirname "$0")/common.sh"
new_store alice bob
serve_pop3

login() { # into descriptor 5, until its last answer came
	exec 5<>"/dev/tcp/127.0.0.1/$port"
	printf 'USER alice\r\nPASS alice-pw\r\n' >&5
	head -n 3 <&5 >/dev/null
}

claim "none" "[" "$(postern sessions list --json | head -c 1)"
exits 0 postern sessions list --json
claim "an empty array" "[]" "$(tr -d '\n' <"$work/out")"
login
exits 0 postern sessions list alice --json
python3 -c '
import datetime, json, sys
sessions = json.load(open(sys.argv[1]))
assert len(sessions) == 1, sessions
s = sessions[0]
assert (s["user"], s["service"], s["class"]) == ("alice", "POP3", "service"), s
assert s["pid"] == s["holder"] == int(sys.argv[2]), s
assert s["peer"].startswith("127.0.0.1:") and isinstance(s["id"], str), s
for key in ("opened", "active"):
    assert s[key].endswith("Z"), s
    datetime.datetime.fromisoformat(s[key].replace("Z", "+00:00"))
' "$work/out" "$pop3d" || bad "the fields of a session: $(cat "$work/out")"
python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))[0]
assert (s["tls"], s["open"], s["client"]) == (False, "INBOX", None), s
' "$work/out" || bad "what it has open: $(cat "$work/out")"
exits 0 postern sessions list bob --json
claim "another user's list" "[]" "$(tr -d '\n' <"$work/out")"
exits 1 postern sessions list dave --json
exits 0 postern sessions list alice
prints "alice holds 1 of 32 sessions, 1 of 16 service sessions"

# Filters, and who is how near to his limits.
for filter in "--service imap4" "--peer 10." "--idle 1h"; do
	exits 0 postern sessions list --json $filter
	claim "[$filter] finds none" "[]" "$(tr -d '\n' <"$work/out")"
done
exits 0 postern sessions list alice --service POP3 --peer 127. --idle 0
prints "INBOX"
exits 64 postern sessions list --idle soon
exits 64 postern sessions list --service telnet
exits 0 postern sessions users
prints "alice            sessions [#...............................] 1 of 32"
prints "                 service  [##..............................] 1 of 16"

id=$(postern sessions list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')
exits 1 postern sessions end no-such-id
exits 0 postern sessions end "$id"
exits 1 postern sessions end "$id"
grep -q 'ended by an administrator' <&5 || bad "the peer is not told"
claim "it is gone" "[]" "$(postern sessions list --json | tr -d '\n')"

# All that match; a word too many or too few is none.
login
exits 64 postern sessions end
exits 64 postern sessions end "$id" --user alice
exits 1 postern sessions end --user nobody
exits 0 postern sessions end --user alice --idle 1h
prints "0 ended"
exits 0 postern sessions end --user alice --service pop3
prints "1 ended"
claim "all of hers are gone" "[]" "$(postern sessions list --json | tr -d '\n')"

# Watching lists again.
login
(timeout 3 "$BUILD/ctl/postern" --store "$store" sessions list --watch >"$work/watched")
[ "$(grep -c "POP3" "$work/watched")" -ge 2 ] || bad "--watch does not look again: $(cat "$work/watched")"
exits 0 postern sessions end --user alice

# A daemon that does not run can't answer.
login
id=$(postern sessions list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')
kill -STOP "$pop3d"
exits 2 postern sessions end "$id"
says "within a second"
kill -CONT "$pop3d"

# One that is killed gives everything back at once.
kill -9 "$pop3d"
wait "$pop3d" 2>/dev/null
claim "gone with the daemon" "[]" "$(postern sessions list --json | tr -d '\n')"
finish
