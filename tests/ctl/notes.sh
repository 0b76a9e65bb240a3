# The three changes that don't help say so, and name who is at the limit that does refuse.
. "$(dirname "$0")/common.sh"
[ -x "$BUILD/pop3d/postern-pop3d" ] || { echo "postern-pop3d is not built"; exit 77; }
new_store alice bob
exits 0 postern reg add -v 'Maximum Allowed Service Sessions Per User' -d 1
for change in "settings imap MaxConnectionsPerUser 100" "policy set default IMAPMaxConcurrency 100" \
	"grant alice ViewInformationStoreStatus"; do
	exits 0 postern $change
	says "not the store's own limit"
	says "\`Maximum Allowed Service Sessions Per User\` is 1"
	grep -q "holds" "$work/err" && bad "nobody holds anything: $(cat "$work/err")"
done

port=$(free_ports 1)
printf '[pop3]\nlisten = 127.0.0.1:%s\n' "$port" >>"$store/store.conf"
"$BUILD/pop3d/postern-pop3d" --store "$store" 2>"$work/pop3d.log" &
pop3d=$!
at_exit() { kill -9 "$pop3d" 2>/dev/null; }
wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" || { cat "$work/pop3d.log"; exit 1; }
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
