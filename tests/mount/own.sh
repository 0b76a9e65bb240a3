#!/bin/bash
# postern mount --user: a person mounts the mailbox of his Unix account by himself, and a postern-fs that runs serves it.
# In a mount namespace of its own, since /dev/fuse may not be everybody's on this machine.
[ -n "${POSTERN_OWN_NAMESPACE:-}" ] || exec env POSTERN_OWN_NAMESPACE=1 unshare --mount "$0" "$@" ||
    { echo "SKIP: no mount namespace can be made"; exit 77; }
. "$(dirname "$0")/lib.sh"
for p in setpriv fusermount3; do command -v $p >/dev/null || { echo "SKIP: there is no $p"; exit 77; }; done
uid=$(id -u nobody) other=$(id -u daemon)
mknod "$work/fuse" c 10 229 && chmod 666 "$work/fuse" && mount --bind "$work/fuse" /dev/fuse ||
    { echo "SKIP: no device can be made"; exit 77; }
chmod 755 "$work"
mkdir "$work/bin"; cp "$build/ctl/postern" "$build/tests/mount/opener" "$work/bin"; chmod 755 "$work/bin" "$work/bin"/*
as() { local u=$1; shift; setpriv --reuid "$u" --regid "$u" --clear-groups env PATH="$PATH" "$@"; }
him() { as "$uid" "$@"; }
postern() { him "$work/bin/postern" --store "$store" "$@"; }
own=$work/own; mkdir "$own" "$work/own2" "$work/his"; chown "$uid" "$own" "$work/own2" "$work/his"
"$tool" "$store" user carl nobody
"$tool" "$store" gen carl INBOX 3 2000
"$tool" "$store" gen alice INBOX 1 2000
is_mounted() { mountpoint -q "$1"; }
gone() { ! grep -q " $1 " /proc/self/mountinfo; }
served() { pgrep -P "$fs_pid" postern-fs | grep -cv "^$(pgrep -P "$fs_pid" -x postern-fs-end)\$"; }

# Nobody is there to serve it; or the account is nobody's.
check_fails "no postern-fs is running" postern mount --user "$own"
check_fails "can't be found" him "$work/bin/postern" --store "$work/nowhere" mount --user "$own"
mount_it
mkdir "$work/for-other"; chown "$other" "$work/for-other"
check_fails "the Unix account daemon has no mailbox here" as "$other" "$work/bin/postern" --store "$store" mount --user "$work/for-other"
check_fails "the options of one's own mount are" postern mount --user -o allow_other "$own"
check_fails "No such file" postern mount --user "$work/nothing"
check_fails "nothing is mounted" postern mount --user "$work/for-other" # not his folder
check_ok gone "$own"

# Mounted as him, for him alone; root is not let in either.
check_ok postern mount --user "$own"
options=$(findmnt -n -o OPTIONS "$own")
check_has "user_id=$uid" "$options"
check_has default_permissions "$options"
case $options in *allow_other*) fail "others are let in" ;; esac
in=$own/mail/carl/INBOX
check_fails "Permission denied" ls "$own"
check_eq carl "$(him ls "$own/mail")"
check_eq 3 "$(him ls "$in" | wc -l)"
check_ok him cp /etc/passwd "$in/mine.eml"
check_ok him cmp /etc/passwd "$in/mine.eml"
check_eq "$uid" "$(him stat -c %u "$in/mine.eml")"
check_ok him rm "$in/mine.eml"
check_eq 1 "$(ls "$mnt/mail/carl/Trash" | wc -l)"
check_fails "Permission denied" him ls "$own/mail/alice"
check_fails "Permission denied" him cat "$own/mail/alice/INBOX/1.eml"
check_fails "Permission denied" him cat "$own/sys/sessions"
check_fails "Permission denied" him ls "$own/sys/registry"
check_has "held 0" "$(him cat "$own/sys/users/carl/limits")"

# His handles there are his sessions, counted together with those elsewhere.
coproc hold { exec setpriv --reuid "$uid" --regid "$uid" --clear-groups "$work/bin/opener" hold 3 "$in/1.eml"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq "opened 3 refused 0 failed 0" "$said"
check_eq 3 "$(held carl)"
check_eq 3 "$(grep -c ' fs ' "$mnt/sys/users/carl/sessions")"
kill "$hold_pid"; wait "$hold_pid" 2>/dev/null
soon is_held carl 0

# What he tells the kernel not to check is checked by who serves: mounted without default_permissions, in a user
# namespace where he is root, with a socket in place of the device.
cat >"$work/raw.py" <<'PY'
# raw.py STORE_SOCKET DIR OPTIONS: asks, mounts with these options, hands over; stays until its input ends.
import array, os, socket, subprocess, sys
path, folder, options = sys.argv[1:4]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(path)
s.send(b"mount ")
print(s.recv(500).decode(), flush=True)
if options == "socket":
    a, b = socket.socketpair()
    fd = a.fileno()
else:
    a, b = socket.socketpair()
    subprocess.run(["fusermount3", "-o", options, "--", folder], check=True,
                   env={**os.environ, "_FUSE_COMMFD": str(b.fileno())}, pass_fds=[b.fileno()])
    fd = array.array("i", a.recvmsg(1, socket.CMSG_SPACE(4))[1][0][2])[0]
s.sendmsg([b"take"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
if options != "socket":
    os.close(fd)
print(s.recv(500).decode(), flush=True)
sys.stdin.read()
PY
chmod 644 "$work/raw.py"
door=/run/postern-mount/$(stat -c '%d %i' "$store" | { read -r dev ino; printf '%x-%x' "$dev" "$ino"; })
check_eq "711 0" "$(stat -c '%a %u' /run/postern-mount)"
check_eq "ok carl
no that is no descriptor of a mount" "$(him /usr/bin/python3 "$work/raw.py" "$door" - socket </dev/null)"
coproc raw { exec setpriv --reuid "$uid" --regid "$uid" --clear-groups /usr/bin/python3 "$work/raw.py" "$door" "$work/own2" fsname=x,subtype=postern,nosuid,nodev; }
raw_pid=$!; helpers+=("$raw_pid"); exec 5<&"${raw[0]}" 6>&"${raw[1]}"
read -r said <&5; check_eq "ok carl" "$said"
read -r said <&5; check_eq "ready" "$said"
case $(findmnt -n -o OPTIONS "$work/own2") in *default_permissions*) fail "the kernel checks; this shows nothing" ;; esac
loose=$work/own2
check_eq carl "$(him ls "$loose/mail")"
check_ok him cat "$loose/mail/carl/INBOX/1.eml" >/dev/null
check_fails "Permission denied" him ls "$loose/mail/alice"
check_fails "Permission denied" him cat "$loose/mail/alice/INBOX/1.eml"
check_fails "Permission denied" him cp /etc/passwd "$loose/mail/alice/INBOX/x.eml"
check_fails "Permission denied" him mv "$loose/mail/carl/INBOX/1.eml" "$loose/mail/alice/INBOX/x.eml"
check_fails "Permission denied" him cat "$loose/sys/sessions"
check_fails "Permission denied" him bash -c "echo end all >'$loose/sys/ctl'"
check_fails "Permission denied" him ls "$loose/sys/registry/HKEY_LOCAL_MACHINE"
check_has "held 0" "$(him cat "$loose/sys/users/carl/limits")"
kill "$raw_pid"; { wait "$raw_pid"; } 2>/dev/null; exec 5<&- 6>&-
off() { him fusermount3 -u "$loose" 2>/dev/null; } # what was closed may be busy for a moment
soon off

# Only so many.
echo 2 >"$mnt/sys/registry/HKEY_LOCAL_MACHINE/SOFTWARE/Postern/Mount/UserMountsPerAccount"
alone() { [ "$(pgrep -c -f -- "$store --only-uid $uid")" = 2 ]; } # and its undertaker
soon alone
check_ok postern mount --user -o ro "$work/own2"
check_fails "Read-only" him touch "$work/own2/mail/carl/INBOX/x.eml"
check_fails "as many mounts as one account may" postern mount --user "$work/his"
check_fails "mounted already" postern mount --user "$own"
check_ok postern umount "$work/own2"
check_ok gone "$work/own2"
let_in() { postern mount --user "$work/his" 2>/dev/null; } # once the one before has ended
soon let_in
check_ok him fusermount3 -u "$work/his"

# The account is taken from the user: his mount says no from the next call on.
check_ok "$build/ctl/postern" --store "$store" user account carl
check_fails "Permission denied" him cat "$in/1.eml"
check_fails "Permission denied" him stat "$in/99.eml"
check_fails "has no mailbox here" postern mount --user "$work/his"
check_ok "$build/ctl/postern" --store "$store" user account carl nobody
check_ok him ls "$in" >/dev/null

# The process that serves it is killed: the mount goes by itself, and what was held is free.
coproc hold { exec setpriv --reuid "$uid" --regid "$uid" --clear-groups "$work/bin/opener" hold 2 "$in/1.eml"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq "opened 2 refused 0 failed 0" "$said"
kill -9 "$(pgrep -f -- "$store --only-uid $uid" | head -1)"
soon gone "$own"
soon is_held carl 0
kill "$hold_pid"; wait "$hold_pid" 2>/dev/null
check_ok ls "$mnt/mail/carl/INBOX" >/dev/null

# And so it does when postern-fs ends, or is killed; the next one lets him in again.
check_ok postern mount --user "$own"
unmount_it
soon gone "$own"
check_eq 0 "$(held carl)"
mount_it
check_ok postern mount --user "$own"
kill -9 "$fs_pid"; { wait "$fs_pid"; } 2>/dev/null; fs_pid=
soon gone "$own"
soon test ! -e "$mnt/mail"

# Where nobody is to be let in.
sed -i 's/^\[mount\]/[mount]\nsocket = none/' "$store/store.conf"
mount_it
check_has no-user-mounts "$(cat "$work/log")"
check_fails "no postern-fs is running" postern mount --user "$own"
unmount_it
sed -i "s|^socket = none|socket = $work/door/here|" "$store/store.conf"
mount_it
check_ok postern mount --user --socket "$work/door/here" "$own"
check_eq 3 "$(him ls "$in" | wc -l)"
check_ok him umount "$own" 2>/dev/null || check_ok him fusermount3 -u "$own"
