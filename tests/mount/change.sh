#!/bin/bash
# What another process does to the mailbox is there at the next ls and cat, whatever the kernel has cached.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 10 2000
mount_it
in=$mnt/mail/alice/INBOX
check_eq 10 "$(count "$in")"
check_eq 10 "$(ls -l "$in" | grep -c eml)"

# No waiting: ls compares when it opens.
for i in $(seq 11 30); do
	printf 'Subject: new %d\n\nx\n' "$i" | "$tool" "$store" add alice INBOX >/dev/null
	check_eq "$i" "$(count "$in")"
	check_eq "Subject: new $i" "$(head -1 "$in"/*.000000$i.*)"
done
for i in $(seq 1 5); do
	name=$(ls "$in" | grep "\.0000000$i\.")
	stat "$in/$name" >/dev/null
	"$tool" "$store" rm alice INBOX "$i" >/dev/null
	check_fails "No such file" cat "$in/$name"
	check_eq $((30 - i)) "$(count "$in")"
done

# stat of what the kernel has cached is told, a little later.
name=$(ls "$in" | grep "\.00000006\.")
was=$(stat -c %Z "$in/$name")
gone() { ! stat "$1" >/dev/null 2>&1; }
changed() { [ "$(stat -c %Z "$1")" != "$2" ]; }
"$tool" "$store" flag alice INBOX 6
soon changed "$in/$name" "$was"
"$tool" "$store" rm alice INBOX 6 >/dev/null
soon gone "$in/$name"

# A folder that was made elsewhere.
check_fails "No such file" ls "$mnt/mail/alice/New"
echo 'Subject: x' | "$tool" "$store" add alice New >/dev/null
check_eq 1 "$(count "$mnt/mail/alice/New")"
check_has New "$(ls "$mnt/mail/alice")"

# Many at once, while somebody lists all the time: afterwards all are there.
"$tool" "$store" gen alice Flood 2000 1000 &
gen=$!
while kill -0 $gen 2>/dev/null; do ls -l "$mnt/mail/alice/Flood" >/dev/null 2>&1; done
wait $gen
check_eq 2000 "$(count "$mnt/mail/alice/Flood")"
check_eq 2000 "$(ls -l "$mnt/mail/alice/Flood" | grep -c eml)"

# A user who is added while the mount is up.
"$tool" "$store" user dora
check_has dora "$(ls "$mnt/mail")"
check_ok cp /etc/passwd "$mnt/mail/dora/INBOX/first.eml"
