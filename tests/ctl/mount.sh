# postern mount and umount: back when it is mounted, gone when it is unmounted, clear when it can't be.
. "$(dirname "$0")/common.sh"
[ -x "$BUILD/fs/postern-fs" ] || { echo "postern-fs is not built"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "only root can mount here"; exit 77; }
[ -c /dev/fuse ] && (exec 3<>/dev/fuse) 2>/dev/null || { echo "/dev/fuse can't be opened"; exit 77; }
new_store alice
printf 'Subject: x\n\nbody\n' >"$work/a.eml"
exits 0 postern import alice -q "$work/a.eml"
mnt=$work/mnt
mkdir "$mnt"
at_exit() { ! findmnt -n -M "$mnt" >/dev/null || umount -l "$mnt"; }

exits 0 postern mount "$mnt" --log "$work/fs.log"
claim "mounted when it returns" "$(cat "$work/a.eml")" "$(cat "$mnt"/mail/alice/INBOX/*.eml)"
exits 1 postern mount "$mnt" --log "$work/fs.log"
says "nothing is mounted"

exec 5<"$(echo "$mnt"/mail/alice/INBOX/*.eml)"
exits 1 postern umount "$mnt"
says "in use"
exec 5<&-
exits 0 postern umount "$mnt"
findmnt -n -M "$mnt" >/dev/null && bad "still mounted"
exits 1 postern umount "$mnt"
says "no mount of postern's"
[ -d "$mnt" ] || bad "the mount point itself is gone"

exits 1 postern mount "$work/nowhere" --log "$work/fs.log"
exits 1 "$POSTERN" --store "$work/nostore" mount "$mnt"
says "postern init"

# serve keeps it mounted: killed, it comes back; stopped, it goes.
mapfile -t ports < <(free_ports 3)
printf '[pop3]\nlisten = 127.0.0.1:%s\n[imap]\nlisten = 127.0.0.1:%s\n[lmtp]\nlisten = 127.0.0.1:%s\n[mount]\nat = ../mnt\n' "${ports[@]}" >>"$store/store.conf"
"$POSTERN" --store "$store" serve --log-dir "$work/log" >"$work/serve.out" 2>"$work/serve.err" &
serve=$!
at_exit() {
	kill -TERM "$serve" 2>/dev/null && wait "$serve"
	! findmnt -n -M "$mnt" >/dev/null || umount -l "$mnt"
}
shows() { grep -q body "$mnt"/mail/alice/INBOX/*.eml; }
wait_for 20 grep -qx ready "$work/serve.out" || { cat "$work/serve.err"; exit 1; }
shows || bad "ready, but not mounted"
kill -9 "$(pgrep -P "$serve" -f postern-fs)"
wait_for 15 shows || bad "not mounted again"
kill -TERM "$serve"
wait "$serve"
claim "a clean stop" 0 $?
findmnt -n -M "$mnt" >/dev/null && bad "the mount outlives its supervisor"
finish
