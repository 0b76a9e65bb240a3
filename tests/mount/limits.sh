#!/bin/bash
# 32 open handles and no more, counted exactly: never one over, never one short.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 5 2000
"$tool" "$store" gen bob INBOX 1 2000
mount_it
in=$mnt/mail/alice/INBOX
check_ok setfattr -n user.flags -v seen "$in/5.eml"
check_ok setfattr -n user.flags -v flagged "$in/5.eml"
link=$(echo "$mnt"/view/alice/flagged/*)

cycles=20000 kills=30
[ -z "${POSTERN_LONG-}" ] || cycles=100000 kills=120

# T threads at a limit of T: no open is ever refused, since what was closed before is free.
for threads in 1 4 16 32; do
	"$tool" "$store" limit "Maximum Allowed Sessions Per User" "$threads"
	check_eq "opened $cycles refused 0 failed 0" "$("$opener" race "$threads" "$cycles" "$in/1.eml")"
	check_eq 0 "$(held alice)"
done

# More of them than the limit is: what they hold together never passes it.
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 5
most=$("$opener" most 16 "$cycles" "$in/1.eml")
check_has " failed 0" "$most"
check_eq "most 5" "$(tail -n 1 <<<"$most")"
check_eq 0 "$(held alice)"
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 32

# Exactly one too many is refused.
coproc hold { exec "$opener" hold 33 "$in/2.eml"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq "opened 32 refused 1 failed 0" "$said"
check_eq 32 "$(held alice)"

# What people see, and what still works for them.
check_fails "cannot open directory '$in': Too many users" ls "$in"
check_fails "Too many users" cat "$in/1.eml"
check_fails "Too many users" cp /etc/hostname "$in/new.eml"
check_ok stat "$in/1.eml" >/dev/null
check_ok mv "$in/3.eml" "$in/named.eml"
check_ok rm "$in/4.eml"
check_ok mkdir "$mnt/mail/alice/Made"
check_ok mv "$mnt/mail/alice/Made" "$mnt/mail/alice/Renamed"
check_ok rmdir "$mnt/mail/alice/Renamed"
check_fails "No such file" stat "$in/none.eml"
check_ok setfattr -n user.flags -v "flagged" "$in/1.eml"
check_eq flagged "$(getfattr --only-values -n user.flags "$in/1.eml" 2>/dev/null)"
check_ok stat -f "$in/1.eml" >/dev/null
check_fails "Too many users" ls "$mnt/view/alice/flagged"
check_has "../mail/alice/INBOX/" "$(readlink "$link")"
check_eq 1 "$(count "$mnt/mail/bob/INBOX")"

# And why: the control tree is never counted.
check_eq 32 "$(grep -c " fs " "$mnt/sys/users/alice/sessions")"
check_has "held 32" "$(cat "$mnt/sys/users/alice/limits")"
log=$(cat "$mnt/sys/log")
check_has "user=alice" "$log"
check_has "comm=ls" "$log"
check_has "Maximum Allowed Sessions Per User" "$log"
check_eq 5 "$(grep -c ' refused user=alice .* value=32 ' <<<"$log")"
for command in opener ls cat cp; do check_has "comm=$command " "$(grep ' refused ' <<<"$log")"; done
check_has " pid=$hold_pid " " $(grep opener "$mnt/sys/users/alice/sessions" | awk '{ print "pid=" $6 }' | sort -u) "

# So whoever is refused ends one of his, and goes on.
id=$(awk '/ fs / { print $1; exit }' "$mnt/sys/users/alice/sessions")
check_ok bash -c "echo 'end $id' >'$mnt/sys/users/alice/ctl'"
check_eq 31 "$(held alice)"
check_ok cat "$in/1.eml" >/dev/null

# A holder that is killed holds nothing.
kill -9 "$hold_pid"; wait "$hold_pid" 2>/dev/null
soon is_held alice 0
check_ok ls "$in" >/dev/null
command -v rg >/dev/null || echo "ripgrep is missing: grep -r alone"
for i in $(seq "$kills"); do
	"$opener" hold 8 "$in/2.eml" </dev/zero >/dev/null & p1=$!
	grep -r nothing "$in" >/dev/null & p2=$!
	rg -j8 nothing "$in" >/dev/null 2>&1 & p3=$!
	sleep 0.0$((i % 3))
	kill -9 $p1 $p2 $p3 2>/dev/null; wait $p1 $p2 $p3 2>/dev/null
done
soon is_held alice 0

# A limit that is changed is in force at the next open.
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 1
coproc hold { exec "$opener" hold 2 "$in/2.eml"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq "opened 1 refused 1 failed 0" "$said"
kill -9 "$hold_pid"; wait "$hold_pid" 2>/dev/null
true
