#!/bin/bash
# mount(8) and fstab(5): the type fuse.postern.  In a mount namespace of its own, with our helper laid over /sbin.
[ -n "${POSTERN_OWN_NAMESPACE:-}" ] || exec env POSTERN_OWN_NAMESPACE=1 unshare --mount "$0" "$@" ||
    { echo "SKIP: no mount namespace can be made"; exit 77; }
. "$(dirname "$0")/lib.sh"
mkdir "$work/sbin"
ln -s "$build/ctl/postern" "$work/sbin/mount.fuse.postern"
mount -t overlay overlay -o "lowerdir=$work/sbin:$(realpath /sbin)" "$(realpath /sbin)" 2>/dev/null ||
    { echo "SKIP: no overlay can be mounted"; exit 77; }
"$tool" "$store" gen alice INBOX 3 2000
in=$mnt/mail/alice/INBOX
gone() { ! mountpoint -q "$mnt" && ! pgrep -f "^[^ ]*postern-fs .*$work" >/dev/null; }

# Whoever reads what mount says until its end does not wait for the mount's.
said=$(timeout 30 mount -t fuse.postern "$store" "$mnt" -o names=uid,noatime,_netdev,x-systemd.automount 2>&1)
check_eq "" "$said"
check_eq 3 "$(count "$in")"
check_has ".00000001.eml" "$(ls "$in")"
check_eq "$store fuse.postern" "$(findmnt -n -o SOURCE,FSTYPE "$mnt" | xargs)"
options=$(findmnt -n -o OPTIONS "$mnt")
for o in nosuid nodev noexec default_permissions allow_other; do check_has "$o" "$options"; done
check_fails "already" mount -t fuse.postern "$store" "$mnt"
check_eq 32 "$(mount -t fuse.postern "$store" "$mnt" 2>/dev/null; echo $?)"
check_ok umount "$mnt"
soon gone

# A line of fstab; mounted once, however often all is mounted.
echo "$store $mnt fuse.postern ro,nofail,eol=exact,log=$work/fs.log 0 0" >"$work/fstab"
check_ok mount --fstab "$work/fstab" "$mnt"
check_eq 3 "$(count "$in")"
check_fails "Read-only" touch "$in/x.eml"
check_ok mount --fstab "$work/fstab" --all
check_eq 1 "$(findmnt -n "$mnt" | wc -l)"
check_has serving "$(cat "$work/fs.log")"
check_ok umount "$mnt"
soon gone
check_ok mount --fstab "$work/fstab" --all --types fuse.postern
check_ok fusermount3 -u "$mnt"
soon gone
check_ok mount --fstab "$work/fstab" --fake "$mnt"
check_ok gone

# What is wrong is said where mount was asked.
check_fails "no mount option nonsense" mount -t fuse.postern "$store" "$mnt" -o nonsense
check_fails "$work/nostore" mount -t fuse.postern "$work/nostore" "$mnt"
check_fails "does not exist" mount -t fuse.postern "$store" "$work/nowhere"

# postern mount, and its umount: not while it is in use, but for --lazy and --force.
postern() { "$build/ctl/postern" --store "$store" "$@"; }
check_ok postern mount --log "$work/fs.log" "$mnt"
exec 9<"$in/1.eml"
check_fails "in use" postern umount "$mnt"
check_ok postern umount --lazy "$mnt"
check_fails "no mount of postern" postern umount "$mnt"
check_ok cat <&9 >/dev/null
exec 9<&-
soon gone
check_ok postern mount --log "$work/fs.log" "$mnt"
exec 9<"$in/1.eml"
check_ok postern umount --force "$mnt"
check_fails "" cat <&9
exec 9<&-
soon gone
check_fails "no mount of postern" postern umount "$work"
check_eq 0 "$(held alice)"
umount "$(realpath /sbin)"
