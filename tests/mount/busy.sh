#!/bin/bash
# Another process holds a user's place in the ledger: who opens his mail waits for it, nobody else does.
. "$(dirname "$0")/lib.sh"
"$tool" "$store" gen alice INBOX 2 2000
"$tool" "$store" gen bob INBOX 2 2000
mount_it
alice=$mnt/mail/alice/INBOX bob=$mnt/mail/bob/INBOX
check_ok cat "$alice/1.eml" >/dev/null
ledger=$(echo "$store"/run/user/*) # hers: nobody else has had a session
check_ok cat "$bob/1.eml" >/dev/null

# The byte that a grant locks for an instant (limits/ledger_file.c), held until bob has had his mail; what was set
# aside before is for a second, and would need no lock.
sleep 1.1
coproc hold { exec python3 -c '
import fcntl, sys
with open(sys.argv[1], "r+b") as ledger:
    fcntl.lockf(ledger, fcntl.LOCK_EX, 1, 1 << 40)
    print("held", flush=True)
    sys.stdin.readline()
' "$ledger"; }
hold_pid=$!; helpers+=("$hold_pid")
read -r said <&"${hold[0]}"
check_eq held "$said"

# More opens than the loop has threads; each is answered, none refused.
waiting=()
for _ in $(seq 8); do cat "$alice/2.eml" >/dev/null & waiting+=($!); done
sleep 0.2
check_ok timeout 1.5 cat "$bob/2.eml" >/dev/null
check_ok timeout 1.5 ls "$bob" >/dev/null
for p in "${waiting[@]}"; do kill -0 "$p" || fail "an open did not wait"; done
echo >&"${hold[1]}"
for p in "${waiting[@]}"; do wait "$p" || fail "an open that waited was refused"; done
check_eq 0 "$(held alice)"
check_eq "" "$(grep refused "$mnt/sys/log")"
