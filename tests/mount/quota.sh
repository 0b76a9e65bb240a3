#!/bin/bash
# A user's quota is his disk: df shows it, and who goes over it is told before close(2) has said that all is well.
. "$(dirname "$0")/lib.sh"
quota() { "$build/ctl/postern" --store "$store" quota set "$@" >/dev/null || fail "quota set $*"; }
"$tool" "$store" gen alice INBOX 10 10000
mount_it
a=$mnt/mail/alice in=$mnt/mail/alice/INBOX
blocks() { stat -f -c "%S %b %a" "$1"; } # unit, all, left

# Without one it is the disk.
check_eq "$(stat -f -c %b "$store")" "$(stat -f -c %b "$in")"
quota alice --storage 200
check_eq "1024 200" "$(blocks "$in" | cut -d' ' -f1,2)"
check_eq "200" "$(df -k --output=size "$in" | tail -1 | xargs)"
used=$("$tool" "$store" ls alice INBOX | awk '{ n += $3 } END { print int(n / 1024) }')
check_eq "$((200 - used - 1))" "$(blocks "$in/1.eml" | cut -d' ' -f3)"
check_eq "$(stat -f -c %b "$store")" "$(stat -f -c %b "$mnt/mail/bob")"
check_eq "$(stat -f -c %b "$store")" "$(stat -f -c %b "$mnt")"

# What does not fit is told by write, since shells do not ask close.
head -c 150000 /dev/zero | tr '\0' x >"$work/big"
check_fails "Disk quota exceeded" cp "$work/big" "$in/big.eml"
check_fails "write error: Disk quota exceeded" bash -c "printf %150000s x >'$in/big.eml'"
check_fails "Disk quota exceeded" truncate -s 150000 "$in/big.eml"
check_eq 10 "$(ls -A "$in" | wc -l)" # half a message is none

# As the store counts: a line feed is two octets there.  What fills it to the last is let in, one more is not.
left=$((200 * 1024 - $("$tool" "$store" ls alice INBOX | awk '{ n += $3 } END { print n }')))
{ yes '' | head -n 1000; head -c $((left - 2000)) /dev/zero | tr '\0' x; } >"$work/fits"
{ cat "$work/fits"; printf x; } >"$work/over"
check_fails "Disk quota exceeded" cp "$work/over" "$in/over.eml"
check_ok cp "$work/fits" "$in/fits.eml"
same "$work/fits" "$in/fits.eml"
check_fails "Disk quota exceeded" touch "$in/more.eml"
check_fails "Disk quota exceeded" cp /dev/null "$in/more.eml"
check_eq 0 "$(blocks "$in" | cut -d' ' -f3)"

# Full, all else goes on: reading, moving, flags, Trash, leaving.
check_ok mv "$in/fits.eml" "$a/Archive/"
check_ok cat "$a/Archive/fits.eml" >/dev/null
check_ok rm "$a/Archive/fits.eml"
check_ok rm "$a/Trash/fits.eml"
check_ok cp "$work/fits" "$in/fits.eml"
check_ok rm "$in/fits.eml" "$a/Trash/fits.eml"

# rsync and sed write aside and rename: refused there, and what was there is as it was.
cp -p "$work/fits" "$in/fits.eml"
mkdir "$work/tree"; cp "$work/over" "$work/tree/r.eml"
check_fails "Disk quota exceeded" rsync -rt "$work/tree/" "$in/"
check_fails "Disk quota exceeded" sed -i s/x/y/ "$in/fits.eml"
same "$work/fits" "$in/fits.eml"
rm -f "$in"/.r.eml.* "$in"/sed?????? 2>/dev/null
rm "$in/fits.eml" "$a/Trash/fits.eml"

# By messages; several at once never pass it together, and those that are in are all that were told so.
quota alice --storage none --messages 30
check_eq 30 "$(stat -f -c %c "$in")"
many() { local i n=0; for i in $(seq 20); do ! cp /etc/hostname "$in/$1-$i.eml" 2>/dev/null || n=$((n + 1)); done; echo $n; }
many a >"$work/a" & p1=$!
many b >"$work/b" & p2=$!
wait $p1 $p2
check_eq "$((10 + $(cat "$work/a") + $(cat "$work/b")))" "$(count "$in")"
are_thirty() { [ "$("$tool" "$store" ls alice INBOX | wc -l)" = 30 ]; }
soon are_thirty
check_eq 30 "$(count "$in")"
check_fails "Disk quota exceeded" touch "$in/more.eml"
check_ok mv "$in/1.eml" "$a/Archive/"

# Another's quota is his own; mv to him copies, and is refused as a copy is, with nothing lost.
quota bob --messages 1
check_ok mv "$a/Archive/1.eml" "$mnt/mail/bob/INBOX/one.eml"
check_fails "Disk quota exceeded" mv "$in/2.eml" "$mnt/mail/bob/INBOX/two.eml"
check_ok cat "$in/2.eml" >/dev/null
soon is_held alice 0
check_eq "" "$(grep append-failed "$mnt/sys/log")"
check_ok "$tool" "$store" check alice
