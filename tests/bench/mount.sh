#!/bin/bash
# tests/bench/mount.sh BUILD [N] - cat of N (3000) warm messages: the mount against a FUSE file system that
# does nothing else, with the same files.  Prints the median of five interleaved rounds and the ratio.
set -eu
build=$(realpath "$1"); n=${2:-3000}
[ -c /dev/fuse ] || { echo "SKIP: no /dev/fuse"; exit 77; }
work=$(mktemp -d); pids=()
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

now() { date +%s%N; }
once() { local t0 t1; t0=$(now); (cd "$1" && cat -- *.eml) >/dev/null; t1=$(now); echo $(((t1 - t0) / 1000)); }
median() { sort -n | sed -n 3p; }
once "$folder" >/dev/null; once "$work/mem" >/dev/null # warm
cmp <(cat "$folder"/*.eml) <(cat "$work/mem"/*.eml)
a=() b=()
for round in 1 2 3 4 5; do
	if ((round % 2)); then a+=("$(once "$folder")"); b+=("$(once "$work/mem")")
	else b+=("$(once "$work/mem")"); a+=("$(once "$folder")"); fi
done
pa=$(printf '%s\n' "${a[@]}" | median); pb=$(printf '%s\n' "${b[@]}" | median)
awk -v a="$pa" -v b="$pb" -v n="$n" 'BEGIN {
	printf "mount: cat of %d warm messages: postern %.1f ms, floor %.1f ms, %.1f and %.1f us a file, ratio %.2f (bar 1.5)\n",
	    n, a / 1000, b / 1000, a / n, b / n, a / b
	printf "figure: cat of %d warm messages, against a FUSE file system that does nothing | %.2f x | 1.5 x\n", n, a / b }'
