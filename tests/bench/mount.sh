#!/bin/bash
# tests/bench/mount.sh BUILD [N] - cat of N (3000) warm messages: the mount against a FUSE file system that
# does nothing else, with the same files.  Prints the median of five interleaved rounds and the ratio.
#
# Twice: client and daemon on one CPU, where what counts is the work, and on two, where waking each other does.
# Left to the scheduler, one side may get the one and the other the other, a difference of three to one.
# Neither side is asked to READ in a timed round (both keep_cache): per file it is OPEN and RELEASE.
# All is on a tmpfs, as the runtime folder of an installed store is (/run): what a timed round writes is there.
set -eu
build=$(realpath "$1"); n=${2:-3000}
[ -c /dev/fuse ] || { echo "SKIP: no /dev/fuse"; exit 77; }
work=$(mktemp -d -p /dev/shm); pids=()
finish() {
	for m in post mem; do umount "$work/$m" 2>/dev/null || umount -l "$work/$m" 2>/dev/null || :; done
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || :; wait "$p" 2>/dev/null || :; done
	umount "$work/tmp" 2>/dev/null || :
	rm -rf "$work"
}
trap finish EXIT
mkdir "$work/post" "$work/mem" "$work/plain"
tool=$build/tests/mount/mailtool
"$tool" "$work/store" init; "$tool" "$work/store" user alice; "$tool" "$work/store" gen alice INBOX "$n" 4096
"$build/fs/postern-fs" --store "$work/store" --log-level error "$work/post" & pids+=($!)
for _ in $(seq 100); do mountpoint -q "$work/post" && break; sleep 0.05; done
folder=$work/post/mail/alice/INBOX
cp "$folder"/*.eml "$work/plain/"
"$build/tests/bench/memfs" "$work/plain" "$work/mem" & pids+=($!)
for _ in $(seq 100); do mountpoint -q "$work/mem" && break; sleep 0.05; done

cpus=$(taskset -cp $$); cpus=${cpus##* }
first=${cpus%%[-,]*} last=${cpus##*[-,]}
now() { date +%s%N; }
once() { # DIRECTORY: microseconds
	local t0 t1; t0=$(now); (cd "$1" && taskset -c "$first" cat -- *.eml) >/dev/null; t1=$(now)
	echo $(((t1 - t0) / 1000))
}
median() { printf '%s\n' "$@" | sort -n | sed -n 3p; }
compare() { # CPU-OF-THE-DAEMONS WHAT
	local a=() b=() p round
	for p in "${pids[@]}"; do taskset -acp "$1" "$p" >/dev/null; done
	once "$folder" >/dev/null; once "$work/mem" >/dev/null # warm
	for round in 1 2 3 4 5; do
		if ((round % 2)); then a+=("$(once "$folder")"); b+=("$(once "$work/mem")")
		else b+=("$(once "$work/mem")"); a+=("$(once "$folder")"); fi
	done
	awk -v a="$(median "${a[@]}")" -v b="$(median "${b[@]}")" -v n="$n" -v what="$2" 'BEGIN {
		printf "mount: cat of %d warm messages, %s: postern %.1f ms, floor %.1f ms, %.1f and %.1f us a file, ratio %.2f (bar 1.5)\n",
		    n, what, a / 1000, b / 1000, a / n, b / n, a / b
		printf "figure: cat of %d warm messages, %s, against a FUSE file system that does nothing | %.2f x | 1.5 x\n", n, what, a / b }'
}

cmp <(cat "$folder"/*.eml) <(cat "$work/mem"/*.eml)
compare "$first" "on one CPU"
if [ "$first" = "$last" ]; then echo "mount: there is no second CPU"; else compare "$last" "on two CPUs"; fi
