# SPDX-License-Identifier: ISC
# Drivers as extensions, for make-disc, which has the layers.
# shellcheck shell=bash
read_driver=$TOP/packages/lib/driver

# find_driver NAME|PATH: sets $driver to a copy of its descriptor, which nobody
# else has.  One in packages/vendor goes before the recipe: filled in, it is no
# part of any disc.
find_driver() {
	local delivery
	case $1 in
	*/*) driver=$1 ;;
	*)
		check_name "a driver" "$1"
		driver=$KEYROOM_TREE/packages/vendor/$1.conf
		[ -e "$driver" ] || driver=$TOP/packages/drivers/$1.conf ;;
	esac
	[ -r "$driver" ] || die "no driver $1: neither packages/vendor/$1.conf nor packages/drivers/$1.conf"
	cp -- "$driver" "$work/${driver##*/}"
	driver=$work/${driver##*/}
	delivery=$("$read_driver" get delivery "$driver") || die "the descriptor of $1 is at fault"
	[ "$delivery" = extension ] || die "$1 is on the disc already"
}

# find_vendor DESCRIPTOR FILE: sets $vendor, a copy of the vendor's file, with the
# hash that the descriptor has for it; "-": it names none.
find_vendor() {
	local line name want got file=$2
	line=$("$read_driver" get vendor "$1")
	read -r name want <<<"$line"
	vendor=-
	if [ -z "$name" ]; then
		[ -z "$file" ] || die "${1##*/} names no vendor file, so $file is not used"
		return
	fi
	file=${file:-$KEYROOM_TREE/packages/vendor/$name}
	[ -r "$file" ] || die "${1##*/} needs the vendor's file $name (SHA-256 $want): put it into packages/vendor, or give VENDOR=FILE"
	[ "${file##*/}" = "$name" ] || die "${1##*/} needs the vendor's file $name, this is ${file##*/}"
	mkdir -p "$work/vendor"
	cp -- "$file" "$work/vendor/$name"
	got=$(sha256 "$work/vendor/$name")
	[ "$want" != - ] || die "${1##*/} has no hash for $name; this one has SHA-256 $got: compare it with the vendor's, and write it into your copy, packages/vendor/${1##*/}"
	[ "$got" = "$want" ] || die "$name has SHA-256 $got, ${1##*/} says $want"
	vendor=$work/vendor/$name
}

# check_packages DESCRIPTOR: the lock has each of its packages, for every disc or for
# this driver.
check_packages() {
	local name package packages locked resolved
	name=$(basename "$1" .conf)
	packages=$("$read_driver" get package "$1")
	locked=$({ of_role image && of_role "$name"; } | cut -d' ' -f1)
	for package in $packages; do
		! grep -qxF -e "$package" <<<"$locked" || continue
		resolved=$("$read_driver" get package "$TOP/packages/drivers/$name.conf" 2>/dev/null) || resolved=''
		! grep -qxF -e "$package" <<<"$resolved" ||
			die "the lock does not have $package for the driver $name: run make lock"
		die "the lock does not have $package for the driver $name: make lock reads the packages of packages/drivers/$name.conf alone, write the line there, too, and run it"
	done
}

# make_extension DESCRIPTOR [FILE]: sets $made.
make_extension() {
	local name by
	find_vendor "$1" "${2-}"
	name=$(basename "$1" .conf)
	check_packages "$1"
	by=$(hash_of image/lib/{make-extension,common.sh,in-root.sh} image/squash/squash packages/lib/driver)
	by=$(key "$lock_hash" "$KEYROOM_VERSION" "$SOURCE_DATE_EPOCH" \
		"$(sha256 "$1")" "$("$read_driver" get vendor "$1")" "$by" "${builder##*-}")
	layer "extension.$name" "$by" 'archive builder' "$ns" "$TOP/image/lib/make-extension" "$builder" "$archive" "$1" "$vendor"
}

# put_extension DESCRIPTOR: $made, under its name in build/out; sets $extension.
put_extension() {
	extension=keyroom-$(basename "$1" .conf)-$KEYROOM_VERSION.raw
	cp "$made" "$BUILD/out/$extension.new"
	mv "$BUILD/out/$extension.new" "$BUILD/out/$extension"
}

# known_extensions: makes what consists of Debian's packages alone; one line each,
# as the disc gets to know them.
known_extensions() {
	local list descriptors=() descriptor by_vendor
	list=$(drivers extension)
	[ -z "$list" ] || mapfile -t descriptors <<<"$list"
	for descriptor in "${descriptors[@]}"; do
		by_vendor=$("$read_driver" get vendor "$descriptor")
		[ -z "$by_vendor" ] || continue
		make_extension "$descriptor"
		put_extension "$descriptor"
		printf '%s %s\n' "$(sha256 "$made")" "$extension"
	done
}
