#!/bin/bash
# The table of what each operation on mail/ answers, row by row, to the errno.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 6 2000
"$tool" "$store" gen bob INBOX 1 2000
mount_it
check_ok python3 - "$mnt/mail" "$work" <<'PY'
import ctypes, errno, os, stat, sys

top, work = sys.argv[1:3]
a, b = f"{top}/alice", f"{top}/bob"
inbox = f"{a}/INBOX"
libc = ctypes.CDLL(None, use_errno=True)
wrong = 0


def rename2(old, new, flags):
    if libc.renameat2(-100, old.encode(), -100, new.encode(), flags) < 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def is_(want, what, call, *args, **kw):
    """The call ends with this errno (0: well)."""
    global wrong
    try:
        result, got = call(*args, **kw), 0
    except OSError as e:
        result, got = None, e.errno
    if got != want:
        wrong += 1
        print(f"{what}: wanted {errno.errorcode.get(want, want)}, got {errno.errorcode.get(got, got)}")
    return result


def write(path, text=b"Subject: x\n\nx\n", flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
    fd = os.open(path, flags, 0o644)
    os.write(fd, text)
    os.close(fd)


def listed(folder):
    return sorted(os.listdir(folder))


E = errno
m1, m2 = (f"{inbox}/{n}" for n in listed(inbox)[:2])

# create+write+close
is_(0, "create", write, f"{inbox}/made.eml")
is_(E.EEXIST, "O_EXCL over a message", os.open, f"{inbox}/made.eml", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
fd = os.open(f"{a}/Drafts/timed.eml", os.O_CREAT | os.O_WRONLY)
os.write(fd, b"Subject: x\n\nx\n")
is_(0, "utimens before commit", os.utime, fd, (10**9, 10**9))
os.close(fd)
if os.stat(f"{a}/Drafts/timed.eml").st_mtime != 10**9:
    wrong += 1; print("the time set before close is not the message's")
is_(0, "contents are not refused for form", write, f"{a}/Drafts/odd.eml", bytes(range(256)))
fd = os.open(f"{a}/Drafts/large.eml", os.O_CREAT | os.O_WRONLY)
is_(E.EFBIG, "write beyond the largest", os.pwrite, fd, b"x", 157286400)
is_(E.EFBIG, "truncate beyond the largest", os.ftruncate, fd, 157286401)
os.close(fd)
for name in ("made.txt", "made", "made.EML", "made.eml.bak", ".eml "[1:]):
    is_(E.EINVAL, f"create {name}", write, f"{a}/Drafts/{name}")
is_(E.EPERM, "create at the top", write, f"{a}/x.eml")
is_(E.EPERM, "create in mail/", write, f"{top}/x.eml")
is_(E.ENOENT, "create in no folder", write, f"{a}/Nowhere/x.eml")
is_(E.ENAMETOOLONG, "a long name", write, f"{a}/Drafts/{'x' * 252}.eml")
is_(E.EILSEQ, "no UTF-8", write, f"{a}/Drafts/".encode() + b"\xff.eml")

# scratch
for name in (".hidden", "x~", "x.tmp", "x.swp", "4913", "sedAb1234", ".x.eml.Ab12"):
    path = f"{a}/Drafts/{name}"
    is_(0, f"scratch {name}", write, path)
    is_(0, f"truncate {name}", os.truncate, path, 5)
    if os.stat(path).st_size != 5:
        wrong += 1; print(f"{name}: the size is not what it was cut to")
    is_(0, f"fsync {name}", lambda: os.fsync(os.open(path, os.O_RDWR)))
    is_(0, f"unlink {name}", os.unlink, path)
write(f"{a}/Drafts/.s")
is_(E.EINVAL, "scratch to a name of neither kind", os.rename, f"{a}/Drafts/.s", f"{a}/Drafts/s.txt")
is_(0, "scratch to scratch", os.rename, f"{a}/Drafts/.s", f"{a}/Drafts/.t")
is_(0, "scratch to a message", os.rename, f"{a}/Drafts/.t", f"{a}/Drafts/t.eml")
uid = os.getxattr(f"{a}/Drafts/t.eml", "user.uid")
write(f"{a}/Drafts/.u", b"Subject: other\n\ny\n")
is_(E.EEXIST, "RENAME_NOREPLACE over a message", rename2, f"{a}/Drafts/.u", f"{a}/Drafts/t.eml", 1)
is_(0, "scratch over a message", os.rename, f"{a}/Drafts/.u", f"{a}/Drafts/t.eml")
if os.getxattr(f"{a}/Drafts/t.eml", "user.uid") == uid:
    wrong += 1; print("what was replaced has the UID of before")
is_(0, "the old one is in Trash", os.stat, f"{a}/Trash/t.eml")

# rename of a message
uid = os.getxattr(m1, "user.uid")
is_(0, "a name in the folder", os.rename, m1, f"{inbox}/named.eml")
if os.getxattr(f"{inbox}/named.eml", "user.uid") != uid:
    wrong += 1; print("a name took another UID")
is_(E.EINVAL, "a name that is none of a message", os.rename, f"{inbox}/named.eml", f"{inbox}/named.txt")
is_(E.EINVAL, "a message made scratch", os.rename, f"{inbox}/named.eml", f"{inbox}/.named")
is_(E.ENOENT, "no such message", os.rename, f"{inbox}/none.eml", f"{inbox}/x.eml")
is_(E.EEXIST, "RENAME_NOREPLACE", rename2, f"{inbox}/named.eml", m2, 1)
is_(E.EINVAL, "RENAME_EXCHANGE", rename2, f"{inbox}/named.eml", m2, 2)
is_(0, "to another folder", os.rename, f"{inbox}/named.eml", f"{a}/Archive/named.eml")
is_(E.EPERM, "to the top", os.rename, f"{a}/Archive/named.eml", f"{a}/named.eml")
is_(E.EISDIR, "over a folder", os.rename, f"{a}/Archive/named.eml", inbox)
is_(E.ENOTDIR, "a folder over a message", os.rename, f"{a}/Sent", f"{a}/Archive/named.eml")
is_(E.EXDEV, "to another user", os.rename, f"{a}/Archive/named.eml", f"{b}/INBOX/named.eml")
is_(E.EXDEV, "a folder to another user", os.rename, f"{a}/Archive", f"{b}/Archive2")
is_(E.EPERM, "a user", os.rename, a, f"{top}/alicia")

# folders
is_(0, "mkdir", os.mkdir, f"{a}/F")
is_(E.EEXIST, "mkdir again", os.mkdir, f"{a}/F")
is_(E.EEXIST, "mkdir over INBOX in another spelling", os.mkdir, f"{a}/InBox")
is_(E.EILSEQ, "mkdir no UTF-8", os.mkdir, f"{a}/".encode() + b"\xfe")
is_(E.ENAMETOOLONG, "mkdir a long name", os.mkdir, f"{a}/{'x' * 256}")
is_(E.EINVAL, "mkdir *.eml", os.mkdir, f"{a}/x.eml")
is_(0, "mkdir below", os.mkdir, f"{a}/F/G")
write(f"{a}/F/G/x.eml")
is_(E.ENOTEMPTY, "rmdir with children", os.rmdir, f"{a}/F")
is_(E.ENOTEMPTY, "rmdir with messages", os.rmdir, f"{a}/F/G")
is_(E.ENOTDIR, "rmdir a message", os.rmdir, f"{a}/F/G/x.eml")
is_(E.EISDIR, "unlink a folder", os.unlink, f"{a}/F/G")
is_(E.EBUSY, "rmdir INBOX", os.rmdir, inbox)
is_(E.EBUSY, "rmdir Trash", os.rmdir, f"{a}/Trash")
is_(E.ENOENT, "rmdir nothing", os.rmdir, f"{a}/None")
is_(E.EBUSY, "rename INBOX", os.rename, inbox, f"{a}/In")
is_(E.EEXIST, "rename to INBOX in another spelling", os.rename, f"{a}/F", f"{a}/inbox")
os.mkdir(f"{a}/H")
write(f"{a}/H/y.eml")
is_(E.ENOTEMPTY, "rename over a folder with something in it", os.rename, f"{a}/F", f"{a}/H")
is_(0, "rename with subfolders", os.rename, f"{a}/F", f"{a}/I")
is_(0, "its message", os.stat, f"{a}/I/G/x.eml")
is_(E.EINVAL, "rename below itself", os.rename, f"{a}/I", f"{a}/I/G/J")
is_(E.EPERM, "mkdir a user", os.mkdir, f"{top}/dora")
is_(E.EPERM, "rmdir a user", os.rmdir, b)

# messages are immutable
for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND, os.O_RDONLY | os.O_TRUNC):
    is_(E.EPERM, f"open {flags:o}", os.open, m2, flags)
size = os.stat(m2).st_size
is_(E.EPERM, "truncate", os.truncate, m2, 0)
is_(E.EPERM, "utimens", os.utime, m2, (1, 1))
is_(E.EPERM, "utimens, now", os.utime, m2)
is_(0, "chmod", os.chmod, m2, 0o644)
is_(0, "chown to the same", os.chown, m2, os.stat(m2).st_uid, os.stat(m2).st_gid)
is_(E.EPERM, "chown to another", os.chown, m2, 65534, -1)
is_(E.EPERM, "chown of a folder", os.chown, inbox, 65534, -1)
is_(0, "chmod of a folder", os.chmod, inbox, 0o755)
is_(0, "utimens of a folder", os.utime, inbox)
if (stat.S_IMODE(os.stat(m2).st_mode), stat.S_IMODE(os.stat(inbox).st_mode), os.stat(m2).st_size) != (0o600, 0o700, size):
    wrong += 1; print("a mode was not ignored, or a size changed")

# link, symlink, mknod
is_(E.EPERM, "link", os.link, m2, f"{inbox}/l.eml")
is_(E.EPERM, "symlink", os.symlink, m2, f"{inbox}/l.eml")
is_(E.EPERM, "mkfifo", os.mkfifo, f"{inbox}/p.eml")
is_(E.EPERM, "mknod", os.mknod, f"{inbox}/n.eml")

# extended attributes
is_(0, "flags", os.setxattr, m2, "user.flags", b"seen $label")
if os.getxattr(m2, "user.flags") != b"seen $label":
    wrong += 1; print("the flags are not what was set")
is_(E.EINVAL, "an unknown flag", os.setxattr, m2, "user.flags", b"nonsense")
is_(E.EPERM, "a read-only name", os.setxattr, m2, "user.uid", b"1")
is_(E.EPERM, "a name of nobody's", os.setxattr, m2, "user.nothing", b"1")
is_(E.EOPNOTSUPP, "another namespace", os.setxattr, m2, "trusted.x", b"1")
is_(E.EOPNOTSUPP, "another namespace, read", os.getxattr, m2, "security.selinux")
is_(E.ENODATA, "a name that is not there", os.getxattr, m2, "user.nothing")
is_(E.EPERM, "remove", os.removexattr, m2, "user.flags")

# unlink: to Trash; who has it open reads on
with open(m2, "rb") as f:
    text = f.read(10)
    is_(0, "unlink", os.unlink, m2)
    f.seek(0)
    if f.read(10) != text:
        wrong += 1; print("who has it open reads something else")
is_(E.ENOENT, "unlink again", os.unlink, m2)
trash = listed(f"{a}/Trash")
for name in trash:
    is_(0, "unlink in Trash", os.unlink, f"{a}/Trash/{name}")
if len(trash) < 2 or listed(f"{a}/Trash"):
    wrong += 1; print(f"Trash had {trash}, and has {listed(f'{a}/Trash')}")
is_(E.EISDIR, "open a folder for writing", os.open, inbox, os.O_WRONLY)
is_(E.ENOTDIR, "a path through a message", os.stat, f"{a}/Archive/named.eml/x")
is_(E.ENOTDIR, "O_DIRECTORY on a message", os.open, f"{a}/Archive/named.eml", os.O_RDONLY | os.O_DIRECTORY)
sys.exit(wrong != 0)
PY
# A file that is open is a message of its own; rm=expunge expunges at once.
unmount_it
mount_it -o rm=expunge
check_ok rm "$mnt/mail/bob/INBOX/1.eml"
check_eq "" "$(ls "$mnt/mail/bob/INBOX" "$mnt/mail/bob/Trash" | grep eml)"
soon is_held alice 0
check_ok "$tool" "$store" check alice

# Many readers of attributes take no session, and ls -l asks for them twice, not per file.
unmount_it
if command -v strace >/dev/null; then
	"$tool" "$store" gen bob INBOX 1000 1000
	mount_it
	ls "$mnt/mail/bob/INBOX" >/dev/null
	strace -f -qq -e trace=read -e read=none -p "$fs_pid" -o "$work/strace" 2>/dev/null & st=$!; helpers+=("$st")
	sleep 0.5
	: >"$work/strace"
	check_eq 1000 "$(ls -l "$mnt/mail/bob/INBOX" | grep -c eml)"
	sleep 0.3; kill $st; { wait $st; } 2>/dev/null
	requests=$(grep -c 'read(' "$work/strace")
	[ "$requests" -lt 100 ] || fail "ls -l of 1,000 messages asked $requests times"
fi
