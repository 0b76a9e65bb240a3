#!/bin/bash
# What another process changes: the next ls and cat have it, changes tells of it, watchers hear of it.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 5 2000
"$tool" "$store" gen bob INBOX 1 2000
mount_it
in=$mnt/mail/alice/INBOX

# At once, in a listing and a file that the kernel holds.
check_eq 5 "$(count "$in")"
"$tool" "$store" gen alice INBOX 1 2000
check_eq 6 "$(count "$in")"
check_ok grep -q "Message number 1" "$in/6.eml"
"$tool" "$store" rm alice INBOX 6 >/dev/null
check_eq 5 "$(count "$in")"
check_fails "No such file" cat "$in/6.eml"
check_ok stat "$in/5.eml" >/dev/null
named=$(echo "$in"/*.00000005.*)
check_ok "$tool" "$store" notice alice INBOX 5 "$named" 200

# A line for each change, from the open on; for all, or for one.
cat "$mnt/sys/changes" >"$work/all" & helpers+=($!)
cat "$mnt/sys/users/alice/changes" >"$work/hers" & hers=$!; helpers+=($hers)
lsof_changes() { [ "$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c "$mnt/sys.*/changes$")" -ge 2 ]; }
soon lsof_changes
"$tool" "$store" gen alice INBOX 1 2000
"$tool" "$store" flag alice INBOX 1
"$tool" "$store" gen bob INBOX 1 2000
check_ok mkdir "$mnt/mail/alice/New"
check_ok mv "$mnt/mail/alice/New" "$mnt/mail/alice/Newer"
check_ok mv "$named" "$in/a name.eml"
check_ok mv "$in/a name.eml" "$mnt/mail/alice/Newer/"
told() { grep -q "$2" "$work/$1"; }
soon told hers "gone mail/alice/INBOX/a name.eml$"
soon told all "new mail/bob/INBOX/00000002.eml$"
check_eq "new mail/alice/INBOX/20250303-100000.00000007.sender1.Message_number_1.eml" \
	"$(grep -o 'new mail/.*INBOX.*' "$work/hers" | head -1)"
check_eq 'flags "seen" mail/alice/INBOX/20250303-100000.00000001.sender1.Message_number_1.eml' \
	"$(grep -o 'flags .*' "$work/hers" | head -1)"
check_eq "folder-new mail/alice/New
folder-gone mail/alice/New
folder-new mail/alice/Newer" "$(grep -o 'folder-.*' "$work/hers")"
check_eq "named mail/alice/INBOX/a name.eml" "$(grep -o 'named .*' "$work/hers")"
check_eq 0 "$(grep -c bob "$work/hers")"
check_eq 0 "$(held alice)"

# Who waits can be interrupted; who must not wait is told so; poll says when.
kill $hers; wait $hers; check_eq 143 $?
python3 - "$mnt/sys/users/alice/changes" "$tool" "$store" <<'P' || fail "poll"
import os, select, subprocess, sys
path, tool, store = sys.argv[1:]
fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
try:
    os.read(fd, 100)
    sys.exit("read something")
except BlockingIOError:
    pass
epoll = select.epoll()
epoll.register(fd, select.EPOLLIN)
assert epoll.poll(0.05) == [], "readable before anything happened"
subprocess.run([tool, store, "flag", "alice", "INBOX", "2"], check=True)
assert epoll.poll(20) == [(fd, select.EPOLLIN)], "never readable"
assert b' flags "seen" mail/alice/INBOX/' in os.read(fd, 4096)
assert epoll.poll(0.05) == [], "readable after all was read"
poll = select.poll()
poll.register(os.open(path.replace("changes", "limits"), os.O_RDONLY), select.POLLIN)
assert poll.poll(0) != [], "a file that does not wait is not ready"
P
check_fails "Operation not permitted" bash -c "echo x >'$mnt/sys/changes'"

# inotify hears of mail that came from elsewhere, by its name; where the kernel knows the name, of the file.
watch() { # DIRECTORY FILE: watches in the background, and is ready
	stdbuf -oL inotifywait -m -e create,attrib --format "%e %f" "$1" >"$2" 2>"$2.err" & helpers+=($!)
	soon grep -q established "$2.err"
}
watch "$in" "$work/heard"
heard() { grep -qx "$1" "$work/heard"; }
"$tool" "$store" gen alice INBOX 1 2000
soon heard "CREATE 20250303-100000.00000008.sender1.Message_number_1.eml"
soon heard "ATTRIB 20250303-100000.00000008.sender1.Message_number_1.eml"
# In the Maildir too, where mutt waits for it.
new=$mnt/maildir/alice/new
ls "$new" >/dev/null
watch "$new" "$work/heard-new"
heard_new() { grep -q "^$1 " "$work/heard-new"; }
"$tool" "$store" gen alice Other 1 2000
"$tool" "$store" gen alice INBOX 1 2000
soon heard_new CREATE
soon heard_new ATTRIB
check_eq "CREATE $(ls "$new" | grep '\.9\.')" "$(grep CREATE "$work/heard-new" | tail -1)"
# A burst rings at most once a second, and the last of it does.
for _ in 1 2 3 4 5 6; do "$tool" "$store" gen alice INBOX 1 2000; done
soon heard "CREATE 20250303-100000.00000015.sender1.Message_number_1.eml"
[ "$(grep -c CREATE "$work/heard")" -le 7 ] || fail "rang for each: $(cat "$work/heard")"
check_eq 13 "$(count "$in")"
check_eq 0 "$(held alice)"
unmount_it

# Without the bell they hear nothing.
mount_it -o bell=off
ls "$in" >/dev/null
watch "$in" "$work/silent"
"$tool" "$store" gen alice INBOX 1 2000
check_eq 14 "$(count "$in")"
sleep 0.3
check_eq 0 "$(grep -c CREATE "$work/silent")"
