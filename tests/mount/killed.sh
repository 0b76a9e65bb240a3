#!/bin/bash
# kill -9 of a mount that waits in the kernel for a lock which its own client holds: it ends at once all the same, its
# mount is taken away, and the next one serves.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 5 2000
mount_it
in=$mnt/mail/alice/INBOX
ls -l "$in" >/dev/null # the kernel knows the names
ledger=$(echo "$store"/run/user/*)
children() { pgrep -P "$1" -x postern-fs-end; } # beside it the doorbell has a process too
undertaker=$(children "$fs_pid")
check_eq postern-fs-end "$(cat "/proc/$undertaker/comm")"
check_eq "" "$(ls -l "/proc/$undertaker/fd" | grep fuse)"

# An open that is parked: the ledger's byte is held (see busy.sh), and cp holds the folder's lock until it is answered.
sleep 1.1
coproc hold { exec python3 -c '
import fcntl, sys
with open(sys.argv[1], "r+b") as ledger:
    fcntl.lockf(ledger, fcntl.LOCK_EX, 1, 1 << 40)
    print("held", flush=True)
    sys.stdin.read()
' "$ledger"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq held "$said"
cp /etc/passwd "$in/new.eml" 2>"$work/cp.err" & cp_pid=$!; helpers+=("$cp_pid")
sleep 0.3
# Meanwhile a message goes, and the kernel is told: whoever tells waits for the folder's lock.
"$tool" "$store" rm alice INBOX 2 >/dev/null & rm_pid=$!; helpers+=("$rm_pid")
stuck() { cat /proc/"$fs_pid"/task/*/wchan 2>/dev/null | grep -q -e inval -e rwsem -e down_write || grep -q '^State:.D' /proc/"$fs_pid"/task/*/status; }
soon stuck
check_ok kill -9 "$fs_pid"
# This wait is all of it: without the undertaker it never returns.
ended() { ! kill -0 "$fs_pid" 2>/dev/null; }
soon ended
{ wait "$fs_pid"; } 2>/dev/null; fs_pid=
wait "$cp_pid" && fail "cp was told that all is well"
check_has "cannot create" "$(cat "$work/cp.err")" # ENOTCONN, or ECONNABORTED
gone() { ! mountpoint -q "$mnt" && ls "$mnt" >/dev/null; }
soon gone
check_has dead-mount-removed "$(cat "$work/log")"
soon test ! -e "/proc/$undertaker"
kill "$hold_pid"; wait "$hold_pid" "$rm_pid" 2>/dev/null
mount_it
check_eq 4 "$(count "$in")" # what was not closed is not there
check_eq 0 "$(held alice)"

# Who is told to end ends it too.
undertaker=$(children "$fs_pid")
unmount_it
check_ok test ! -e "/proc/$undertaker"

# Killed without anybody waiting, with files open: nothing is left to clean up.
mount_it
exec 9<"$in/1.eml"
kill -9 "$fs_pid"; wait "$fs_pid" 2>/dev/null; fs_pid=
soon gone
check_eq 0 "$(held alice)"
check_fails "not connected" cat <&9
exec 9<&-

# With its undertaker killed first the mount stays, dead, and the next one clears it away; umount does too.
mount_it
kill -9 "$(children "$fs_pid")"
kill -9 "$fs_pid"; wait "$fs_pid" 2>/dev/null; fs_pid=
check_fails "not connected" ls "$in"
mount_it
kill -9 "$(children "$fs_pid")"
kill -9 "$fs_pid"; wait "$fs_pid" 2>/dev/null; fs_pid=
check_ok "$build/ctl/postern" umount "$mnt"
check_ok gone
