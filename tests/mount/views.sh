#!/bin/bash
# Mail found again: links into mail/, live, for whatever is asked; searches that are kept; nothing is changed here.
. "$(dirname "$0")/lib.sh"
add() { # FOLDER SUBJECT [FIELD...]
	local folder=$1 subject=$2; shift 2
	{ printf 'From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: %s\n' "$subject"
	  for f; do printf '%s\n' "$f"; done; printf '\nbody of %s\n' "$subject"; } | "$tool" "$store" add alice "$folder" >/dev/null
}
add INBOX 'Report one' 'Message-ID: <one@x>'
add INBOX 'Holiday' 'Message-ID: <two@x>'
add INBOX 'Re: Report one' 'Message-ID: <three@x>' 'References: <one@x>'
add Work/Old 'Re: Report one' 'Message-ID: <four@x>' 'In-Reply-To: <three@x>'
add Trash 'Report in Trash' 'Message-ID: <five@x>'
"$tool" "$store" flag alice INBOX 2
mount_it
v=$mnt/view/alice
check_eq "flagged search thread unread" "$(ls "$v" | xargs)"

# Links that lead to the very messages, from whichever depth.
check_eq 3 "$(count "$v/unread")"
one=$(ls "$v/unread" | grep 'ann.Report_one')
check_eq "../../../mail/alice/INBOX/$one" "$(readlink "$v/unread/$one")"
same "$v/unread/$one" "$mnt/mail/alice/INBOX/1.eml"
check_eq "../../../../mail/alice/INBOX/$one" "$(readlink "$v/search/subject:report/$one")"
same "$v/search/subject:report/$one" "$mnt/mail/alice/INBOX/1.eml"
link=$(readlink "$v/unread/$one")
check_eq "${#link}" "$(stat -c %s "$v/unread/$one")"
check_eq "symbolic link" "$(stat -c %F "$v/unread/$one")"
check_eq 3 "$(grep -Rl '^Subject' "$v/unread" | wc -l)"
check_eq 0 "$(grep -rl '^Subject' "$v/unread" | wc -l)"

# What can be asked; Trash where it is named.
asked() { check_eq "$1" "$(count "$v/search/$2")"; }
asked 3 'subject:report'
asked 1 'report holiday or is:read'
asked 1 'is:read'
asked 3 '-is:read'
asked 3 'subject:report -subject:holiday'
asked 4 'in:* subject:report'
asked 1 'in:Trash report'
asked 1 'in:Work'
asked 2 '-in:Work subject:report'
asked 0 'in:Nowhere'
asked 2 'subject:"Re: Report"'
asked 1 'id:<three@x>'
asked 1 '(subject:holiday or subject:nothing) not from:bob'
asked 4 'newer:1d'
asked 0 'older:1d'
asked 0 'before:2001'
asked 4 'since:2001-01-01'
asked 4 'smaller:1M'
asked 0 'header:x-spam'
asked 4 'header:to=BOB'
asked 0 'a%2Fb'
for bad in 'from:' 'no:such' '(open' 'close)' 'or' 'a or' 'since:2001-13-40' 'is:blue' '"open' 'larger:x' '(in:INBOX)'; do
	check_fails "Invalid argument" ls "$v/search/$bad"
done
check_has 'query-refused user=alice query=no:such at=0 text="no such key' "$(cat "$mnt/sys/log")"

# Threads, by any of their messages; over folders.
for id in one@x three@x four@x '<one@x>'; do check_eq 3 "$(count "$v/thread/$id")"; done
check_eq 1 "$(count "$v/thread/two@x")"
check_eq 0 "$(count "$v/thread/nothing@x")"
check_eq 0 "$(count "$v/thread")"
attr() { getfattr --absolute-names --only-values -n "user.$1" "$mnt/mail/alice/$2" 2>&1; }
check_eq one@x "$(attr thread INBOX/3.eml)"
check_eq three@x "$(attr messageid INBOX/3.eml)"
check_eq three@x "$(attr thread Work/Old/1.eml)"
check_eq "Re: Report one" "$(attr subject INBOX/3.eml)"
check_eq "Ann <ann@example.org>" "$(attr from INBOX/3.eml)"
check_eq 3 "$(count "$v/thread/$(attr thread INBOX/3.eml)")"
check_eq "user.flags user.from user.internaldate user.messageid user.modseq user.subject user.thread user.uid user.uidvalidity" \
    "$(getfattr -m - "$mnt/mail/alice/INBOX/3.eml" 2>/dev/null | grep ^user | sort | xargs)"

# Live: the next ls shows what the store has.
"$tool" "$store" flag alice INBOX 1
check_eq 2 "$(count "$v/unread")"
check_fails "No such file" cat "$v/unread/$one"
add INBOX 'Report two'
check_eq 3 "$(count "$v/unread")"
asked 4 'subject:report'
check_ok setfattr -n user.flags -v 'flagged' "$mnt/mail/alice/INBOX/2.eml"
check_eq 1 "$(count "$v/flagged")"
check_eq 4 "$(count "$v/unread")"
check_ok cp "$mnt/mail/alice/INBOX/1.eml" "$mnt/mail/alice/Archive/given.eml"
check_eq 5 "$(count "$v/unread")"
check_ok cp "$mnt/mail/alice/INBOX/2.eml" "$mnt/mail/alice/Sent/given.eml"
check_eq "given.eml given~2.eml" "$(ls "$v/unread" | grep given | xargs)"
check_eq 2 "$(cat "$v"/unread/given*.eml | grep -c ^Subject)"
check_ok mv "$mnt/mail/alice/Sent/given.eml" "$mnt/mail/alice/Sent/renamed.eml"
check_eq "given.eml renamed.eml" "$(ls "$v/unread" | grep -E 'given|renamed' | xargs)"

# One state for who lists: what comes meanwhile is seen by the next.
check_ok python3 - "$v/unread" "$tool" "$store" <<'PY'
import os, subprocess, sys
directory = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
before = sorted(os.listdir(directory))
subprocess.run([sys.argv[2], sys.argv[3], "flag", "alice", "INBOX", "3"], check=True)
sys.exit(sorted(os.listdir(directory)) != before or len(os.listdir(sys.argv[1])) != len(before) - 1)
PY

# Kept by mkdir, forgotten by rmdir; that is all that is made here.
check_eq "" "$(ls "$v/search")"
check_ok mkdir "$v/search/from:ann is:unread" "$v/search/a%2Fb"
check_fails "File exists" mkdir "$v/search/a%2Fb"
check_eq "a%2Fb from:ann is:unread" "$(ls "$v/search" | xargs)"
check_fails "Invalid argument" mkdir "$v/search/from:"
check_ok rmdir "$v/search/a%2Fb"
check_fails "No such file" rmdir "$v/search/a%2Fb"
check_eq 1 "$(count "$v/search/is:flagged subject:holiday")"
check_ok mkdir "$v/search/is:flagged subject:holiday"
check_ok rmdir "$v/search/is:flagged subject:holiday"
check_eq 1 "$(count "$v/search/is:flagged subject:holiday")"
check_ok touch "$v/search/holiday"
unmount_it
mount_it
check_eq "from:ann is:unread holiday" "$(ls "$v/search" | xargs)"
check_ok rmdir "$v/search/holiday"
any=$(ls "$v/unread" | head -n 1)
for verb in "rm" "mv -t $work" "truncate -s 0"; do
	check_fails "" $verb "$v/unread/../unread/nothing"
done
check_fails "Read-only file system" rm "$v/unread/$any"
check_fails "Read-only file system" mv "$v/unread/$any" "$v/unread/x.eml"
check_fails "Read-only file system" mkdir "$v/thread/x" "$v/new"
check_fails "Read-only file system" touch "$v/unread/x.eml"
check_fails "Read-only file system" rmdir "$v/unread"

# Names and links take no place, an open directory one.
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 1
soon is_held alice 0
exec 9<"$v/unread"
check_eq 1 "$(held alice)"
check_fails "Too many users" ls "$v/unread"
check_has .eml "$(readlink "$v/unread/$any")"
check_ok test -L "$v/unread/$any"
check_ok test -d "$v/search/anything"
check_fails "Too many users" cat "$v/unread/$any"
exec 9<&-
soon is_held alice 0
