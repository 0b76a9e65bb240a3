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

# A stranger's open never reaches the daemon: the kernel refuses it, so that it takes no place.  What would be
# refused here for the place is refused for the right.
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 1
exec 9<"$in/1.eml"
check_fails "Too many users" as_him cat "$in/1.eml"
stranger() { setpriv --reuid 1 --regid 1 --clear-groups "$@"; }
check_fails "Permission denied" stranger cat "$in/1.eml"
check_fails "Permission denied" stranger ls "$in"
check_fails "Permission denied" stranger ls "$mnt/mail"
check_fails "Permission denied" stranger touch "$in/x.eml"
check_fails "Permission denied" stranger cat "$mnt/sys/users/carl/limits"
check_eq "" "$(grep -E 'uid=1 ' "$mnt/sys/log")"
exec 9<&-
soon is_held carl 0

# The account goes to somebody else, while the kernel has all of it in its caches.
as_him ls -lR "$mnt/mail/carl" >/dev/null
cd "$in" || exit 1
check_ok "$build/ctl/postern" --store "$store" user account carl daemon
refused() { ! "$@" >/dev/null 2>&1; }
soon refused as_him cat "$in/1.eml"
soon refused as_him ls "$in"
soon stranger cat "$in/1.eml" >/dev/null
check_ok stranger ls "$in" >/dev/null
check_eq 1 "$(stranger stat -c %u "$in/2.eml")"
soon refused as_him cat 1.eml
check_ok "$build/ctl/postern" --store "$store" user account carl
soon refused stranger cat "$in/1.eml"
check_eq 0 "$(stat -c %u "$in/1.eml")"
cd / || exit 1
