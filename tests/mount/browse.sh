#!/bin/bash
# What is there is shown, true in name, size and bytes; and looking takes no place that it does not give back.
. "$(dirname "$0")/lib.sh"

# Wire mail, known to the byte: CRLF is served as LF; mixed line ends as they came.
printf 'From: a@b.c\r\nSubject: Wire mail\r\n\r\nbody\r\n' >"$work/wire"
printf 'From: a@b.c\nSubject: Mixed\r\n\r\nb\r\r\nx\n\ry' >"$work/mixed"
printf 'no header, no line end' >"$work/bare"
"$tool" "$store" add alice INBOX <"$work/wire" >/dev/null
"$tool" "$store" add alice INBOX <"$work/mixed" >/dev/null
"$tool" "$store" add alice INBOX <"$work/bare" >/dev/null
{ printf 'Subject: big\r\n\r\n'; seq -f 'line %.0f of a message of some megabytes' 100000 | sed 's/$/\r/'; } >"$work/big"
"$tool" "$store" add alice Big <"$work/big" >/dev/null
"$tool" "$store" gen alice Many 1200 2000
mount_it

check_eq "mail maildir parts sys view" "$(ls "$mnt" | xargs)"
check_eq "alice bob" "$(ls "$mnt/mail" | xargs)"
check_eq "Archive Big Drafts INBOX Junk Many Sent Trash" "$(ls "$mnt/mail/alice" | xargs)"
in=$mnt/mail/alice/INBOX
check_eq 3 "$(count "$in")"
name=$(ls "$in" | sed -n 1p)
check_has .00000001. "$name"
check_has Wire_mail.eml "$name"

tr -d '\r' <"$work/wire" >"$work/wire.lf"
same "$work/wire.lf" "$in/$name"
same "$work/mixed" "$in/2.eml"
same "$work/bare" "$in/00000003.eml"
check_eq "$(stat -c %s "$work/wire.lf")" "$(stat -c %s "$in/1.eml")"
check_eq "$(stat -c %s "$work/mixed")" "$(stat -c %s "$in/2.eml")"
tr -d '\r' <"$work/big" >"$work/big.lf"
big=$(echo "$mnt"/mail/alice/Big/*.eml)
same "$work/big.lf" "$big"
check_eq "$(stat -c %s "$work/big.lf")" "$(stat -c %s "$big")"
# Anywhere in a large one, without reading what stands before.
check_eq "$(tail -c +3000001 "$work/big.lf" | head -c 1000 | md5sum)" "$(tail -c +3000001 "$big" | head -c 1000 | md5sum)"

check_eq 1200 "$(count "$mnt/mail/alice/Many")"
check_eq 1200 "$(find "$mnt/mail/alice/Many" -name '*.eml' -size +0 | wc -l)"
check_eq 1200 "$(grep -rl 'Message number' "$mnt/mail/alice/Many" | wc -l)"
check_eq 1200 "$(tar c -C "$mnt/mail/alice" Many | tar t | grep -c eml)"
check_eq "drwx------ -rw-------" "$(stat -c %A "$in" "$in/1.eml" | xargs)"
check_eq "drwx--x--x" "$(stat -c %A "$mnt/mail")"
check_fails "No such file" cat "$in/4.eml"
check_fails "No such file" ls "$mnt/mail/nobody"
check_fails "No such file" ls "$mnt/mail/ALICE"
check_fails "Not a directory" ls "$in/1.eml/x"

# Inode numbers are the same at the next mount: rsync and find compare them.
ino=$(stat -c %i "$in/1.eml")
unmount_it
mount_it
check_eq "$ino" "$(stat -c %i "$in/1.eml")"
soon is_held alice 0

# Line ends as they came in, where that is asked for; and names that tell nothing.
unmount_it
mount_it -o eol=exact,names=uid
same "$work/wire" "$in/1.eml"
check_eq "" "$(ls "$in" | grep -v '^[0-9]\{8\}-[0-9]\{6\}\.[0-9]\{8\}\.eml$')"

# Another Unix account: stopped by the kernel, so that it takes no place.
if command -v setpriv >/dev/null; then
	check_fails "Permission denied" setpriv --reuid 65534 --clear-groups cat "$in/1.eml"
	check_fails "Permission denied" setpriv --reuid 65534 --clear-groups ls "$mnt/mail"
fi
