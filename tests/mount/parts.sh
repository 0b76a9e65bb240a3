#!/bin/bash
# Mail taken apart: every file against what Python's email package makes of the same message, sizes true, names
# safe, sessions exact, flags that can be written, and bombs that are bounded and say so.
. "$(dirname "$0")/lib.sh"
# What ASan keeps of freed memory is not the daemon's.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=0:thread_local_quarantine_size_kb=0
here=$(realpath "$(dirname "$0")")
mkdir "$work/made"
check_ok python3 "$here/parts.py" make "$work/made"
for f in "$work"/made/*; do "$tool" "$store" add alice INBOX <"$f" >/dev/null; done
"$tool" "$store" gen alice Deep/er 3 2000
mount_it
in=$mnt/parts/alice/INBOX
check_eq "alice bob" "$(ls "$mnt/parts" | xargs)"
check_eq 3 "$(count "$mnt/parts/alice/Deep/er")"
check_ok python3 "$here/parts.py" compare "$in" "$mnt/mail/alice/INBOX"
soon is_held alice 0

# tar goes by st_size: what it packs is what is there.
one=$(ls "$in" | grep Large | head -n 1)
check_ok tar cf "$work/one.tar" -C "$in/$one" .
mkdir "$work/untarred" && check_ok tar xf "$work/one.tar" -C "$work/untarred"
check_eq "" "$(diff -r "$in/$one" "$work/untarred" 2>&1)"
check_ok cp -r "$in/$one" "$work/copied"
check_eq "" "$(diff -r "$in/$one" "$work/copied" 2>&1)"
# From anywhere, and backwards.
check_eq "$(tail -c +2000001 "$work/untarred/2-large.bin" | head -c 70000 | md5sum)" \
    "$(tail -c +2000001 "$in/$one/2-large.bin" | head -c 70000 | md5sum)"
check_eq "$(tac "$work/untarred/3-large.qp" | md5sum)" "$(tac "$in/$one/3-large.qp" | md5sum)"

# Flags are words, and one write sets them; the size is true before and after.
f=$in/$one/flags
check_eq "" "$(cat "$f")"
check_eq 1 "$(stat -c %s "$f")"
check_ok bash -c "echo 'seen flagged' >'$f'"
check_eq "seen flagged" "$(cat "$f")"
check_eq 13 "$(stat -c %s "$f")"
check_eq "seen flagged" "$(getfattr --absolute-names --only-values -n user.flags "$mnt/mail/alice/INBOX/$one")"
check_fails "Invalid argument" bash -c "echo 'sene' >'$f'"
check_eq "seen flagged" "$(cat "$f")"
check_ok bash -c ": >'$f'"
check_eq "seen flagged" "$(cat "$f")"
check_ok bash -c "echo >'$f'"
check_eq "" "$(cat "$f")"
uid=$(getfattr --absolute-names --only-values -n user.uid "$mnt/mail/alice/INBOX/$one")
"$tool" "$store" flag alice INBOX "$uid"
check_eq seen "$(cat "$f")"

# Nothing else is written here.
check_fails "Read-only file system" rm "$in/$one/raw"
check_fails "Read-only file system" rmdir "$in/$one"
check_fails "Read-only file system" mkdir "$in/new" "$mnt/parts/carol"
check_fails "Read-only file system" cp /etc/passwd "$in/x.eml"
check_fails "Read-only file system" bash -c "echo x >'$in/$one/raw'"
check_fails "Read-only file system" mv "$in/$one/raw" "$in/$one/cooked"
check_fails "No such file" cat "$in/$one/9"
check_fails "No such file" ls "$in/nothing.eml"

# What comes and goes is seen by the next ls; who reads goes on reading.
n=$(count "$in")
new=$("$tool" "$store" add alice INBOX <"$work/made/two")
check_eq $((n + 1)) "$(count "$in")"
exec 7<"$in/$new.eml/2-report.pdf"
check_ok rm "$mnt/mail/alice/INBOX/$new.eml"
check_eq "$n" "$(count "$in")"
check_fails "No such file" ls "$in/$new.eml"
check_eq 10240 "$(cat <&7 | wc -c)"
exec 7<&-

# A listing reads no message, an open file or directory is a session, a name or a size is none.
check_eq 3 "$(ls -l "$mnt/parts/alice/Deep/er" | grep -c ^d)"
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 1
soon is_held alice 0
exec 7<"$in/$one/raw"
check_eq 1 "$(held alice)"
check_fails "Too many users" cat "$in/$one/subject"
check_fails "Too many users" ls "$in/$one"
check_fails "Too many users" ls "$in"
check_ok test -e "$in/$one/subject"
check_eq 3000000 "$(stat -c %s "$in/$one/2-large.bin")"
exec 7<&-
soon is_held alice 0
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 32

# Bombs: bounded in time and memory, and they say so.
resident() { awk '/VmHWM/ { print $2 }' "/proc/$fs_pid/status"; }
python3 - >"$work/nested" <<'PY'
print("Subject: nested")
for i in range(1000):
    print(f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}")
print("\nbottom")
PY
python3 - >"$work/many" <<'PY'
print("Subject: many\nContent-Type: multipart/mixed; boundary=b\n")
for i in range(12000):
    print(f"--b\nContent-Disposition: attachment; filename=f{i}.txt\nContent-Transfer-Encoding: base64\n\nSGFsbG8=")
print("--b--")
PY
python3 - >"$work/russian" <<'PY'
import sys
print("Subject: russian")
for i in range(90):
    print("Content-Type: message/rfc822\n")
print("Content-Type: text/plain\n")
sys.stdout.write(("x" * 75 + "\n") * 300000)
PY
python3 - >"$work/text" <<'PY'
import base64, sys
print("Subject: text\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64\n")
line = base64.b64encode(b"\xe4" * 57).decode() + "\n"
sys.stdout.write(line * 1000000)
PY
for bomb in nested many russian text; do
	uid=$("$tool" "$store" add alice Bombs <"$work/$bomb")
	dir=$mnt/parts/alice/Bombs/$uid.eml
	start=$(date +%s)
	check_ok ls -l "$dir" >/dev/null
	check_ok tar cf - -C "$dir" body.txt header truncated >/dev/null
	took=$(($(date +%s) - start))
	[ $took -le $((20 * ${POSTERN_PATIENCE:-1})) ] || fail "$bomb: $took s"
	check_ok test -s "$dir/truncated"
	echo "$bomb: $(count "$dir") files, $took s, resident $(resident) KB"
done
check_has MimeDepthMax "$(cat "$mnt/parts/alice/Bombs/1.eml/truncated")"
check_has PartFilesMax "$(cat "$mnt/parts/alice/Bombs/2.eml/truncated")"
check_has MimePartsMax "$(cat "$mnt/parts/alice/Bombs/2.eml/truncated")"
check_has PartOctetsMax "$(cat "$mnt/parts/alice/Bombs/3.eml/truncated")"
check_has PartTextMax "$(cat "$mnt/parts/alice/Bombs/4.eml/truncated")"
check_eq 2000 "$(ls "$mnt/parts/alice/Bombs/2.eml" | grep -c '^[0-9]')"
check_eq 57000000 "$(stat -c %s "$mnt/parts/alice/Bombs/4.eml/1")"
check_eq 57000000 "$(cat "$mnt/parts/alice/Bombs/4.eml/1" | wc -c)"
check_eq 4194304 "$(cat "$mnt/parts/alice/Bombs/4.eml/body.txt" | wc -c)"
check_has "parts-truncated user=alice folder=Bombs uid=4" "$(cat "$mnt/sys/log")"
[ "$(resident)" -le 200000 ] || fail "it holds $(resident) KB"
check_eq "" "$(ls -A "$mnt/view/alice/search")"
soon is_held alice 0
