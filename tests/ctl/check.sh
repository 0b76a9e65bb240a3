# postern check: sound, damaged, unknown.
. "$(dirname "$0")/common.sh"
new_store alice bob
printf 'Subject: x\n\nbody\n' >"$work/a.eml"
exits 0 postern import alice -q "$work/a.eml"
exits 0 postern check
prints "alice: sound"
prints "bob: sound"
prints "the directory: sound"
exits 0 postern check bob
claim "only who was named" "bob: sound" "$(cat "$work/out")"
exits 1 postern check dave

# A database of noise: its user is told, the other is sound.
id=$(postern user list --json | python3 -c '
import json, sys; print(next(u["id"] for u in json.load(sys.stdin) if u["user"] == "alice"))')
head -c 20000 /dev/urandom >"$store/mail/${id:0:2}/$id/mail.db"
rm -f "$store/mail/${id:0:2}/$id"/mail.db-*
exits 1 postern check
prints "alice: can't be"
prints "bob: sound"
exits 1 postern folder list alice
says "postern check"
finish
