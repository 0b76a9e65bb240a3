#!/bin/bash
# The Maildir view: cur, new and tmp over the same messages as mail/; names say flags, both ways.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 3 500
mount_it
m=$mnt/maildir/alice in=$mnt/mail/alice/INBOX
printf 'From: x@y.z\nSubject: one\n\nbody\n' >"$work/one"
printf 'Subject: crlf\r\n\r\nbody\r\n' >"$work/crlf"
messages() { "$tool" "$store" ls "$1" "$2" | wc -l; }
flags() { "$tool" "$store" ls "$1" "$2" | awk -v u="$3" '$1 == u { print $2 }'; }
py() { python3 -c "import os, sys, fcntl; a = sys.argv[1:]; $1" "${@:2}"; }
has() { ls -A "$1" | grep -qxF -- "$2"; }

# What nobody has moved and that has no flag is new; the names are ours.
check_eq "1740996000.1.postern,U=1 1740996001.2.postern,U=2 1740996002.3.postern,U=3" "$(ls "$m/new" | xargs)"
check_eq "cur new tmp" "$(ls "$m" | xargs)"
check_eq ".Archive .Drafts .Junk .Sent .Trash .uidvalidity" "$(ls -A "$m" | grep '^\.' | xargs)"
check_eq "" "$(ls -A "$m/cur" "$m/tmp" | grep postern)"
same "$(echo "$m"/new/*.1.postern,U=1)" "$(echo "$in"/*.00000001.*)"
check_eq "$(stat -c %i "$in"/*.00000001.*)" "$(stat -c %i "$m"/new/*,U=1)"
check_eq "regular file" "$(stat -c %F "$m"/new/*,U=1)"
check_eq "cur:d new:d tmp:d" "$(find "$m" -maxdepth 1 -name '[cnt]*' -printf '%f:%y\n' | sort | xargs)"
check_eq "f f f" "$(find "$m/new" -name '*U=*' -printf '%y\n' | xargs)"
check_fails "Not a directory" py 'os.open(a[0], os.O_DIRECTORY)' "$(echo "$m"/new/*,U=1)"
check_eq 700 "$(stat -c %a "$m/cur")"
check_eq 711 "$(stat -c %a "$mnt/maildir")"

# Reading sets nothing.
cat "$m"/new/* >/dev/null
check_eq 0 "$(flags alice INBOX 1)"
check_eq 3 "$(count "$m/new")"

# A flag from elsewhere is a new name, at the next ls at once.
for uid in 1 2; do
	was=$(stat -c %Y "$m/cur")
	"$tool" "$store" flag alice INBOX $uid
	check_ok has "$m/cur" "$((1740995999 + uid)).$uid.postern,U=$uid:2,S"
	check_eq $((3 - uid)) "$(count "$m/new")"
	is_recent() { [ "$(stat -c %Y "$m/cur")" -ge "$(($(date +%s) - 3))" ]; }
	soon is_recent
done

# A rename is a flag; to cur without one it is remembered, and the mail tree sees nothing of it.
check_ok mv "$m/new/1740996002.3.postern,U=3" "$m/cur/1740996002.3.postern,U=3:2,"
check_eq 0 "$(flags alice INBOX 3)"
check_eq 0 "$(count "$m/new")"
check_ok mv "$m/cur/1740996002.3.postern,U=3:2," "$m/cur/1740996002.3.postern,U=3:2,F"
check_eq 4 "$(flags alice INBOX 3)"
check_ok mv "$m/cur/1740996002.3.postern,U=3:2,F" "$m/cur/1740996002.3.postern,U=3:2,FRST"
check_eq 15 "$(flags alice INBOX 3)"
check_ok mv "$m/cur/1740996002.3.postern,U=3:2,FRST" "$m/cur/1740996002.3.postern,U=3:2,P"
check_eq 0 "$(flags alice INBOX 3)"
command -v getfattr >/dev/null &&
	check_eq '$Forwarded' "$(getfattr --only-values -n user.flags "$m/cur/1740996002.3.postern,U=3:2,P" 2>/dev/null)"
check_ok mv "$m/cur/1740996002.3.postern,U=3:2,P" "$m/cur/1740996002.3.postern,U=3:2,"
check_eq 3 "$(count "$in")"

# Who was overtaken is understood for a moment, and takes nothing back that he has not seen.
name=1740996002.3.postern,U=3:2
"$tool" "$store" flag alice INBOX 3
check_ok has "$m/cur" "$name,S"
check_ok mv "$m/cur/$name," "$m/cur/$name,F"
check_eq 5 "$(flags alice INBOX 3)"
check_ok has "$m/cur" "$name,FS"
sleep 2.5
check_fails "No such file" stat "$m/cur/$name,F"
check_fails "No such file" stat "$m/new/1740996002.3.postern,U=3"
check_ok mv "$m/cur/$name,FS" "$m/new/1740996002.3.postern,U=3"
check_eq 0 "$(flags alice INBOX 3)"
check_ok has "$m/new" "1740996002.3.postern,U=3"

# Deliveries: renamed, linked, and written in place; each is one message under the name it was given.
check_ok cp "$work/one" "$m/tmp/1.M1P1.host"
check_eq 3 "$(messages alice INBOX)"
check_ok mv "$m/tmp/1.M1P1.host" "$m/new/1.M1P1.host"
check_eq "4 31 0" "$("$tool" "$store" ls alice INBOX | tail -1 | awk '{print $1, 31, $2}')"
same "$work/one" "$m/new/1.M1P1.host"
check_eq "" "$(ls "$m/tmp")"
touch -d '2020-02-03 04:05:06Z' "$work/crlf"
check_ok cp -p "$work/crlf" "$m/tmp/2.M1P1.host"
check_ok py 'os.link(*a)' "$m/tmp/2.M1P1.host" "$m/cur/2.M1P1.host:2,RS"
check_eq "$(stat -c %i "$m/tmp/2.M1P1.host")" "$(stat -c %i "$m/cur/2.M1P1.host:2,RS")"
check_fails "File exists" py 'os.link(*a)' "$m/tmp/2.M1P1.host" "$m/cur/2.M1P1.host:2,F"
check_ok rm "$m/tmp/2.M1P1.host"
same "$work/crlf" "$m/cur/2.M1P1.host:2,RS"
check_eq "2020-02-03 04:05:06" "$(TZ=UTC stat -c %y "$m/cur/2.M1P1.host:2,RS" | cut -c1-19)"
check_eq 3 "$(flags alice INBOX 5)"
check_ok cp "$work/one" "$m/cur/3.M1P1.host:2,F"
check_eq 4 "$(flags alice INBOX 6)"
same "$work/one" "$m/cur/3.M1P1.host:2,F"
check_eq 6 "$(messages alice INBOX)"
check_has ".00000004.x.one.eml" "$(ls "$in")"
touch "$m/tmp/empty"
check_fails "Invalid argument" py 'os.rename(*a)' "$m/tmp/empty" "$m/new/empty"
check_ok rm "$m/tmp/empty"

# A time that is set right after a delivery is the INTERNALDATE (of a new UID); later it is refused.
check_ok cp "$work/one" "$m/tmp/4.M1P1.host"
check_ok mv "$m/tmp/4.M1P1.host" "$m/cur/4.M1P1.host:2,S"
check_ok touch -d '2021-02-03 04:05:06Z' "$m/cur/4.M1P1.host:2,S"
check_eq "2021-02-03 04:05:06" "$(TZ=UTC stat -c %y "$m/cur/4.M1P1.host:2,S" | cut -c1-19)"
check_eq "7 8" "$(messages alice INBOX) $("$tool" "$store" ls alice INBOX | tail -1 | cut -d' ' -f1)"
check_fails "not permitted" touch "$m/cur/4.M1P1.host:2,S"

# .uidvalidity is the truth, whatever is written; who opens it to write goes by UIDs, and finds one in each name.
uidvalidity=$(head -1 "$m/.uidvalidity")
check_eq "2 8" "$(wc -l <"$m/.uidvalidity") $(tail -1 "$m/.uidvalidity")"
check_ok has "$m/new" 1.M1P1.host
echo 17 >"$m/.uidvalidity"
check_ok py 'f = open(a[0], "r+"); fcntl.lockf(f, fcntl.LOCK_EX); f.write("1\n99\n"); f.truncate(); os.fsync(f.fileno())' "$m/.uidvalidity"
check_eq "$uidvalidity 8" "$(xargs <"$m/.uidvalidity")"
check_ok has "$m/new" 1.M1P1.host,U=4
check_ok has "$m/cur" 3.M1P1.host,U=6:2,F
# A UID that is still to be given is given to the name that asks for it.
check_ok cp "$work/one" "$m/tmp/5.M1P1.host,U=11"
check_ok mv "$m/tmp/5.M1P1.host,U=11" "$m/new/5.M1P1.host,U=11"
check_eq 11 "$("$tool" "$store" ls alice INBOX | tail -1 | cut -d' ' -f1)"
check_ok cp "$work/one" "$m/tmp/6.M1P1.host,U=3"
check_ok mv "$m/tmp/6.M1P1.host,U=3" "$m/new/6.M1P1.host,U=3"
check_eq 12 "$("$tool" "$store" ls alice INBOX | tail -1 | cut -d' ' -f1)"
check_ok has "$m/new" 6.M1P1.host
check_ok cp "$work/one" "$m/tmp/7.M1P1.host,U=4000000000"
check_ok mv "$m/tmp/7.M1P1.host,U=4000000000" "$m/new/7.M1P1.host,U=4000000000"
check_eq 13 "$("$tool" "$store" ls alice INBOX | tail -1 | cut -d' ' -f1)"

# rm expunges: the tool has decided.
trash=$(messages alice Trash)
check_ok rm "$m"/new/6.* "$m"/new/7.*
check_eq "$trash" "$(messages alice Trash)"
check_eq 8 "$(messages alice INBOX)"

# Onto a name that is taken: in its place.
check_ok cp "$work/crlf" "$m/tmp/x"
check_ok mv "$m/tmp/x" "$m/new/5.M1P1.host"
check_eq 8 "$(messages alice INBOX)"
same "$work/crlf" "$(echo "$m"/new/5.M1P1.host)"

# Folders are flat; a move is a MOVE, and a link a copy.
check_ok mkdir "$m/.Work" "$m/.Work.v1%2E2"
check_eq "v1.2" "$(ls "$mnt/mail/alice/Work")"
check_ok mkdir "$m/.Work/cur" "$m/.Work/new" "$m/.Work/tmp"
check_fails "File exists" mkdir "$m/.Work/cur"
check_fails "File exists" mkdir "$m/.Work"
check_fails "File exists" mkdir "$m/.inbox"
check_fails "Invalid argument" mkdir "$m/Work"
check_fails "Invalid argument" mkdir "$m/.Work..x"
check_fails "not permitted" mkdir "$m/.Work/.Sub"
check_ok test -f "$m/.Work/maildirfolder" -a ! -e "$m/maildirfolder"
check_ok mv "$m/cur/3.M1P1.host,U=6:2,F" "$m/.Work/cur/3.M1P1.host:2,FS"
check_eq "7 1" "$(messages alice INBOX) $(messages alice Work)"
check_eq 5 "$(flags alice Work 1)"
check_eq "3.M1P1.host:2,FS" "$(ls "$m/.Work/cur")"
check_ok py 'os.link(*a)' "$m/.Work/cur/3.M1P1.host:2,FS" "$m/cur/9.copy:2,S"
check_eq "8 1" "$(messages alice INBOX) $(messages alice Work)"
same "$m/cur/9.copy:2,S" "$work/one"
check_ok mv "$m/cur/9.copy:2,S" "$mnt/maildir/bob/cur/"
check_eq "7 1" "$(messages alice INBOX) $(messages bob INBOX)"
check_ok mv "$m/.Work" "$m/.Job"
check_eq "3.M1P1.host:2,FS" "$(ls "$m/.Job/cur")"
check_ok test -d "$m/.Job.v1%2E2" -a ! -e "$m/.Work.v1%2E2"
check_fails "not empty" rmdir "$m/.Job/cur"
check_fails "not empty" rmdir "$m/.Job"
check_fails "busy" rmdir "$m/cur"
check_ok rm -r "$m/.Job.v1%2E2" "$m/.Job"
check_fails "No such file" ls "$m/.Job"
check_fails "No such file" ls "$mnt/mail/alice/Job"

# Small files beside the messages are the folder's, and stay.
echo state >"$m/.mbsyncstate.new"
check_ok mv "$m/.mbsyncstate.new" "$m/.mbsyncstate"
check_eq state "$(cat "$m/.mbsyncstate")"
echo more >>"$m/.mbsyncstate"
check_eq "state more" "$(xargs <"$m/.mbsyncstate")"
check_eq 11 "$(stat -c %s "$m/.mbsyncstate")"
echo archive >"$m/.Archive/dovecot-keywords"
check_ok has "$m" .mbsyncstate
check_fails "No such file" cat "$m/.Archive/.mbsyncstate"
sidecars=$mnt/sys/registry/HKEY_LOCAL_MACHINE/SOFTWARE/Postern/Mount
echo 4 >"$sidecars/SidecarFiles"; echo 4096 >"$sidecars/SidecarOctets"
for i in 1 2 3; do check_ok touch "$m/.side$i"; done
check_fails "quota exceeded" dd if=/dev/null of="$m/.side4" status=none
check_fails "too large" dd if=/dev/zero of="$m/.side1" bs=5000 count=1 status=none
rm -f "$m"/.side? "$sidecars/SidecarFiles" "$sidecars/SidecarOctets"

# What was moved to cur stays there, and names stay names, when the mount comes again; nothing is left in tmp.
check_ok mv "$m/new/1.M1P1.host,U=4" "$m/cur/1.M1P1.host,U=4:2,"
echo half >"$m/tmp/half"
was=$(stat -c '%Y %n' "$m/cur" "$m/new"; ls "$m/cur" "$m/new")
unmount_it
mount_it
check_eq "state more" "$(xargs <"$m/.mbsyncstate")"
check_eq archive "$(cat "$m/.Archive/dovecot-keywords")"
check_ok has "$m/cur" "1.M1P1.host,U=4:2,"
check_ok has "$m/cur" "2.M1P1.host,U=5:2,RS"
check_eq "" "$(ls -A "$m/tmp")"
check_ok rm "$m/.mbsyncstate"
check_fails "No such file" cat "$m/.mbsyncstate"

# Each open is a session, as in mail/.
soon is_held alice 0
exec 9<"$m/cur"
check_eq 1 "$(held alice)"
exec 8<"$(echo "$m"/cur/*U=4:2,)"
check_eq 2 "$(held alice)"
exec 8<&- 9<&-
soon is_held alice 0
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 2
exec 8<"$m/cur" 9<"$m/.uidvalidity"
check_fails "Too many users" ls "$m/new"
check_fails "Too many users" cat "$(echo "$m"/cur/1.M1P1.host,U=4:2,)"
check_fails "Too many users" bash -c "echo x >'$m/tmp/x'"
check_ok mv "$m/cur/1.M1P1.host,U=4:2," "$m/cur/1.M1P1.host,U=4:2,S"
exec 8<&- 9<&-
soon is_held alice 0
check_ok "$tool" "$store" check alice
check_ok "$tool" "$store" check bob
