# postern serve: ready, restarts, a clean stop, and what stops it from starting.
. "$(dirname "$0")/common.sh"
[ -x "$BUILD/pop3d/postern-pop3d" ] || { echo "postern-pop3d is not built"; exit 77; }
new_store alice
mapfile -t ports < <(free_ports 3)
printf '[pop3]\nlisten = 127.0.0.1:%s\n[imap]\nlisten = 127.0.0.1:%s\n[lmtp]\nlisten = 127.0.0.1:%s\n' "${ports[@]}" >>"$store/store.conf"
serve=
at_exit() { [ -z "$serve" ] || kill -9 "$serve" 2>/dev/null; }

start() {
	: >"$work/serve.out"
	postern serve --log-dir "$work/log" "$@" >"$work/serve.out" 2>"$work/serve.err" &
	serve=$!
}
is_ready() { grep -qx ready "$work/serve.out"; }
child() { pgrep -P "$serve" -f "$1"; } # only of our own process
greets() { head -n 1 <"/dev/tcp/127.0.0.1/${ports[0]}" | grep -q '^+OK'; }

postern() { exec "$POSTERN" --store "$store" "$@"; } # so that $! is the program itself
start
wait_for 20 is_ready || { cat "$work/serve.err" "$work"/log/*; exit 1; }
greets || bad "ready, but POP3 does not answer"
[ -s "$work/log/postern-pop3d.log" ] || bad "no log of its own"

# Killed: started again, and ready is said once.
first=$(child postern-pop3d)
kill -9 "$first"
wait_for 10 greets || bad "not restarted"
[ "$(child postern-pop3d)" != "$first" ] || bad "the same process"
claim "one ready" 1 "$(grep -c ready "$work/serve.out")"

# Asked to stop: nothing is left.
children=$(pgrep -P "$serve")
kill -TERM "$serve"
wait "$serve"
claim "a clean stop" 0 $?
for pid in $children; do kill -0 "$pid" 2>/dev/null && bad "process $pid is still there"; done

# Killed itself: its daemons end as well.
start
wait_for 20 is_ready || bad "not ready again"
children=$(pgrep -P "$serve")
kill -9 "$serve"
wait "$serve" 2>/dev/null
gone() { local pid; for pid in $children; do kill -0 "$pid" && return 1; done; return 0; }
wait_for 10 gone || bad "daemons outlive their supervisor"

# A daemon that can't start is named, and ends the others.
python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("held", flush=True)
time.sleep(60)' "${ports[0]}" >"$work/held" &
holder=$!
wait_for 10 grep -q held "$work/held"
start
wait "$serve"
claim "exit status" 1 $?
grep -q 'postern-pop3d ended before it was ready' "$work/serve.err" || bad "it is not named: $(cat "$work/serve.err")"
is_ready && bad "it was never ready"
kill "$holder"
wait "$holder" 2>/dev/null
serve=
finish
