# postern export: targets, mbox, names of folders.
. "$(dirname "$0")/common.sh"
new_store alice
printf 'Subject: x\n\nFrom the start\n>From quoted\n' >"$work/a.eml"
printf 'Subject: y\r\n\r\nno end' >"$work/b.eml"
exits 0 postern import alice -q --folder 'Deep/.hidden/cur' "$work/a.eml" "$work/b.eml"

exits 0 postern export alice "$work/maildir"
claim "names that mean something else are encoded" "$(octets "$work/a.eml" "$work/b.eml")" \
	"$(octets "$work/maildir/Deep/%2Ehidden/%63ur/cur")"
[ -d "$work/maildir/INBOX/new" ] || bad "an empty folder is a Maildir too"
exits 1 postern export alice "$work/maildir"
says "not empty"

exits 0 postern export alice "$work/mbox" --format mbox
box=$work/mbox/Deep/%2Ehidden/%63ur.mbox
claim "two From_ lines" 2 "$(grep -c '^From MAILER-DAEMON ' "$box")"
claim "quoted" 1 "$(grep -c '^>From the start$' "$box")"
claim "quoted once more" 1 "$(grep -c '^>>From quoted$' "$box")"
printf 'x\n' | postern user add bob --password-stdin
exits 0 postern import bob -q "$box"
exits 0 postern export bob "$work/back"
printf 'Subject: y\r\n\r\nno end\n' >"$work/b.eml" # what the form needs
claim "back again" "$(octets "$work/a.eml" "$work/b.eml")" "$(octets "$work/back")"

# Every name comes back from an export as it was.
printf 'x\n' | postern user add carol --password-stdin
printf 'x\n' | postern user add dan --password-stdin
for f in INBOX/cur A/new/tmp .. ../x %2E. %63ur 50%25; do
	exits 0 postern import carol -q --folder "$f" "$work/a.eml"
done
exits 0 postern export carol "$work/names"
exits 0 postern import dan -q --folder / --recursive-folders "$work/names"
claim "the same folders" "$(postern folder list carol)" "$(postern folder list dan)"

exits 64 postern export alice "$work/z" --format zip
exits 1 postern export alice "$work/y" --folder Nowhere
exits 1 postern export dave "$work/x"
finish
