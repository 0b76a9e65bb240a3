# postern top: one frame as text, exactly; what it refuses; and a terminal that is used and given back (top.py).
. "$(dirname "$0")/common.sh"
new_store alice bob
serve_pop3

login() { # USER, into descriptor 5 or what $2 says, until its last answer came
	eval "exec ${2:-5}<>/dev/tcp/127.0.0.1/$port"
	printf 'USER %s\r\nPASS %s-pw\r\n' "$1" "$1" >&"${2:-5}"
	head -n 3 <&"${2:-5}"
}
frame() { tr -s " " <"$work/out" | sed -e "s/; half of them within .*//" -e "s/ [0-9]*s \([0-9]*\)$/ IDLE \1/"; }

exits 64 postern top --interval 0
exits 64 postern top --interval 3601
exits 64 postern top --order size
says "user, count, idle and refused"
exits 1 postern top --once --user nobody
exits 0 postern top --once
claim "an empty store's frame" 'sessions 0: direct 0 service 0 transport 0 admin 0
services of 10000 each: fs 0 IMAP4 0 POP3 0 OWA 0 EWS 0 EAS 0 transport 0
granted 0 since the host is up
refused 0 since the host is up
reaped 0 since the host is up; killed processes 0, silent peers 0
users 0 hold any; at 80 % of a limit or over: 0, at a limit: 0

USER SESSIONS SERVICE SESSIONS IDLE REFUSED' "$(frame)"

# One of each; then bob is at a limit of one, and refused.
login alice 5 >/dev/null
login bob 6 >/dev/null
exits 0 postern reg add -v 'Maximum Allowed Service Sessions Per User' -d 1
login bob 7 >"$work/refused"
grep -q -- '-ERR' "$work/refused" || bad "bob gets a second session: $(cat "$work/refused")"
exits 0 postern top
claim "a frame where standard output is no terminal" 'sessions 2: direct 0 service 2 transport 0 admin 0
services of 10000 each: fs 0 IMAP4 0 POP3 2 OWA 0 EWS 0 EAS 0 transport 0
granted 2 since the host is up
refused 1 since the host is up: Maximum Allowed Service Sessions Per User 1
reaped 0 since the host is up; killed processes 0, silent peers 0
users 2 hold any; at 80 % of a limit or over: 2, at a limit: 2

USER SESSIONS SERVICE SESSIONS IDLE REFUSED
alice [#.........] 1 of 32 [##########] 1 of 1 IDLE 0
bob [#.........] 1 of 32 [##########] 1 of 1 IDLE 1' "$(frame)"
prints "; half of them within "

first() { sed -n '9s/ .*//p' "$work/out"; }
exits 0 postern top --once --order refused
claim "who was refused comes first" bob "$(first)"
exits 0 postern top --once --order user
claim "by name" alice "$(first)"
exits 0 postern top users --once --user bob
claim "one user's row" "bob" "$(sed 1,8d "$work/out" | cut -d ' ' -f 1)"
prints "sessions  2:"
exits 0 postern top sessions --once --order user
claim "sessions by user" "alice bob" "$(sed 1,8d "$work/out" | awk '{print $2}' | xargs)"
exits 0 postern reg add -v 'Disable Session Limit' -d 1
exits 0 postern top --once
prints "users     2 hold any; the limits are switched off"

python3 "$(dirname "$0")/top.py" "$POSTERN" "$store" || bad "on a terminal"
exits 0 postern sessions list bob --json
claim "bob's session was ended on the terminal" "[]" "$(tr -d '\n' <"$work/out")"
finish
