#!/bin/bash
# A session of the mount that an administrator ends: its place is free at once, its handle says so, and what
# it had not closed is dropped.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 3 300000
mount_it
in=$mnt/mail/alice/INBOX

coproc reader { exec "$opener" read "$in/1.eml"; }
reader_pid=$!; helpers+=("$reader_pid")
exec 5<&"${reader[0]}" 6>&"${reader[1]}" # bash forgets a coprocess that has ended
read -r said <&5
check_eq open "$said"
check_eq 1 "$(held alice)"
id=$(awk '/ fs / { print $1 }' "$mnt/sys/users/alice/sessions")
check_ok bash -c "echo 'end $id' >'$mnt/sys/ctl'"
check_eq 0 "$(held alice)"
echo >&6
read -r said <&5
check_eq ESTALE "$said"
wait "$reader_pid" 2>/dev/null
check_eq 0 "$(held alice)"

coproc writer { exec "$opener" write "$in/lost.eml" "Subject: lost"; }
writer_pid=$!; helpers+=("$writer_pid")
exec 5<&"${writer[0]}" 6>&"${writer[1]}" # bash forgets a coprocess that has ended
read -r said <&5
check_eq written "$said"
check_ok bash -c "echo end all >'$mnt/sys/ctl'"
check_eq 0 "$(held alice)"
echo >&6
read -r said <&5
check_eq ESTALE "$said"
wait "$writer_pid" 2>/dev/null
check_eq 3 "$("$tool" "$store" ls alice INBOX | wc -l)"
check_eq 3 "$(count "$in")"

check_fails "No such file" bash -c "echo end 12345 >'$mnt/sys/ctl'"
check_fails "Invalid argument" bash -c "echo nonsense >'$mnt/sys/ctl'"
