# The forms of the command: exit statuses, where messages go, where --store may stand.
. "$(dirname "$0")/common.sh"

# Without a store: what to do next.
exits 1 "$POSTERN" --store "$store" user list
says "postern init $store"
claim "nothing on standard output" "" "$(cat "$work/out")"
exits 64 "$POSTERN"
exits 64 "$POSTERN" no-such-verb
says "postern help"
exits 0 "$POSTERN" help
exits 0 "$POSTERN" --help
exits 0 "$POSTERN" --version
prints "postern "
exits 64 "$POSTERN" --store

# init
exits 64 "$POSTERN" init "$store" imap.listen
exits 0 "$POSTERN" init "$store" --runtime run pop3.listen=127.0.0.1:1 imap.listen=127.0.0.1:2
grep -q '^listen = 127.0.0.1:2$' "$store/store.conf" || bad "SECTION.KEY=VALUE is not in store.conf"
exits 1 "$POSTERN" init "$store"
says "already"

# user
exits 0 bash -c "printf '%s\n' secret | '$POSTERN' --store '$store' user add alice --password-stdin"
exits 1 bash -c "printf '%s\n' secret | '$POSTERN' --store '$store' user add alice --password-stdin"
says "exists already"
exits 1 bash -c "printf '%s\n' secret | '$POSTERN' --store '$store' user add ALICE --password-stdin"
exits 1 bash -c ": | '$POSTERN' --store '$store' user add bob --password-stdin"
exits 1 bash -c "printf '\n' | '$POSTERN' --store '$store' user add bob --password-stdin"
exits 1 bash -c "'$POSTERN' --store '$store' user add bob </dev/null"
says "--password-stdin"
exits 1 bash -c "printf 'x\n' | '$POSTERN' --store '$store' user add 'a/b' --password-stdin"
exits 0 "$POSTERN" user add bob --no-password --unix-account nobody --store "$store"
exits 0 env POSTERN_STORE="$store" "$POSTERN" user add carol --no-password
claim "three users" "alice bob carol" "$(postern user list --json | python3 -c '
import json, sys; print(*sorted(u["user"] for u in json.load(sys.stdin)))')"
exits 0 bash -c "printf 'new\n' | '$POSTERN' --store '$store' user passwd alice --password-stdin"
exits 1 bash -c "printf 'new\n' | '$POSTERN' --store '$store' user passwd dave --password-stdin"
says "no user \`dave\`"
exits 0 bash -c "printf '{PLAIN}secret\n' | '$POSTERN' --store '$store' user passwd alice --verifier-stdin"
exits 0 bash -c "printf '%s\n' '{CRYPT}\$6\$saltstring\$x' | '$POSTERN' --store '$store' user passwd alice --verifier-stdin"
exits 1 bash -c "printf '{SSHA}x\n' | '$POSTERN' --store '$store' user passwd alice --verifier-stdin"
says "{PLAIN}, {CRYPT}"
exits 1 bash -c "printf 'secret\n' | '$POSTERN' --store '$store' user add dave --verifier-stdin"
says "no hash"
exits 1 bash -c "printf 'x\n' | '$POSTERN' --store '$store' user add dave --verifier-stdin --password-stdin"
says "not both"
exits 0 postern user del carol
says "stays in the store"
exits 1 postern user del carol
exits 0 postern user del bob --with-mail
exits 64 postern user
exits 64 postern user frobnicate
exits 64 postern user add
exits 64 postern user list --frobnicate

# quota
exits 0 postern quota show alice
prints "of any (setting)"
exits 0 postern quota set alice --storage 1024 --messages 10
exits 0 postern quota show alice
prints " of 10"
exits 0 postern quota set alice --storage none --messages default
exits 0 postern quota show alice --json
prints '"limit":0,"own":true}'
prints '"limit":0,"own":false}'
exits 64 postern quota set alice
exits 64 postern quota set alice --storage 0
exits 64 postern quota set alice --messages -1
exits 64 postern quota set alice --storage 99999999999999999999
exits 1 postern quota show dave

# folder
exits 0 postern folder create alice Archive/2026
exits 1 postern folder create alice Archive/2026
exits 0 postern folder rename alice Archive/2026 Old
exits 1 postern folder delete alice INBOX
claim "no advice that is of no use" "postern: INBOX can't be deleted" "$(cat "$work/err")"
exits 0 postern folder delete alice Old
exits 1 postern folder delete alice Old
exits 0 postern folder create alice Shots --use Flagged
exits 64 postern folder create alice Shots --use Nonsense
exits 0 postern folder list alice --json
python3 -c 'import json, sys; assert any(f["name"] == "INBOX" for f in json.load(sys.stdin))' <"$work/out" ||
	bad "folder list --json"
exits 1 postern folder list dave

# grant, revoke
exits 0 postern grant alice "View Information-Store status"
exits 0 postern grant alice administrator
prints_permissions=$(postern user list --json)
case $prints_permissions in *Administrator*ViewInformationStoreStatus*) ;; *) bad "granted: $prints_permissions" ;; esac
exits 0 postern revoke alice ADMINISTRATOR
exits 0 postern revoke alice ViewInformationStoreStatus
exits 64 postern grant alice FlyToTheMoon
exits 1 postern grant dave Administrator

# Every verb has a --help that says its name.
for verb in $("$POSTERN" help | sed -n 's/^  \([a-z-]*\)  .*/\1/p'); do
	exits 0 "$POSTERN" "$verb" --help
	prints "postern $verb"
done
finish
