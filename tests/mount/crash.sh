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
# Closed is kept, also when the mount dies with the commit before it.
for i in $(seq 50); do cp /etc/passwd "$in/kept$i.eml"; done
{ coproc writer { exec "$opener" write "$in/open.eml" "Subject: never closed"; }; } 2>/dev/null # bash grumbles at a second
helpers+=($!)
read -r said <&"${writer[0]}"
check_eq written "$said"
check_eq 6 "$(held alice)"
kill -9 "$fs_pid"; wait "$fs_pid" 2>/dev/null; fs_pid=
check_eq 0 "$(held alice)"

# The mount is taken away though somebody holds it, and the next one serves.
soon test ! -e "$in"
mount_it
check_eq 53 "$(count "$in")"
for i in $(seq 50); do same /etc/passwd "$in/kept$i.eml"; done
kill "$hold_pid"; wait "$hold_pid" 2>/dev/null
check_eq 0 "$(held alice)"

# The same with the store held up: nothing is committed, everything is kept.
echo 100 >"$mnt/sys/registry/HKEY_LOCAL_MACHINE/SOFTWARE/Postern/Store/WriteWait"
{ coproc lock { exec python3 -c 'import fcntl, struct, sys
held = [open(f, "r+") for f in sys.argv[1:]]
for f in held: fcntl.fcntl(f, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)) # F_OFD_SETLK
print("locked", flush=True)
sys.stdin.read()' "$store"/mail/*/*/mail.lock; }; } 2>/dev/null
lock_pid=$!; helpers+=("$lock_pid")
read -r said <&"${lock[0]}"
check_eq locked "$said"
for i in $(seq 5); do cp /etc/group "$in/late$i.eml"; done
cp /etc/group "$in/"$'two\nlines.eml'
head -c 300000 /dev/urandom >"$work/spilled" # more than is kept in memory
cp "$work/spilled" "$in/spilled.eml"
kept() { cat "$store"/prepared/*/* | grep -ao "postern-prepared-4 k" | wc -l; }
check_eq 7 "$(kept)"
check_eq 2 "$(ls "$store"/prepared/*/ | grep -c -)" # small ones share a log
mkdir "$work/kept"; cp "$store"/prepared/*/*-* "$work/kept"
kill -9 "$fs_pid"; wait "$fs_pid" 2>/dev/null; fs_pid=
kill "$lock_pid"; wait "$lock_pid" 2>/dev/null
mount_it
check_eq 60 "$(count "$in")"
same "$work/spilled" "$in/spilled.eml"
for i in $(seq 5); do same /etc/group "$in/late$i.eml"; done
same /etc/group "$in/"$'two\nlines.eml'
check_has "file-recovered user=alice file=late5.eml" "$(cat "$mnt/sys/log")"

# What is kept and is a message already is not one twice; one whose name another message has is one.
rm "$in/late1.eml"; cp /etc/passwd "$in/late1.eml"
check_eq 60 "$(count "$in")" # a listing waits for what was closed before it
kill -9 "$fs_pid"; wait "$fs_pid" 2>/dev/null; fs_pid=
mkdir "$store/prepared/again"; cp "$work"/kept/* "$store/prepared/again"
mount_it
check_eq 61 "$(count "$in")"
same /etc/passwd "$in/late1.eml"
check_eq 6 "$(cmp_count /etc/group "$in"/*)"
check_eq 1 "$(ls "$store/prepared" | wc -l)"

# A log that was cut off, or in which an octet is another than was written: what is whole comes, and nothing else.
log=("$work"/kept/log-*)
rm "$in"/late?.eml "$in/"$'two\nlines.eml'
left() { (cd "$in" && echo late?.eml two*); }
again() { # standard input is the log among the prepared files of a mount that was killed
	kill -9 "$fs_pid"; wait "$fs_pid" 2>/dev/null; fs_pid=
	mkdir "$store/prepared/again"
	cat >"$store/prepared/again/log-0"
	mount_it
	check_eq 1 "$(ls "$store/prepared" | wc -l)"
}
record=$(($(grep -abo postern-prepared "${log[0]}" | sed -n 2p | cut -d: -f1)))
again < <(head -c $((record * 2 - 600)) "${log[0]}")
check_eq "late1.eml two*" "$(left)"
rm "$in/late1.eml"
again < <(head -c $((record + 600)) "${log[0]}"; printf '\377'; tail -c +$((record + 602)) "${log[0]}")
check_eq "late1.eml late3.eml late4.eml late5.eml "$'two\nlines.eml' "$(left)"
for i in 1 3 4 5; do same /etc/group "$in/late$i.eml"; done

# Mounts that start at once do not take each other's folder for a dead one's.
several=()
for i in $(seq 10); do
	mkdir "$work/m$i"
	"$build/fs/postern-fs" --store "$store" "$work/m$i" >>"$work/log" 2>&1 </dev/null &
	several+=($!); helpers+=($!)
done
for i in $(seq 10); do
	soon mountpoint -q "$work/m$i"
	check_ok cp /etc/group "$work/m$i/mail/alice/Junk/at$i.eml"
done
kill "${several[@]}"; wait "${several[@]}"
check_eq 10 "$("$tool" "$store" ls alice Junk | wc -l)"

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
