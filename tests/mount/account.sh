#!/bin/bash
# A user with a Unix account: the mailbox is his, and whatever he opens is charged to him.
. "$(dirname "$0")/lib.sh"
command -v setpriv >/dev/null || { echo "SKIP: there is no setpriv"; exit 77; }
account=nobody uid=$(id -u nobody)
as_him() { setpriv --reuid "$uid" --regid "$(id -g nobody)" --clear-groups "$@"; }
"$tool" "$store" user carl "$account"
"$tool" "$store" gen carl INBOX 3 2000
chmod 755 "$work" # the way to the mount is his to go
cp "$opener" "$work/opener" # and the program's, wherever it was built
mount_it
in=$mnt/mail/carl/INBOX
check_eq "$uid" "$(stat -c %u "$in")"
check_eq 3 "$(as_him ls "$in" | wc -l)"
check_ok as_him cp /etc/passwd "$in/mine.eml"
same /etc/passwd "$in/mine.eml"
check_ok as_him rm "$in/mine.eml"
check_fails "Permission denied" as_him ls "$mnt/mail/alice"
check_fails "Permission denied" as_him cat "$mnt/sys/sessions"
check_fails "Permission denied" as_him ls "$mnt/sys/registry"
check_has "held 0" "$(as_him cat "$mnt/sys/users/carl/limits")"
check_fails "Permission denied" as_him ls "$mnt/sys/users/alice"

# His handles are his; root, who is nobody's account, acts as the mailbox's own user.
coproc hold { exec setpriv --reuid "$uid" --clear-groups "$work/opener" hold 3 "$in/1.eml"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq "opened 3 refused 0 failed 0" "$said"
check_eq 3 "$(held carl)"
exec 9<"$in/1.eml"
check_eq 4 "$(held carl)"
check_has "held 4" "$(as_him cat "$mnt/sys/users/carl/limits")"
exec 9<&-
kill "$hold_pid"; wait "$hold_pid" 2>/dev/null
soon is_held carl 0
