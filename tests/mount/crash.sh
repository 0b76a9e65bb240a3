#!/bin/bash
# kill -9 of the mount: what it held is free at once, what was closed is mail, and the next one serves.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 3 2000
mount_it
in=$mnt/mail/alice/INBOX
coproc hold { exec "$opener" hold 5 "$in/1.eml"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq "opened 5 refused 0 failed 0" "$said"
cp /etc/passwd "$in/kept.eml"; check_ok ls "$in" >/dev/null # told: it is in the store
check_eq 5 "$(held alice)"
kill -9 "$fs_pid"; wait "$fs_pid" 2>/dev/null; fs_pid=
check_eq 0 "$(held alice)"
check_fails "not connected" ls "$in"

# The dead mount is cleared away by the next, though somebody holds it.
mount_it
check_eq 4 "$(count "$in")"
same /etc/passwd "$in/kept.eml"
kill "$hold_pid"; wait "$hold_pid" 2>/dev/null
check_eq 0 "$(held alice)"

# A mount in use is no dead one; and other wrong places.
check_fails "already" "$build/fs/postern-fs" --store "$store" "$mnt"
check_fails "does not exist" "$build/fs/postern-fs" --store "$store" "$work/nowhere"
check_fails "not a directory" "$build/fs/postern-fs" --store "$store" "$tool"
mkdir "$work/other"
check_fails "$work/nostore" "$build/fs/postern-fs" --store "$work/nostore" "$work/other"
check_fails "no mount option" "$build/fs/postern-fs" --store "$store" -o nonsense "$work/other"

# SIGTERM unmounts, also while a file is open, and what is open is then gone, not hanging.
exec 9<"$in/1.eml"
unmount_it
check_ok test "$(mountpoint "$mnt" 2>&1 | grep -c 'is a mountpoint')" = 0
check_eq 0 "$(held alice)"
exec 9<&-

# Unmounted by somebody else it ends by itself, and well.
mount_it
umount "$mnt"
check_ok wait "$fs_pid"
fs_pid=
check_ok "$tool" "$store" check alice
