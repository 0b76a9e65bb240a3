# ./run: ready, mail through every door, kept when run again, everything gone after SIGTERM.
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || { echo "only root can run it"; exit 77; }
demo=$work/demo
base=$(python3 - <<'END'
import socket
for base in range(20000, 60000, 1000):
    try: # all four ports are free
        [socket.create_server(("127.0.0.1", base + n)).close() for n in (110, 143, 993, 995)]
        print(base)
        break
    except OSError:
        pass
END
)
run=
at_exit() {
	[ -z "$run" ] || kill -TERM "$run" 2>/dev/null
	[ -z "$run" ] || wait "$run" 2>/dev/null
	! findmnt -n -M "$demo/mnt" >/dev/null || umount -l "$demo/mnt"
	! findmnt -n -M "$demo/run" >/dev/null || umount -l "$demo/run"
}

start() {
	: >"$work/run.out" # now, and not when the background gets to it: the last one's `ready` is there
	POSTERN_BUILD=$BUILD "$SOURCE/run" --dir "$demo" --base-port "$base" >"$work/run.out" 2>"$work/run.err" &
	run=$!
}
is_ready() { grep -qx ready "$work/run.out" || ! kill -0 "$run"; }
mail() { "$demo/bin/postern" folder list "$1" | awk '{ n += $1 } END { print n }'; }

exits 1 "$SOURCE/run" --base-port many
exits 1 "$SOURCE/run" --frobnicate
start
wait_for 200 is_ready
grep -qx ready "$work/run.out" || { cat "$work/run.err" "$demo"/log/*.log >&2; exit 1; }
[ "$(mail alice)" -gt 100 ] && [ "$(mail bob)" -gt 100 ] && [ "$(mail carol)" -gt 100 ] || bad "too little mail"
head -n 1 <"/dev/tcp/127.0.0.1/$((base + 110))" | grep -q '^+OK' || bad "POP3 does not answer"
head -n 1 <"/dev/tcp/127.0.0.1/$((base + 143))" | grep -q '^\* OK' || bad "IMAP4 does not answer"
for port in 993 995; do
	printf 'QUIT\r\n' | timeout 10 gnutls-cli --no-ca-verification -p "$((base + port))" 127.0.0.1 2>&1 |
		grep -q 'Handshake was completed' || bad "no TLS on $((base + port))"
done
if [ -x "$BUILD/fs/postern-fs" ] && [ -c /dev/fuse ] && (exec 3<>/dev/fuse) 2>/dev/null; then
	[ "$(ls "$demo/mnt/mail/alice/INBOX" | grep -c '\.eml$')" -gt 10 ] || bad "the mount shows no mail"
	cat "$demo"/mnt/mail/alice/INBOX/*.eml | grep -q '^Subject:' || bad "no message can be read"
	claim "sys/" 0 "$(cat "$demo/mnt/sys/sessions" >/dev/null; echo $?)"
fi
claim "a second ./run in the same folder is refused" 1 "$("$SOURCE/run" --dir "$demo" >/dev/null 2>&1; echo $?)"

"$demo/bin/postern" folder create alice 'Mine'
before=$(mail alice)
kill -TERM "$run"
wait "$run"
claim "a clean stop" 0 $?
findmnt -n -M "$demo/mnt" >/dev/null && bad "still mounted"
findmnt -n -M "$demo/run" >/dev/null && bad "the runtime folder is still mounted"
(exec 3<>"/dev/tcp/127.0.0.1/$((base + 110))") 2>/dev/null && bad "POP3 still answers"

start
wait_for 100 is_ready
grep -qx ready "$work/run.out" || { cat "$work/run.err" >&2; exit 1; }
"$demo/bin/postern" folder list alice | grep -q 'Mine' || bad "the store was not kept"
claim "as much mail as before" "$before" "$(mail alice)"

# Killed, it leaves nothing running, and can be run again.
kill -9 "$run"
wait "$run" 2>/dev/null
silent() { ! (exec 3<>"/dev/tcp/127.0.0.1/$((base + 110))") 2>/dev/null; }
wait_for 20 silent || bad "daemons outlive ./run"
unmounted() { ! findmnt -n -M "$demo/mnt" >/dev/null; }
wait_for 20 unmounted || bad "the mount outlives ./run"
start
wait_for 100 is_ready
grep -qx ready "$work/run.out" || { cat "$work/run.err" >&2; bad "it does not start after it was killed"; }
kill -TERM "$run"
wait "$run"
run=
finish
