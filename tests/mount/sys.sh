#!/bin/bash
# The control tree: sessions, settings as files, the log; never counted, with a cap of its own.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 1 2000
mount_it
key="$mnt/sys/registry/HKEY_LOCAL_MACHINE/SYSTEM/CurrentControlSet/Services/MSExchangeIS/ParametersSystem"
value="$key/Maximum Allowed Sessions Per User"
check_eq "changes ctl events events.xml limits log registry sessions users" "$(ls "$mnt/sys" | xargs)"
check_eq "sessions limits users registry" "$(for f in sessions limits users registry; do [ -e "$mnt/sys/$f" ] && echo $f; done | xargs)"
check_eq "changes ctl events limits sessions" "$(ls "$mnt/sys/users/alice" | xargs)"
check_eq "alice bob" "$(ls "$mnt/sys/users" | xargs)"
check_eq 32 "$(cat "$value")"
check_eq 0 "$(stat -c %s "$value")"
check_has MaxObjsPerMapiSession "$(ls "$key")"
check_eq 250 "$(cat "$key/MaxObjsPerMapiSession/objtMessage")"

# One write, one setting; a bad one is refused by write itself.
check_ok bash -c "echo 20 >'$value'"
check_eq 20 "$(cat "$value")"
check_ok bash -c "echo dword:00000015 >'$value'"
check_eq 21 "$(cat "$value")"
check_fails "Invalid argument" bash -c "echo many >'$value'"
check_fails "Numerical result out of range" bash -c "echo 99999999999 >'$value'"
check_fails "Numerical result out of range" bash -c "echo 2 >'$key/Disable Session Limit'"
check_eq 21 "$(cat "$value")"
check_eq 21 "$(cat "$key/maximum allowed sessions per user")"
check_ok rm "$value"
check_eq 32 "$(cat "$value")"
check_ok bash -c "echo 5 >'$key/Not A Setting Of Ours'"
check_eq 5 "$(cat "$key/Not A Setting Of Ours")"
check_ok rm "$key/Not A Setting Of Ours"
check_fails "No such file" cat "$key/Not A Setting Of Ours"

# Keys come and go as directories; what settings stand in stays.
check_ok mkdir -p "$key/Ours/Below"
check_fails "Directory not empty" rmdir "$key/Ours"
check_ok bash -c "echo text >'$key/Ours/a value'"
check_eq text "$(cat "$key/Ours/a value")"
check_fails "Directory not empty" rmdir "$key/Ours"
check_ok rm "$key/Ours/a value"
check_ok rmdir "$key/Ours/Below" "$key/Ours"
check_fails "No such file" rmdir "$key/Ours"
check_fails "Operation not permitted" rmdir "$key/MaxObjsPerMapiSession"

# The type is an attribute.
check_eq REG_DWORD "$(getfattr --absolute-names --only-values -n user.type "$value")"
check_ok bash -c "echo 5 >'$key/Number'"
check_ok setfattr -n user.type -v REG_SZ "$key/Number"
check_eq REG_SZ "$(getfattr --absolute-names --only-values -n user.type "$key/Number")"
check_eq 5 "$(cat "$key/Number")"
check_fails "Invalid argument" setfattr -n user.type -v REG_ODD "$key/Number"
check_ok rm "$key/Number"

# In force at the next open.
echo 1 >"$value"
exec 9<"$mnt/mail/alice/INBOX/1.eml"
check_fails "Too many users" cat "$mnt/mail/alice/INBOX/1.eml"
check_eq 1 "$(grep -c ' fs ' "$mnt/sys/sessions")"
check_has "setting-changed" "$(cat "$mnt/sys/log")"
# What can't help while the store refuses is written down as well, with who is at its limit and what lifts it.
imap=$(dirname "$(find "$mnt/sys/registry" -name MaxConnectionsPerUser | grep -i imap)")
check_ok bash -c "echo 100 >'$imap/MaxConnectionsPerUser'"
check_has "setting-note text=\"note: MaxConnectionsPerUser is not the store's own limit" "$(cat "$mnt/sys/log")"
check_has "note: alice holds 1 of 1 sessions now: the store refuses the next" "$(cat "$mnt/sys/log")"
check_has "postern reg add -v 'Maximum Allowed Sessions Per User' -d N" "$(cat "$mnt/sys/log")"
check_ok rm "$imap/MaxConnectionsPerUser"
check_has 'exceeded the maximum of 1 objects of type "session". (store: Maximum Allowed Sessions Per User is 1, held 1' "$(cat "$mnt/sys/events")"
xml=$(cat "$mnt/sys/events.xml")
check_has "9646</EventID>" "$xml"
check_ok python3 -c 'import sys, xml.etree.ElementTree as x; assert x.fromstring(sys.argv[1]).tag == "Events"' "$xml"
# What she is told: what limits her, who holds it, what to do; and it works.
limits=$(cat "$mnt/sys/users/alice/limits")
check_has "Maximum Allowed Sessions Per User                         1  held 1  full" "$limits"
check_has "fs         refused: " "$limits"
id=$(awk '/ fs / { print $1 }' "$mnt/sys/users/alice/sessions")
check_has "$id" "$limits"
check_has "echo end ID >sys/users/alice/ctl" "$limits"
check_has 'maximum of 1 objects of type "session"' "$(cat "$mnt/sys/users/alice/events")"
check_eq "" "$(cat "$mnt/sys/users/bob/events")"
check_has "sys.sh $1" "$(grep ' fs ' "$mnt/sys/sessions")" # the command line is for administrators
check_eq 0 "$(grep -c "sys.sh $1" "$mnt/sys/users/alice/sessions")"
check_fails "No such file" bash -c "echo end $id >'$mnt/sys/users/bob/ctl'"
check_fails "Invalid argument" bash -c "echo stop $id >'$mnt/sys/users/alice/ctl'"
check_eq 1 "$(held alice)"
check_ok bash -c "echo end $id >'$mnt/sys/users/alice/ctl'"
check_eq 0 "$(held alice)"
exec 9<&-
echo 32 >"$value"

# sys/ takes no session, whatever is open there; its own cap stops those who open without end.
coproc hold { exec "$opener" hold 300 "$mnt/sys/limits"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq "opened 256 refused 0 failed 44" "$said"
check_eq 0 "$(held alice)"
kill "$hold_pid"; wait "$hold_pid" 2>/dev/null
settled() { cat "$mnt/sys/limits" >/dev/null 2>&1; }
soon settled
check_eq "-rw-------" "$(stat -c %A "$mnt/sys/sessions")"
check_eq "-r--------" "$(stat -c %A "$mnt/sys/users/alice/sessions")"
check_fails "Operation not permitted" mkdir "$mnt/sys/x"
check_fails "Operation not permitted" rm "$mnt/sys/limits"
