#!/bin/bash
# What is written becomes mail: one close, one message; rm goes to Trash, mv moves; and each refusal has its errno.
. "$(dirname "$0")/lib.sh"
mount_it
a=$mnt/mail/alice in=$mnt/mail/alice/INBOX
printf 'From: x@y.z\nSubject: one\n\nbody\n' >"$work/one"
printf 'Subject: crlf\r\n\r\nbody\r\n' >"$work/crlf"
messages() { "$tool" "$store" ls "$1" "$2" | wc -l; }

# A file that is closed is a message, under the name it was given, with the bytes it was given.
check_ok cp "$work/one" "$in/one.eml"
same "$work/one" "$in/one.eml"
check_eq one.eml "$(ls "$in")"
check_ok cp "$work/crlf" "$in/crlf.eml"
same "$work/crlf" "$in/crlf.eml"
check_eq 2 "$(messages alice INBOX)"
cat "$work/one" >"$in/cat.eml"
same "$work/one" "$in/cat.eml"
{ cat "$work/one"; cat "$work/one"; } >"$in/two.eml"
same <(cat "$work/one" "$work/one") "$in/two.eml"
check_eq 4 "$(messages alice INBOX)"
head -c 3000000 /dev/urandom >"$work/big"
check_ok cp "$work/big" "$in/big.eml"
same "$work/big" "$in/big.eml"
check_eq 5 "$(messages alice INBOX)"

# A file that stays empty is no message, and no error.
check_ok touch "$in/empty.eml"
check_eq 5 "$(messages alice INBOX)"
check_ok test ! -e "$in/empty.eml"

# The time a file is given before it is closed is the INTERNALDATE; and copies twice are one message.
touch -d '2020-02-03 04:05:06Z' "$work/one"
check_ok cp -p "$work/one" "$a/Archive/dated.eml"
check_eq "2020-02-03 04:05:06" "$(TZ=UTC stat -c %y "$a/Archive/dated.eml" | cut -c1-19)"
if command -v rsync >/dev/null; then
	mkdir "$work/tree"; cp -p "$work/one" "$work/tree/r1.eml"; cp -p "$work/crlf" "$work/tree/r2.eml"
	check_ok rsync -rt "$work/tree/" "$a/Drafts/"
	check_eq 2 "$(messages alice Drafts)"
	check_ok rsync -rt "$work/tree/" "$a/Drafts/"
	check_eq 2 "$(messages alice Drafts)"
	same "$work/tree/r2.eml" "$a/Drafts/r2.eml"
	check_eq "r1.eml r2.eml" "$(ls -A "$a/Drafts" | xargs)"
fi

# Messages are immutable; names say what may become one.
check_fails "Operation not permitted" bash -c "echo more >>'$in/one.eml'"
check_fails "Operation not permitted" bash -c "echo new >'$in/one.eml'"
check_fails "Operation not permitted" truncate -s 0 "$in/one.eml"
check_fails "Invalid argument" bash -c "echo x >'$in/x'"
check_fails "Operation not permitted" bash -c "echo x >'$a/x.eml'"
check_fails "Invalid or incomplete" bash -c "echo x >'$in/"$'\xff'".eml'"
check_fails "File name too long" bash -c "echo x >'$in/$(printf 'a%.0s' $(seq 260)).eml'"
check_fails "Operation not permitted" ln "$in/one.eml" "$in/hard.eml"
check_fails "Operation not permitted" ln -s one.eml "$in/soft.eml"
check_fails "Operation not permitted" mkfifo "$in/fifo.eml"
check_fails "Operation not permitted" chown 65534 "$in/one.eml"
check_ok chmod 644 "$in/one.eml"
same "$work/one" "$in/one.eml"
check_has "create-refused user=alice file=x" "$(cat "$mnt/sys/log")"

# sed -i and scratch: written aside, then put in place. The old message is in Trash.
check_ok sed -i 's/one/ONE/' "$in/one.eml"
check_eq "Subject: ONE" "$(sed -n 2p "$in/one.eml")"
check_eq 5 "$(messages alice INBOX)"
check_eq 1 "$(messages alice Trash)"
echo scratch >"$in/.s.tmp"
check_eq scratch "$(cat "$in/.s.tmp")"
check_eq 5 "$(messages alice INBOX)"
check_ok mv "$in/.s.tmp" "$in/s.eml"
check_eq scratch "$(cat "$in/s.eml")"
check_eq 6 "$(messages alice INBOX)"
echo scratch >"$in/.t.tmp"; check_ok rm "$in/.t.tmp"

# Scratch costs the mount memory until it is removed, so there is an end of it; mail is written on.
scratch_max=$mnt/sys/registry/HKEY_LOCAL_MACHINE/SOFTWARE/Postern/Mount/ScratchFiles
echo 10 >"$scratch_max"
for i in $(seq 10); do check_ok touch "$a/Junk/.s$i"; done
check_fails "Disk quota exceeded" touch "$a/Junk/.s11"
check_fails "Disk quota exceeded" bash -c "exec 9>'$a/Junk/open.eml'; mv '$a/Junk/open.eml' '$a/Junk/.s11'"
check_ok cp "$work/one" "$a/Junk/full.eml"
check_ok rm "$a/Junk/.s1"
check_ok touch "$a/Junk/.s11"
rm "$a"/Junk/.s* "$a/Junk/full.eml" "$scratch_max"
check_eq "" "$(ls -A "$in" | grep '^\.')"

# mv: a name, another folder, another user (which is a copy and a removal).
check_ok mv "$in/s.eml" "$in/renamed.eml"
check_eq scratch "$(cat "$in/renamed.eml")"
check_ok mv "$in/renamed.eml" "$a/Archive/moved.eml"
check_eq scratch "$(cat "$a/Archive/moved.eml")"
check_eq "5 2" "$(messages alice INBOX) $(messages alice Archive)"
check_fails "" test -e "$in/renamed.eml"
check_ok mv "$a/Archive/moved.eml" "$mnt/mail/bob/INBOX/"
check_eq scratch "$(cat "$mnt/mail/bob/INBOX/moved.eml")"
check_eq "1 1" "$(messages bob INBOX) $(messages alice Archive)"
check_fails "Invalid argument" python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$in/cat.eml" "$in/cat.txt"
check_ok mv -n "$in/cat.eml" "$in/two.eml"
check_ok test -e "$in/cat.eml"
check_ok mv "$in/cat.eml" "$in/two.eml"
same "$work/one" "$in/two.eml"
check_eq 4 "$(messages alice INBOX)"

# rm: to Trash, and in Trash away.
n=$(messages alice Trash)
check_ok rm "$in/two.eml"
check_eq "$((n + 1))" "$(messages alice Trash)"
check_ok rm "$a"/Trash/*.eml
check_eq 0 "$(messages alice Trash)"

# Folders.
check_ok mkdir "$a/Work" "$a/Work/2026"
check_fails "File exists" mkdir "$a/Work"
check_fails "File exists" mkdir "$a/inbox"
check_fails "Invalid argument" mkdir "$a/x.eml"
check_fails "Invalid or incomplete" mkdir "$a/"$'\xff'
check_fails "File name too long" mkdir "$a/$(printf 'a%.0s' $(seq 300))"
check_fails "not empty" rmdir "$a/Work"
check_fails "busy" rmdir "$a/INBOX"
check_fails "busy" rmdir "$a/Trash"
check_fails "busy" mv "$a/INBOX" "$a/Other"
check_ok cp "$work/one" "$a/Work/2026/w.eml"
check_fails "not empty" rmdir "$a/Work/2026"
check_ok mv "$a/Work" "$a/Job"
same "$work/one" "$a/Job/2026/w.eml"
check_eq 1 "$(messages alice Job/2026)"
check_ok rm "$a/Job/2026/w.eml"
check_ok rmdir "$a/Job/2026" "$a/Job"
check_fails "No such file" ls "$a/Job"
check_fails "Operation not permitted" rmdir "$mnt/mail/bob"
check_fails "Operation not permitted" mkdir "$mnt/mail/carol"

# Flags are an attribute.
if command -v setfattr >/dev/null; then
	f=$in/one.eml
	check_ok setfattr -n user.flags -v 'seen flagged $label' "$f"
	check_eq 'seen flagged $label' "$(getfattr --only-values -n user.flags "$f" 2>/dev/null)"
	check_fails "Invalid argument" setfattr -n user.flags -v nonsense "$f"
	check_fails "Operation not permitted" setfattr -n user.uid -v 1 "$f"
	check_fails "Operation not supported" setfattr -n trusted.x -v 1 "$f"
	check_ok cp -a "$f" "$mnt/mail/bob/INBOX/flagged.eml"
	check_eq 'seen flagged $label' "$(getfattr --only-values -n user.flags "$mnt/mail/bob/INBOX/flagged.eml" 2>/dev/null)"
	check_has user.uidvalidity "$(getfattr "$f" 2>/dev/null)"
fi

# Whoever holds a message open goes on reading it when it is gone.
exec 9<"$in/big.eml"
check_ok rm "$in/big.eml" "$a"/Trash/*.eml
cmp -s "$work/big" - <&9 || fail "a message that is gone reads differently"
exec 9<&-
soon is_held alice 0
check_ok "$tool" "$store" check alice
check_ok "$tool" "$store" check bob
