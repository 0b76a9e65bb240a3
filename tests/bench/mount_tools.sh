#!/bin/bash
# tests/bench/mount_tools.sh BUILD [N] [WHAT...] - what people and their tools do, over N (10000) warm messages of
# 4 KB in one folder: the mount against a FUSE file system that does nothing else, and against ext4.
#
# WHAT: floor, ext4, cold, cp, million; all but the last where none is named.
#   floor    fsload's workloads and tools, the mount beside memfs: median ratios of interleaved rounds
#   ext4     the same, the mount beside a folder of ext4, and memfs beside it: what FUSE itself costs
#   cold     the first listing after postern-fs started on a store that nobody has open
#   cp       1,000 messages copied in, each on the disk when cp has closed it, beside ext4 with fsync of each
#            file and of the folder
#   million  1,000,000 messages in ten folders, one of them listed: the daemon's resident memory
#
# Client and daemon share one CPU in floor and ext4: there what counts is the work (tests/bench/mount.sh says more).
set -eu
build=$(realpath "$1"); n=${2:-10000}; shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- floor ext4 cold cp
[ -c /dev/fuse ] || { echo "SKIP: no /dev/fuse"; exit 77; }
work=$(mktemp -d); fast=$(mktemp -d -p /dev/shm); pids=()
finish() {
	for m in "$work/post" "$work/mem"; do umount "$m" 2>/dev/null || umount -l "$m" 2>/dev/null || :; done
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || :; wait "$p" 2>/dev/null || :; done
	rm -rf --one-file-system "$work" "$fast"
}
trap finish EXIT
mkdir "$work/post" "$work/mem" "$work/plain"
tool=$build/tests/mount/mailtool fsload=$build/tests/bench/fsload
cpus=$(taskset -cp $$); cpus=${cpus##* }; cpu=${cpus%%[-,]*}
now() { date +%s%N; }

serve() {
	"$build/fs/postern-fs" --store "$work/store" --log-level error "$work/post" & pids+=($!)
	for _ in $(seq 200); do mountpoint -q "$work/post" && return; sleep 0.05; done
	echo "the mount did not come up"; exit 1
}
stop() {
	local last=${pids[-1]}
	kill "$last"; wait "$last" || :
	unset 'pids[-1]'
}
folder=$work/post/mail/alice/INBOX
fill() { # FOLDER N SIZE
	# The runtime folder on a tmpfs, as /run is.
	[ -d "$work/store" ] || { "$build/ctl/postern" init "$work/store" --runtime "$fast/run" >/dev/null; "$tool" "$work/store" user alice; }
	"$tool" "$work/store" gen alice "$1" "$2" "$3"
}

# A line of fsload's TSV is: workload, threads, seconds of A, of B, operations, median ratio, least, most, wrong
report() { # TSV BEHIND BAR
	awk -F'\t' -v behind="$2" -v bar="$3" '{
		name = $1 ($2 > 0 ? " x" $2 : "")
		printf "figure: %s, %d messages, %s | %.2f x | %s\n", name, n, behind, $6, bar
		if ($9 > 0) { print "WRONG answers in " name; wrong = 1 } } END { exit wrong }' n="$n" "$1"
}
on_one_cpu() { # FILE A B OPTION...
	local out=$1 a=$2 b=$3; shift 3
	for p in "${pids[@]}"; do taskset -acp "$cpu" "$p" >/dev/null; done
	taskset -c "$cpu" "$fsload" -k -C "$fast" -t 1,4 -o "$out" "$@" "$a" "$b"
}

do_floor() {
	on_one_cpu "$work/floor.tsv" "$folder" "$work/mem" -r 5
	report "$work/floor.tsv" "over a FUSE file system that does nothing" "1.3 x"
}
do_ext4() {
	on_one_cpu "$work/ext4.tsv" "$folder" "$work/plain" -r 3
	report "$work/ext4.tsv" "over ext4" ""
	on_one_cpu "$work/mem.tsv" "$work/mem" "$work/plain" -r 3
	report "$work/mem.tsv" "a FUSE file system that does nothing over ext4" ""
}

do_cold() {
	local times=() t
	for _ in 1 2 3 4 5; do
		serve
		t=$(python3 -c 'import os, sys, time
begun = time.monotonic()
count = len(os.listdir(sys.argv[1]))
print(int((time.monotonic() - begun) * 1e6), count)' "$folder")
		[ "${t#* }" = "$n" ] || { echo "listed ${t#* } of $n"; exit 1; }
		times+=("${t% *}")
		stop
	done
	printf '%s\n' "${times[@]}" | sort -n | sed -n 3p | awk -v n="$n" '{
		printf "figure: first listing of %d messages after the daemon started | %.1f ms | 60 ms\n", n, $1 / 1000 }'
}

do_cp() {
	local a=() b=() round
	mkdir -p "$fast/in"
	"$fsload" gen "$fast/in" 1 1000 4096 >/dev/null
	serve
	once() { # how many milliseconds; $1 is mount or ext4
		local t0
		if [ "$1" = mount ]; then
			mkdir "$work/post/mail/alice/cp$2"; t0=$(now)
			cp "$fast"/in/*.eml "$work/post/mail/alice/cp$2/"
		else
			mkdir "$work/ext4-$2"; t0=$(now)
			python3 - "$fast/in" "$work/ext4-$2" <<'P'
import os, sys
source, target = sys.argv[1:]
folder = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
for name in sorted(os.listdir(source)):
    with open(os.path.join(source, name), "rb") as f:
        octets = f.read()
    fd = os.open(os.path.join(target, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, octets)
    os.fsync(fd)
    os.close(fd)
    os.fsync(folder)
P
		fi
		echo $((($(now) - t0) / 1000))
	}
	for round in 1 2 3; do
		a+=("$(once mount "$round")"); b+=("$(once ext4 "$round")")
		[ "$(ls "$work/post/mail/alice/cp$round" | wc -l)" = 1000 ] || { echo "cp lost something"; exit 1; }
	done
	stop
	awk -v a="$(printf '%s\n' "${a[@]}" | sort -n | sed -n 2p)" -v b="$(printf '%s\n' "${b[@]}" | sort -n | sed -n 2p)" 'BEGIN {
		printf "cp of 1000 messages: the mount %.0f ms, ext4 with fsync of each file and the folder %.0f ms\n", a / 1000, b / 1000
		printf "figure: cp of 1,000 messages in, each durable, over ext4 with fsync per file and folder | %.2f x | 1 x\n", a / b }'
}

do_million() {
	local i rss
	for i in 0 1 2 3 4 5 6 7 8 9; do fill "Folder$i" 100000 400; done
	serve
	for i in 0 1 2 3 4 5 6 7 8 9; do stat "$work/post/mail/alice/Folder$i" >/dev/null; done
	[ "$(ls -U "$work/post/mail/alice/Folder3" | wc -l)" = 100000 ] || { echo "not all are listed"; exit 1; }
	ls -lU "$work/post/mail/alice/Folder3" >/dev/null
	rss=$(awk '/^VmHWM/ { print $2 }' "/proc/${pids[-1]}/status")
	stop
	awk -v rss="$rss" 'BEGIN { printf "figure: 1,000,000 messages mounted, 100,000 of them listed: resident memory at most | %.0f MB | 150 MB\n", rss / 1024 }'
}

case " $* " in *" floor "*|*" ext4 "*|*" cold "*) fill INBOX "$n" 4096 ;; *) fill INBOX 1 4096 ;; esac
case " $* " in *" floor "*|*" ext4 "*)
	serve
	find "$folder" -name '*.eml' -exec cp -p -t "$work/plain" {} +
	"$build/tests/bench/memfs" "$work/plain" "$work/mem" & pids+=($!)
	for _ in $(seq 200); do mountpoint -q "$work/mem" && break; sleep 0.05; done
	for what; do case $what in floor) do_floor ;; ext4) do_ext4 ;; esac; done
	umount "$work/mem"; wait "${pids[-1]}" || :; unset 'pids[-1]'
	stop ;;
esac
for what; do case $what in cold) do_cold ;; cp) do_cp ;; million) do_million ;; esac; done
