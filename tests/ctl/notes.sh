# The three changes that don't help say so, and name who is at the limit that does refuse.
. "$(dirname "$0")/common.sh"
new_store alice bob
exits 0 postern reg add -v 'Maximum Allowed Service Sessions Per User' -d 1
for change in "settings imap MaxConnectionsPerUser 100" "policy set default IMAPMaxConcurrency 100" \
	"grant alice ViewInformationStoreStatus"; do
	exits 0 postern $change
	says "not the store's own limit"
	says "\`Maximum Allowed Service Sessions Per User\` is 1"
	grep -q "holds" "$work/err" && bad "nobody holds anything: $(cat "$work/err")"
done

serve_pop3
exec 5<>"/dev/tcp/127.0.0.1/$port"
printf 'USER alice\r\nPASS alice-pw\r\n' >&5
head -n 3 <&5 >/dev/null
for change in "settings pop MaxConnectionsPerUser 100" "policy set default POPMaxConcurrency null" \
	"grant alice ViewInformationStoreStatus"; do
	exits 0 postern $change
	says "alice holds 1 of 1 service sessions"
	says "postern reg add"
	grep -q "bob" "$work/err" && bad "bob is not at a limit"
done

# Other changes are nobody's mistake; and with the limits off the store refuses nobody.
exits 0 postern settings pop MaxConnections 100
claim "no note" "" "$(cat "$work/err")"
exits 0 postern grant alice Administrator
claim "no note" "" "$(cat "$work/err")"
exits 0 postern reg add -v 'Disable Session Limit' -d 1
exits 0 postern settings pop MaxConnectionsPerUser 50
claim "no note" "" "$(cat "$work/err")"
finish
