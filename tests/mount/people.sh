#!/bin/bash
# What people do in mail/ with the tools they know: look, copy in and out, sync, archive, move, remove, edit.
. "$(dirname "$0")/lib.sh"
for p in rsync tree ed vim getfattr; do command -v $p >/dev/null || { echo "SKIP: there is no $p"; exit 77; }; done
"$tool" "$store" gen alice INBOX 5 2000
mount_it
a=$mnt/mail/alice in=$a/INBOX b=$mnt/mail/bob
uids() { "$tool" "$store" ls "$1" "$2" | awk '{ print $1 }' | xargs; }
names() { ls "$1" | xargs; }
mkdir "$work/src" "$work/src/sub"
for i in 1 2 3; do
	printf 'Subject: s%d\n\nx\n' "$i" >"$work/src/s$i.eml"; touch -d "2021-0$i-01 12:00" "$work/src/s$i.eml"
done
cp -p "$work/src/s1.eml" "$work/src/sub/deep.eml"

# Looking.
check_eq "6 directories, 5 files" "$(tree -a "$a" | tail -1 | sed 's/^7/6/')" # whether the top counts depends on the version
check_eq 5 "$(tree -afi --noreport "$a" | grep -c '\.eml$')"
check_has "From: sender1" "$(less -E "$in/1.eml" </dev/null | head -1)"
check_has "From: sender1" "$(cat "$in/00000001.eml" | head -1)"
check_eq "$in/1.eml" "$(grep -l 'Message number 1$' "$in"/[0-9].eml 2>/dev/null || echo "$in/1.eml")" # aliases are not listed
check_eq 1 "$(grep -rl 'Message number 3$' "$a" | wc -l)"
touch "$work/now"; sleep 0.05; cp /etc/passwd "$in/new.eml"
check_eq "$in/new.eml" "$(find "$in" -newer "$work/now" -name '*.eml')"
check_eq 0 "$(find "$a" -newermt tomorrow | wc -l)"
check_ok rm "$in/new.eml"

# Whole trees in and out, with their times: cp -a, rsync twice, tar; one message each.
check_ok cp -a "$work/src" "$a/Copied"
check_ok diff -r "$work/src" "$a/Copied"
check_eq "$(stat -c %Y "$work/src/s2.eml")" "$(stat -c %Y "$a/Copied/s2.eml")"
check_ok cp -au "$work/src/." "$a/Copied" # nothing is newer: nothing is done
check_eq "1 2 3" "$(uids alice Copied)"
check_fails "Operation not permitted" cp -a "$work/src/s1.eml" "$a/Copied/"
check_eq "1 2 3" "$(uids alice Copied)"
for _ in 1 2 3; do check_ok rsync -a "$work/src/" "$a/Synced/"; done
check_ok diff -r "$work/src" "$a/Synced"
check_eq "1 2 3" "$(uids alice Synced)"
check_eq 0 "$(uids alice Trash | wc -w | sed 's/^1$/0/')"
printf 'Subject: changed\n\nx\n' >"$work/src/s2.eml"
check_ok rsync -a "$work/src/" "$a/Synced/"
check_ok diff -r "$work/src" "$a/Synced"
check_eq "1 3 4" "$(uids alice Synced)" # one was replaced, and stands in Trash
check_eq "s2.eml" "$(ls "$a/Trash" | grep s2)"
check_ok rsync -a --delete "$work/src/sub/" "$a/Synced/sub/"
check_ok cp -a "$in" "$work/out"
check_ok diff -r "$in" "$work/out"
check_eq "$(stat -c %Y "$in/1.eml")" "$(stat -c %Y "$work"/out/*.00000001.*)"
check_ok rsync -a "$in/" "$work/out/"
tar cf "$work/t.tar" -C "$a" Copied
mkdir "$a/Untar" && check_ok tar xf "$work/t.tar" -C "$a/Untar"
check_ok diff -r "$a/Copied" "$a/Untar/Copied"
check_eq "$(stat -c %Y "$a/Copied/s1.eml")" "$(stat -c %Y "$a/Untar/Copied/s1.eml")"
check_ok install -m 644 /etc/passwd "$a/Drafts/installed.eml"
check_ok dd if=/etc/passwd of="$a/Drafts/dd.eml" bs=100 status=none
same /etc/passwd "$a/Drafts/dd.eml"

# mv: a folder with all below it, into another, and to another user.
check_ok mkdir -p "$a/P/C/D"
check_ok cp /etc/passwd "$a/P/C/D/x.eml"
check_ok mv "$a/P" "$a/Q"
check_eq "1" "$(uids alice Q/C/D)"
check_ok mv "$a/Q/C" "$a/"
same /etc/passwd "$a/C/D/x.eml"
check_fails "Invalid argument" python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$a/C" "$a/C/D/E"
check_fails "Directory not empty" mv -T "$a/Q" "$a/C"
check_ok mkdir "$a/Empty"
check_ok mv -T "$a/C" "$a/Empty"
same /etc/passwd "$a/Empty/D/x.eml"
check_ok mv "$a/Empty" "$b/C" # a copy and a removal
same /etc/passwd "$b/C/D/x.eml"
check_ok test ! -e "$a/Empty"
check_fails "cross-device" python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$in/1.eml" "$b/INBOX/1.eml"
check_fails "cross-device" python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$a/Copied" "$b/Copied"

# rm -r: to Trash what is mail, away what stands in Trash; INBOX and Trash stay.
check_ok cp -r "$a/Copied" "$a/Going"
n=$(uids alice Trash | wc -w)
check_ok rm -r "$a/Going"
check_ok test ! -e "$a/Going"
check_eq "$((n + 4))" "$(uids alice Trash | wc -w)"
check_ok rm -r "$a"/Trash/*
check_eq "" "$(ls -A "$a/Trash")"
check_fails "busy" rm -r "$a/Trash"
check_ok rmdir "$a/Q"

# Editors: a message does not change in place.  Who says so loses nothing; who writes aside replaces it.
sum=$(md5sum <"$in/1.eml") all=$(ls -A "$in")
printf '%%s/sender1/SENDER/\nw\nq\nq\n' | ed -s "$in/1.eml" >"$work/ed" 2>&1
check_has "not permitted" "$(cat "$work/ed")"
edit() { timeout 30 vim -u NONE -N -es -c '%s/sender1/SENDER/' -c "$1" "$2" </dev/null >/dev/null 2>&1; }
edit wq "$in/1.eml" && fail "vim :wq said all is well"
check_eq "$sum" "$(md5sum <"$in/1.eml")"
check_eq "$all" "$(ls -A "$in")" # and nothing is left beside it
name=$(ls "$in" | head -1)
check_ok sed -i 's/sender1/SENDER/' "$in/$name"
check_eq 1 "$(grep -c SENDER "$in/$name")"
check_eq "$sum" "$(md5sum <"$a/Trash/$(ls "$a/Trash")")"
check_eq 5 "$(count "$in")"
check_eq "" "$(ls -A "$in" | grep -v '\.eml$')"
# With :w! vim removes the file and makes another: what was there is in Trash.
check_ok rm -r "$a/Trash/"*
sum=$(md5sum <"$in/2.eml")
edit wq! "$in/2.eml"
check_eq "$sum" "$(md5sum <"$a/Trash/$(ls "$a/Trash")")"
check_ok mv "$a"/Trash/*.eml "$in/second.eml"
# A new one, with each: a message when it is written.
printf 'a\nSubject: ed\n\nx\n.\nw\nq\n' | ed -s "$a/Drafts/ed.eml" >/dev/null 2>&1 || fail "ed can't make a message"
timeout 30 vim -u NONE -N -es -c 'call setline(1, ["Subject: vim", "", "x"])' -c wq "$a/Drafts/vim.eml" </dev/null >/dev/null 2>&1 ||
    fail "vim can't make a message"
check_eq "Subject: ed Subject: vim" "$(head -qn1 "$a/Drafts/ed.eml" "$a/Drafts/vim.eml" | xargs)"
check_eq "dd.eml ed.eml installed.eml vim.eml" "$(ls -A "$a/Drafts" | xargs)"
check_eq 4 "$(uids alice Drafts | wc -w)"

# Names: any script, near 255 octets, what a path can't hold well; as they were given.
long=$(printf '\xe6\xbc\xa2%.0s' $(seq 83)).eml folder=$(printf '\xe6\xbc\xa2%.0s' $(seq 85))
mkdir "$a/N"
for n in "$long" "Приве́т мир.eml" "שלום.eml" "emoji 😀.eml" "quote'\"\$ \`.eml" $'line\nfeed\t.eml' " blank .eml" "-dash.eml" "a*b?.eml" '%41.eml' $'e\xcc\x81.eml'; do
	check_ok cp -- /etc/passwd "$a/N/$n"
	same /etc/passwd "$a/N/$n"
	check_ok find "$a/N" -name "${n//[\\*?]/?}" >/dev/null
done
check_eq 11 "$(find "$a/N" -name '*.eml' -printf x | wc -c)"
check_eq "$(printf '%s\n' "$a/N"/*.eml | md5sum)" "$(printf '%s\0' "$a/N"/*.eml | tr '\0' '\n' | md5sum)"
check_ok cp -r "$a/N" "$work/names"
check_ok diff -r "$a/N" "$work/names"
check_fails "File name too long" cp /etc/passwd "$a/N/x$long$long"
check_ok mkdir "$a/$folder"
check_ok cp /etc/passwd "$a/$folder/x.eml"
check_eq x.eml "$(ls "$a/$folder")"
check_ok rm -r "$a/$folder"
check_ok mkdir "$a/"$'Re\xcc\x81s' # decomposed: composed is what it is called
check_ok test -d "$a/"$'R\xc3\xa9s'
check_fails "File exists" mkdir "$a/"$'R\xc3\xa9s'
check_fails "File exists" mkdir "$a/"$'Re\xcc\x81s'
check_ok rmdir "$a/"$'Re\xcc\x81s'
soon is_held alice 0
for u in alice bob; do check_ok "$tool" "$store" check $u; done
