# postern events: one record for many refusals; text, JSON and XML.
. "$(dirname "$0")/common.sh"
new_store alice
exits 0 postern events --xml
claim "no events" "<Events></Events>" "$(tr -d '\n' <"$work/out")"
exits 0 postern events --json
claim "no events" "" "$(cat "$work/out")"
exits 64 postern events --xml --json

exits 0 postern reg add -v 'Maximum Allowed Service Sessions Per User' -d 0
serve_pop3
follower=
at_exit() { end_pop3; kill -9 $follower 2>/dev/null; }
"$POSTERN" --store "$store" events --json --follow >"$work/followed" &
follower=$!
exec 5<>"/dev/tcp/127.0.0.1/$port"
for _ in 1 2 3; do printf 'USER alice\r\nPASS alice-pw\r\n' >&5; done
head -n 7 <&5 | grep -c 'Server Unavailable. 15' | grep -qx 3 || bad "three refusals"

wait_for 10 test -s "$work/followed" || bad "--follow does not follow"
exits 0 postern events
prints 'Mapi session "/o=First Organization/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=alice" exceeded the maximum of 0 objects of type "session".'
prints "Event ID:      9646"
prints "in that minute; the limit is \`Maximum Allowed Service Sessions Per User\`, held 0)"
why="store: Maximum Allowed Service Sessions Per User is 0, held 0; close one of them, or an administrator raises it in"
prints "$why HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeIS\\ParametersSystem: postern reg add"
exits 0 postern events --json
python3 -c '
import json, sys
records = [json.loads(line) for line in open(sys.argv[1])]
assert 1 <= len(records) <= 2, records  # two, when a minute ended meanwhile
assert records[0]["held"] == 0 and records[0]["explain"].startswith(sys.argv[2]), records
' "$work/out" "$why" || bad "json: $(cat "$work/out")"
exits 0 postern events --xml
python3 -c '
import sys, xml.etree.ElementTree as xml
root = xml.parse(sys.argv[1]).getroot()
assert root.tag == "Events" and len(root) >= 1, root
ns = "{http://schemas.microsoft.com/win/2004/08/events/event}"
event = root[0]
assert event.tag == ns + "Event", event.tag
assert event.find(f"{ns}System/{ns}EventID").text == "9646"
assert [d.text for d in event.findall(f"{ns}EventData/{ns}Data")][1:] == ["0", "session"]
message = event.find(f"{ns}RenderingInfo/{ns}Message").text
original, why = message.split("\n")
assert original.startswith("Mapi session ") and why.startswith(sys.argv[2]), message
' "$work/out" "$why" || bad "xml: $(cat "$work/out")"
finish
