# postern import: what is mail, where it goes, that it stays what it is.
. "$(dirname "$0")/common.sh"
new_store alice
in=$work/in

count() { # USER FOLDER: its messages
	postern folder list "$1" --json | python3 -c '
import json, sys
print(next((f["messages"] for f in json.load(sys.stdin) if f["name"] == sys.argv[1]), "none"))' "$2"
}

# A Maildir with flags and odd octets, an mbox, .eml files in three line ends, and what is no mail.
mkdir -p "$in"/{cur,new,tmp} "$in/.Sent.2025/cur" "$in/plain/deep"
printf 'Subject: one\n\nbody\n' >"$in/cur/1000000001.a:2,FRS"
printf 'no header at all\000\377\r\r\n' >"$in/new/1000000002.b"
printf 'not delivered yet' >"$in/tmp/1000000003.c"
printf 'Subject: sent\n\n' >"$in/.Sent.2025/cur/1000000004.d:2,S"
touch -d @1000000001 "$in/cur/1000000001.a:2,FRS"
printf 'Subject: x\r\nDate: Mon, 3 Nov 2003 05:25:00 +0100\r\n\r\ncrlf\r\n' >"$in/plain/crlf.eml"
printf 'From me\nSubject: x\n\nmixed\r\nends' >"$in/plain/mixed.EML"
printf 'Received: from a\n\nno suffix\n' >"$in/plain/deep/letter"
printf 'From a Mon Nov  3 04:25:00 2003\nStatus: RO\nSubject: m1\n\n>From x\n\nFrom b Mon Nov  3 04:26:00 2003\nSubject: m2\n\n' >"$in/plain/box"
printf '# notes\n' >"$in/plain/notes.md"
: >"$in/plain/empty.eml"
ln -s ../../plain "$in/plain/deep/circle"
ln -s nowhere "$in/plain/deep/dangling"

exits 0 postern import alice "$in"
says "notes.md: skipped"
says "empty.eml"
says "circle: skipped"
says "dangling: skipped"
says "8 messages imported"
claim "all in INBOX" 8 "$(count alice INBOX)"
exits 0 postern export alice "$work/out1" --folder INBOX
printf 'Status: RO\nSubject: m1\n\nFrom x\n' >"$work/m1"
printf 'Subject: m2\n\n' >"$work/m2"
claim "byte for byte" \
	"$(octets "$in/cur" "$in/new" "$in/.Sent.2025" "$in/plain/crlf.eml" "$in/plain/mixed.EML" "$in/plain/deep/letter" "$work/m1" "$work/m2")" \
	"$(octets "$work/out1")"
claim "flags" 1 "$(find "$work/out1" -name '1000000001.*:2,FRS' | wc -l)"
claim "a Maildir file's time is its date" 1 "$(find "$work/out1" -name '1000000001.*' -newermt @1000000000 ! -newermt @1000000001 | wc -l)"
claim "Date: is an .eml's date" 1 "$(find "$work/out1" -name '1067833500.*:2,' | wc -l)"
claim "an mbox's From_ line is its date, Status its flags" 1 "$(find "$work/out1" -name '1067833500.*:2,S' | wc -l)"

printf 'x\n' | postern user add bob --password-stdin
exits 0 postern import bob --folder In --recursive-folders "$in"
claim "a Maildir++ subfolder" 1 "$(count bob In/Sent/2025)"
claim "a subfolder" 4 "$(count bob In/plain)"
claim "below it" 1 "$(count bob In/plain/deep)"
claim "the folder itself" 2 "$(count bob In)"
claim "INBOX untouched" 0 "$(count bob INBOX)"

# Round: everything of bob's, into another user's mailbox, where it was.
exits 0 postern export bob "$work/out2"
printf 'x\n' | postern user add carol --password-stdin
exits 0 postern import carol --folder / --recursive-folders "$work/out2"
claim "as before" "$(postern folder list bob | sort)" "$(postern folder list carol | sort)"

exits 0 postern import alice --folder One "$in/plain/crlf.eml" -q
claim "quiet is quiet" "" "$(cat "$work/err")"
claim "a folder is made" 1 "$(count alice One)"
exits 1 postern import alice "$work/nowhere"
says nowhere
exits 1 postern import dave "$in"
exits 1 postern import alice --folder 'a//b' "$in/plain/crlf.eml"
exits 64 postern import alice

# Too large is named, left out, and told; the rest goes in.
exits 0 postern settings store MessageSizeMax 2000
{ printf 'Subject: large\n\n'; head -c 3000 /dev/zero | tr '\0' x; } >"$work/large.eml"
exits 1 postern import alice --folder Two "$work/large.eml" "$in/plain/crlf.eml"
says "large.eml: a message is left out"
claim "the other one is in" 1 "$(count alice Two)"

# 1,200 messages: more than two batches.
mkdir "$work/many"
for i in $(seq 1200); do printf 'Subject: %d\n\n%d\n' "$i" "$i" >"$work/many/$i.eml"; done
exits 0 postern import alice --folder Many "$work/many"
claim "all of many" 1200 "$(count alice Many)"
exits 0 postern export alice "$work/out3" --folder Many
claim "each of many" "$(octets "$work/many")" "$(octets "$work/out3")"
finish
