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
