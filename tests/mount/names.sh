#!/bin/bash
# Names of folders and messages that are none of a file system's choice.
. "$(dirname "$0")/lib.sh"
for f in 'A.B' '.hidden' 'mail.eml' '100%' 'x%41' 'two words' $'R\xc3\xa9sum\xc3\xa9' 'Deep/er/est'; do
	echo 'Subject: x' | "$tool" "$store" add alice "$f" >/dev/null
done
printf 'From: "../../etc/passwd" <..%%2f@x>\nSubject: a/b \xe2\x80\xae \x01 "quoted" -- .eml\n\nx\n' | "$tool" "$store" add alice Odd >/dev/null
printf 'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_=E2=9C=93?=\nFrom: =?utf-8?q?J=C3=BCrgen?= <juergen@x.y>\n\nx\n' | "$tool" "$store" add alice Odd >/dev/null
mount_it
a=$mnt/mail/alice
check_eq "%2Ehidden 100% A.B Deep R"$'\xc3\xa9'"sum"$'\xc3\xa9'" mail%2Eeml x%2541" \
    "$(LC_ALL=C ls -A "$a" | grep -vE 'Archive|Drafts|INBOX|Junk|Odd|Sent|Trash|two' | LC_ALL=C sort | xargs -d '\n')"
for f in 'A.B' '%2Ehidden' 'mail%2Eeml' '100%' 'x%2541' 'two words' $'R\xc3\xa9sum\xc3\xa9' $'Re\xcc\x81sume\xcc\x81' 'Deep/er/est'; do
	check_eq 1 "$(count "$a/$f")"
done
# The way down to a folder is there, though IMAP made no folders of it.
check_eq er "$(ls "$a/Deep")"
check_eq 2 "$(count "$a/Odd")"
check_eq 0 "$(ls "$a/Odd" | LC_ALL=C grep -c $'[\x01-\x1f"]')"
check_has "juergen.Gr"$'\xc3\xbc\xc3\x9f'"e" "$(ls "$a/Odd")"
check_eq 2 "$(cat "$a"/Odd/*.eml | grep -c '^Subject')"
# Made here, and read by the store under its own name.  (Who asks the mount behind a close waits for the message,
# who asks the store has to let the mount finish.)
check_ok mkdir "$a/%2Edot" "$a/Sub" "$a/Sub/A.B"
check_ok cp /etc/passwd "$a/%2Edot/p.eml"
check_eq 1 "$(count "$a/%2Edot")"
check_eq 1 "$("$tool" "$store" ls alice .dot | wc -l)"
check_ok cp /etc/passwd "$a/Sub/A.B/p.eml"
check_eq 1 "$(count "$a/Sub/A.B")"
check_eq 1 "$("$tool" "$store" ls alice Sub/A.B | wc -l)"
check_fails "Invalid argument" mkdir "$a/.dot2"
# A whole tree, there and back.
check_ok cp -r "$a" "$work/copy"
check_eq 0 "$(diff -r "$a" "$work/copy" | wc -l)"
soon is_held alice 0
