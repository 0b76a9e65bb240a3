#!/bin/bash
# Several write, move, remove and list at once, beside another process: nothing is lost, nothing is left over.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 50 3000
"$tool" "$store" limit "Maximum Allowed Sessions Per User" 1000
mount_it
a=$mnt/mail/alice

writer() { # N
	local i f
	for i in $(seq 30); do
		f=w$1-$i.eml
		cp /etc/passwd "$a/INBOX/$f" || echo "cp $f"
		cmp /etc/passwd "$a/INBOX/$f" || echo "cmp $f"
		mv "$a/INBOX/$f" "$a/Archive/" || echo "mv $f"
		[ $((i % 3)) != 0 ] || rm "$a/Archive/$f" || echo "rm $f"
		[ $((i % 5)) != 0 ] && continue
		mkdir "$a/F$1" && cp /etc/group "$a/F$1/g.eml" && mv "$a/F$1" "$a/G$1" && rm "$a/G$1/g.eml" &&
		    rmdir "$a/G$1" || echo "folder $f"
	done
}
reader() {
	for _ in $(seq 50); do ls -lR "$a"; cat "$a"/INBOX/*.eml; done >/dev/null 2>&1 # what goes meanwhile is not there
}
sender() {
	for i in $(seq 20); do echo "Subject: other $i" | "$tool" "$store" add alice INBOX >/dev/null; done
}
jobs=()
for n in 1 2 3 4; do writer $n >"$work/out.$n" 2>&1 & jobs+=($!); done
reader & jobs+=($!)
sender & jobs+=($!)
wait "${jobs[@]}"
check_eq "" "$(cat "$work"/out.*)"
check_eq 70 "$(count "$a/INBOX")"
check_eq 80 "$(count "$a/Archive")"
check_eq 64 "$(count "$a/Trash")"
soon is_held alice 0
check_ok "$tool" "$store" check alice
