#!/bin/bash
# Mail taken apart: every file against what Python's email package makes of the same message, sizes true, names
# safe, sessions exact, flags that can be written, and bombs that are bounded and say so.
. "$(dirname "$0")/lib.sh"
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
exit
