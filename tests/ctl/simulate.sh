# postern simulate: what it says of traces, made up and read; the limits are judged as at a real open.
. "$(dirname "$0")/common.sh"
new_store

# field PAIR KEY: of the JSON in $work/out
field() { python3 -c '
import json, sys
total, service = map(int, sys.argv[2].split("/"))
print(next(r[sys.argv[3]] for r in json.load(open(sys.argv[1]))["limits"] if (r["total"], r["service"]) == (total, service)))' "$work/out" "$1" "$2"; }

# Twenty IMAP4 sessions of one user, and twenty handles: 16 and 16 get in; more where the limits are other ones.
{
	for i in $(seq 20); do echo "$i open alice IMAP4 i$i"; done
	echo "# and the mount"
	echo
	for i in $(seq 20); do echo "30.$i open alice fs f$i"; done
	echo "40 close i1"
	echo "41 open alice IMAP4 again"
	echo "42 open bob pop3 b"
} >"$work/trace"
exits 0 postern settings imap MaxConnectionsPerUser 100
exits 0 postern simulate --json --trace "$work/trace" 32/16 100/16 100/100 32/100 0/0
claim "service and then all" "4 4" "$(field 32/16 refused_by_service) $(field 32/16 refused_by_total)"
claim "the place that was given back is taken, and bob has his" 33 "$(field 32/16 peak)"
claim "only service sessions" "4 0" "$(field 100/16 refused_by_service) $(field 100/16 refused_by_total)"
claim "none" "0 42" "$(field 100/100 refused) $(field 100/100 granted)"
claim "only the total" "0 8" "$(field 32/100 refused_by_service) $(field 32/100 refused_by_total)"
claim "nothing at all" "0 42 2" "$(field 0/0 granted) $(field 0/0 refused) $(field 0/0 users_refused)"

# The same at the doors: the store's own judgement.
exits 0 postern settings imap MaxConnectionsPerUser 3
exits 0 postern simulate --json --trace "$work/trace" 100/100
claim "a layer in front" "17" "$(field 100/100 refused_in_front)"
exits 0 postern reg add -v "Disable Session Limit" -d 1
exits 0 postern simulate --json --trace "$work/trace" 0/0
claim "switched off: only the layer in front" "0 17" "$(field 0/0 refused_by_total) $(field 0/0 refused_in_front)"
exits 0 postern reg delete -v "Disable Session Limit"
exits 0 postern settings imap MaxConnectionsPerUser 16

# Sessions that open and close within one moment give back what they took.
for i in $(seq 100); do echo "5 open alice POP3 s"; echo "5 close s"; done >"$work/short"
exits 0 postern simulate --json --trace "$work/short" 1/1
claim "one after the other" "0 1" "$(field 1/1 refused) $(field 1/1 peak)"

# A log of the doors; with refusals, a killed daemon, and lines of others.
cat >"$work/log" <<'END'
2026-11-27T11:00:00.000Z info postern-imapd[10] listening address=127.0.0.1:143 port=143 tls=0
2026-11-27T11:00:01.000Z info postern-imapd[10] login user=alice peer=127.0.0.1:1 session=0-0-1
2026-11-27T11:00:02.000Z info postern-pop3d[11] login user=alice peer=127.0.0.1:1 tls=0 messages=0
2026-11-27T11:00:03.000Z warn postern-pop3d[11] something-else user=alice
Nov 27 11:00:03 host kernel: a line of somebody else's
2026-11-27T11:00:12.000Z info postern-pop3d[11] session-end user=alice peer=127.0.0.1:1 why=door
2026-11-27T11:00:20.000Z info postern-pop3d[11] login-refused user=alice peer=127.0.0.1:9 limit="x" value=1 held=1 why="y"
2026-11-27T11:00:21.000Z info postern-imapd[20] listening address=127.0.0.1:143 port=143 tls=0
2026-11-27T11:00:22.000Z info postern-imapd[20] login user=bob peer=127.0.0.1:1 session=0-0-2
2026-11-27T11:01:00.000Z info postern-imapd[20] logout user=bob peer=127.0.0.1:1 why=door
END
exits 0 postern simulate --json --trace - 32/16 1/1 <"$work/log"
claim "the refused one is an open" 4 "$(python3 -c 'import json; print(json.load(open("'"$work/out"'"))["opens"])')"
claim "and is told" 1 "$(python3 -c 'import json; print(json.load(open("'"$work/out"'"))["refused_in_log"])')"
claim "two at once, then two more" 2 "$(field 32/16 peak)"
claim "with one, POP3 is refused twice" 2 "$(field 1/1 refused)"

# Lines that make no sense are named.
wrong() { # LINE WORDS
	printf '1 open alice IMAP4 a\n%s\n' "$1" >"$work/trace"
	exits 1 postern simulate --trace "$work/trace"
	says "trace:2: "
	says "$2"
}
wrong "x open alice IMAP4 b" "does not begin with a number"
wrong "2 open alice SMTP b" "no such service"
wrong "2 open alice IMAP4" "neither"
wrong "2 open alice IMAP4 b c" "neither"
wrong "2 reopen alice IMAP4 b" "neither"
wrong "2 open alice IMAP4 a" "a session of that ID is open"
wrong "2 close b" "no session of that ID"
wrong "2.0001 close a" "does not begin with a number"
printf '# nothing\n' >"$work/trace"
exits 1 postern simulate --trace "$work/trace"
says "no open"
exits 1 postern simulate --trace "$work/not-there"
for wrong in "32" "32/" "a/b" "--users 0" "--hours 1000" "--mix phone" "--mix tablet=3" "--mix phone=101" "--seed x"; do
	exits 64 postern simulate $wrong
done
exits 64 postern simulate --trace "$work/trace" --users 3

# Made up: the same seed gives the same, another one does not; a higher limit never refuses more for the users' limits.
exits 0 postern simulate --users 300 --json
cp "$work/out" "$work/first"
exits 0 postern simulate --users 300 --json
cmp -s "$work/first" "$work/out" || bad "the same seed gives other figures"
python3 -c '
import json, sys
now, half, twice = json.load(open(sys.argv[1]))["limits"]
assert half["refused"] > now["refused"] > 0, (half, now)
assert twice["refused_by_total"] + twice["refused_by_service"] <= now["refused_by_total"] + now["refused_by_service"], (now, twice)
assert half["peak"] < now["peak"] <= twice["peak"], (half, now, twice)
for r in (now, half, twice):
    parts = sum(r[k] for k in ("refused_by_total", "refused_by_service", "refused_by_server", "refused_in_front"))
    assert parts == r["refused"], r
' "$work/out" || bad "figures that can't be"
exits 0 postern simulate --users 300 --seed 2 --json
cmp -s "$work/first" "$work/out" && bad "another seed gives the same figures"
exits 0 postern simulate --users 50 --hours 1 --mix phone=0,webmail=0,desktop=100,script=0,addin=0,mount=0
prints "desktop 100 %"
prints "in place of 32/16"

# The picture is XML, and says what the table does.
exits 0 postern simulate --users 100 --svg "$work/a.svg"
python3 -c '
import sys, xml.etree.ElementTree as et
root = et.parse(sys.argv[1]).getroot()
assert root.tag == "{http://www.w3.org/2000/svg}svg", root.tag
text = " ".join(t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text"))
assert "100 users, 10 hours" in text and "64 sessions, 32 of them service" in text, text
assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) == 6
' "$work/a.svg" || bad "the picture"
exits 1 postern simulate --users 1 --svg "$work/no/a.svg"

# Whatever the file of a trace is called.
printf '1 open alice IMAP4 a\n' >"$work/$(printf '\377<&"\001\355\240\200\357\277\277ü')"
exits 0 postern simulate --trace "$work"/?*ü --svg "$work/b.svg"
python3 -c '
import sys, xml.etree.ElementTree as et
title = et.parse(sys.argv[1]).getroot().find("{http://www.w3.org/2000/svg}title").text
assert title.startswith("?<&\"?" + "???" + "?ü: 1 users"), title
' "$work/b.svg" || bad "the picture of a trace with an odd name"
finish
