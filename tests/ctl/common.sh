# Sourced by the tests of this folder: a store of their own, `postern` pointed at it, and claims.
set -u
work=$(mktemp -d)
store=$work/store
failed=0
trap 'at_exit; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
at_exit() { :; } # a test that starts something says here how it ends

postern() { "$POSTERN" --store "$store" "$@"; }

new_store() {
	"$POSTERN" init "$store" --runtime run || exit 1
	local user
	for user; do
		printf '%s-pw\n' "$user" | postern user add "$user" --password-stdin || exit 1
	done
}

bad() {
	printf 'FAILED: %s\n' "$*" >&2
	failed=1
}

# claim WHAT EXPECTED GOT
claim() { [ "$2" = "$3" ] || bad "$1: expected [$2], got [$3]"; }

# exits N COMMAND...: its standard output and error are kept in $work/out and $work/err
exits() {
	local want=$1 got=0
	shift
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ "$got" = "$want" ] || {
		bad "\`$*\`: expected exit status $want, got $got"
		sed 's/^/    /' "$work/err" >&2
	}
}

says() { grep -qF -- "$1" "$work/err" || bad "standard error does not say [$1]: $(cat "$work/err")"; }
prints() { grep -qF -- "$1" "$work/out" || bad "standard output does not say [$1]: $(cat "$work/out")"; }

# The octets of all files below a folder, as sums in an order that names do not matter to.
octets() { find "$@" -type f -exec sha256sum {} + | cut -c 1-64 | sort; }

free_ports() { # N: so many, one a line
	python3 - "$1" <<-'END'
	import socket, sys
	held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
	print(*(s.getsockname()[1] for s in held), sep="\n")
	END
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" 2>/dev/null; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# POP3 at $port, and the authd that it asks; a test that ends them in a way of its own has $pop3d and $authd.
serve_pop3() {
	[ -x "$BUILD/pop3d/postern-pop3d" ] || { echo "postern-pop3d is not built"; exit 77; }
	port=$(free_ports 1)
	printf '[pop3]\nlisten = 127.0.0.1:%s\n[auth]\nmta_listen =\n' "$port" >>"$store/store.conf"
	"$BUILD/authd/postern-authd" --store "$store" 2>"$work/authd.log" &
	authd=$!
	"$BUILD/pop3d/postern-pop3d" --store "$store" 2>"$work/pop3d.log" &
	pop3d=$!
	at_exit() { end_pop3; }
	wait_for 10 [ -S "$store/run/auth" ] || { cat "$work/authd.log"; exit 1; }
	wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" || { cat "$work/pop3d.log"; exit 1; }
}
end_pop3() { kill -9 "$pop3d" "$authd" 2>/dev/null; }

finish() { exit "$failed"; }
