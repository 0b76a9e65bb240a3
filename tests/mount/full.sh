#!/bin/bash
# A full disk: whoever copies is told by close, nothing half-written stays, and what fits goes in afterwards.
. "$(dirname "$0")/lib.sh"
mkdir "$work/full"
mount -t tmpfs -o size=6m tmpfs "$work/full" 2>/dev/null || { echo "SKIP: no tmpfs can be mounted"; exit 77; }
store=$work/full/store
"$tool" "$store" init && "$tool" "$store" user alice || exit 1
mount_it
in=$mnt/mail/alice/INBOX
head -c 5000000 /dev/urandom >"$work/big"
check_fails "No space left on device" cp "$work/big" "$in/big.eml"
check_eq "" "$(ls "$in")"
check_ok cp /etc/passwd "$in/small.eml"
same /etc/passwd "$in/small.eml"
check_eq small.eml "$(ls "$in")"
check_ok "$tool" "$store" check alice

# Several at once, until nothing more fits: who was told that it is kept has it, byte for byte; of the others nothing.
head -c 100000 /dev/urandom >"$work/medium"
many() { for i in $(seq 30); do ! cp "$work/medium" "$in/$1-$i.eml" 2>/dev/null || echo "$1-$i.eml"; done >"$work/kept.$1"; }
jobs=()
for n in 1 2 3 4; do many $n & jobs+=($!); done
wait "${jobs[@]}"
kept=$(cat "$work"/kept.?)
[ -n "$kept" ] && [ "$(wc -w <<<"$kept")" -lt 120 ] || fail "the disk was not filled: $kept"
check_eq "$(sort <<<"$kept"; echo small.eml)" "$(ls "$in")"
for f in $kept; do same "$work/medium" "$in/$f"; done
mount -o remount,size=16m "$work/full"
for f in $kept; do check_ok rm "$in/$f"; done
check_eq small.eml "$(ls "$in")"
check_ok "$tool" "$store" check alice
unmount_it

# No room for one more file, and blocks enough: what needs one is not kept when FLUSH comes, and close says so.  What
# is small has its place in the log of the mount, once that is there.
store=$work/full/inodes
umount "$work/full"
mount -t tmpfs -o size=64m tmpfs "$work/full"
"$tool" "$store" init && "$tool" "$store" user alice || exit 1
mount_it
check_eq "" "$(ls "$in")"
no_inode() { mount -o remount,nr_inodes="$(df --output=iused "$work/full" | tail -n 1 | xargs)" "$work/full"; }
no_inode
check_fails "No space left on device" cp /etc/passwd "$in/none.eml"
check_eq "" "$(ls "$in")"
mount -o remount,nr_inodes=10000 "$work/full"
check_ok cp /etc/passwd "$in/first.eml"
check_eq first.eml "$(ls "$in")" # and is a message
no_inode
head -c 300000 /dev/urandom >"$work/spilled"
check_fails "No space left on device" cp "$work/spilled" "$in/third.eml"
check_ok cp /etc/group "$in/second.eml"
check_eq "first.eml second.eml" "$(ls "$in" | xargs)"
same /etc/passwd "$in/first.eml"
same /etc/group "$in/second.eml"
mount -o remount,nr_inodes=10000 "$work/full"
check_ok cp "$work/spilled" "$in/third.eml"
same "$work/spilled" "$in/third.eml"
check_eq "first.eml second.eml third.eml" "$(ls "$in" | xargs)"
check_ok "$tool" "$store" check alice
