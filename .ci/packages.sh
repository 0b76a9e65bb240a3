# Sourced by ./run and ./check: the Debian packages that ./debian-packages lists.

# packages_of FILE SECTION...
packages_of() {
	local file=$1 section
	shift
	for section in "$@"; do
		awk -v want="[$section]" '/^\[/ { on = $0 == want; next } on && NF && !/^#/' "$file"
	done
}

# missing_packages FILE SECTION...: those of these sections that are not installed
missing_packages() {
	local name
	packages_of "$@" | while read -r name; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
	done
}

# install_packages NAME...: without a question; what apt says goes to standard output
install_packages() {
	apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# unpack_packages FOLDER NAME...: each into FOLDER/NAME, with the libraries that are missing here.  For what can't be
# installed side by side, or would start daemons; FOLDER/NAME.log says why one is not there.
unpack_packages() {
	local folder name
	mkdir -p "$1"
	folder=$(cd "$1" && pwd)
	shift
	for name in "$@"; do
		[ -d "$folder/$name" ] || unpack_package "$folder/$name" "$name" >"$folder/$name.log" 2>&1 || tail -n 3 "$folder/$name.log"
	done
}

# unpack_package FOLDER NAME: FOLDER is there when all of it is
unpack_package() {
	local new=$1.new deb
	rm -rf "$new" && mkdir "$new" || return 1
	(
		cd "$new" || exit 1
		download_package "$2" || { apt-get update && download_package "$2"; } || exit 1
		for deb in *.deb; do
			dpkg-deb -x "$deb" . && rm "$deb" || exit 1
		done
	) && mv "$new" "$1"
}

# download_package NAME: it and its missing libraries, into this folder
download_package() {
	local libraries
	libraries=$(apt-get install -s --no-install-recommends "$1" | awk '$1 == "Inst" && $2 ~ /^lib/ { print $2 }') || return 1
	# shellcheck disable=SC2086 # the names are words
	apt-get download "$1" $libraries
}
