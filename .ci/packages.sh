# Sourced by ./run and ./check: the Debian packages that ./debian-packages lists.

# missing_packages FILE SECTION...: those of these sections that are not installed
missing_packages() {
	local file=$1 section name
	shift
	for section in "$@"; do
		awk -v want="[$section]" '/^\[/ { on = $0 == want; next } on && NF && !/^#/' "$file"
	done | while read -r name; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
	done
}

# install_packages NAME...: without a question; what apt says goes to standard output
install_packages() {
	apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}
