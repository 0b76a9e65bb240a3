# tests/mount/lib.sh - what the tests of the mount share; sourced with the build folder as $1.
#
# A store with the users alice and bob in a folder of the test's own, mounted at $mnt; everything is
# unmounted and removed at the end, however that comes.  check_* compare, and a failure names its line.
set -u
build=$(realpath "$1")
tool=$build/tests/mount/mailtool opener=$build/tests/mount/opener
[ -c /dev/fuse ] || { echo "SKIP: there is no /dev/fuse"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "SKIP: mounting for all users needs root"; exit 77; }

work=$(mktemp -d) store=$work/store mnt=$work/mnt failures=0 fs_pid=
helpers=()

finish() {
	local status=$? p
	for p in "${helpers[@]}" $fs_pid; do kill "$p" 2>/dev/null; done
	for _ in $(seq 200); do [ -n "$fs_pid" ] && kill -0 "$fs_pid" 2>/dev/null || break; sleep 0.05; done
	if [ -n "$fs_pid" ] && kill -9 "$fs_pid" 2>/dev/null; then failures=1; echo "postern-fs did not end at SIGTERM"; fi
	if [ -n "$fs_pid" ] && ! wait "$fs_pid"; then failures=1; echo "postern-fs did not end well"; fi
	umount "$mnt" 2>/dev/null || umount -l "$mnt" 2>/dev/null
	umount "$work/full" 2>/dev/null
	if [ "$failures" != 0 ] || [ $status != 0 ]; then sed 's/^/log: /' "$work/log" 2>/dev/null | tail -40; fi
	rm -rf --one-file-system "$work"
	[ "$failures" = 0 ] || status=1
	exit $status
}
trap finish EXIT

# mount_it [OPTION...]: starts postern-fs and waits until it serves
mount_it() {
	# What it inherits must not be a pipe that the test waits on.
	"$build/fs/postern-fs" --store "$store" "$@" "$mnt" >>"$work/log" 2>&1 </dev/null &
	fs_pid=$!
	for _ in $(seq 600); do
		mountpoint -q "$mnt" && return
		kill -0 "$fs_pid" 2>/dev/null || break
		sleep 0.05
	done
	echo "the mount did not come up"; exit 1
}
unmount_it() {
	kill "$fs_pid"
	for _ in $(seq 200); do kill -0 "$fs_pid" 2>/dev/null || break; sleep 0.05; done
	if kill -9 "$fs_pid" 2>/dev/null; then fail "postern-fs did not end at SIGTERM"; fi
	wait "$fs_pid" || fail "postern-fs ended with status $?"
	fs_pid=
}

fail() { failures=$((failures + 1)); echo "line ${BASH_LINENO[1]}: $*"; }
# check_eq WANT GOT
check_eq() { [ "$1" = "$2" ] || fail "wanted <$1>, got <$2>"; }
check_has() { case $2 in *"$1"*) ;; *) fail "wanted <$1> in <$2>" ;; esac; }
check_ok() { "$@" || fail "failed: $*"; }
check_fails() { # TEXT COMMAND...: fails, and says so
	local text=$1 out; shift
	if out=$("$@" 2>&1); then fail "should have failed: $*"; else check_has "$text" "$out"; fi
}
same() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }
# cmp_count FILE OTHER...: how many of the others have its octets
cmp_count() { local a=$1 n=0 f; shift; for f; do ! cmp -s "$a" "$f" || n=$((n + 1)); done; echo $n; }
# soon COMMAND...: true within a while (what another process did is told in a millisecond, not in none)
soon() { for _ in $(seq 200); do "$@" && return; sleep 0.05; done; fail "never: $*"; }
held() { "$tool" "$store" held "$1"; }
is_held() { [ "$(held "$1")" = "$2" ]; }
count() { ls -b "$1" | wc -l; }

mkdir "$mnt"
"$tool" "$store" init && "$tool" "$store" user alice && "$tool" "$store" user bob || exit 1
