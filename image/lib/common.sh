# SPDX-License-Identifier: ISC
# Common to the driver scripts (bash): messages, folders, downloads.
# Source it after "set -euo pipefail"; TOP is the project's root.
# shellcheck shell=bash

TOP=${TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$TOP/build}
case $BUILD in /*) ;; *) BUILD=$TOP/$BUILD ;; esac
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/keyroom
SUITE=trixie
ARCH=amd64
LOCK=${LOCK:-$TOP/packages/$SUITE-$ARCH.lock}

export TZ=UTC LC_ALL=C.UTF-8
# An ordinary user may have neither on the path: chroot and mount live there.
export PATH=$PATH:/usr/sbin:/sbin
umask 022

me=${0##*/}
say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit 1; }

sha256() { sha256sum -- "$1" | cut -d' ' -f1; }

# names LIST...: the package names in the lists, without reasons.
names() { sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$@" | sort -u; }

# drivers disc|extension: the descriptors of what is delivered so, by path.
drivers() {
	local driver delivery
	for driver in "$TOP"/packages/drivers/*.conf; do
		delivery=$("$TOP/packages/lib/driver" get delivery "$driver") || return
		[ "$delivery" != "$1" ] || printf '%s\n' "$driver"
	done
}

# disc_names: what is on every disc by name, the drivers' packages among it.
disc_names() {
	local on_disc
	mapfile -t on_disc < <(drivers disc)
	{
		names "$TOP/packages/image.list"
		"$TOP/packages/lib/driver" get package "${on_disc[@]}"
	} | sort -u
}

# profiles: the names of all profiles.
profiles() {
	local settings
	for settings in "$TOP"/image/profiles/*/settings; do
		basename "$(dirname "$settings")"
	done
}

# of_role ROLE: the lock's lines whose packages have this role.
of_role() { awk -v role=",$1," '!/^#/ && index("," $7 ",", role)' "$LOCK"; }

# unpack_debs ARCHIVE TARGET: unpack the packages whose lock lines come on standard
# input, each as ARCHIVE/pool/NAME_VERSION_ARCHITECTURE.deb, into TARGET.
unpack_debs() {
	local name version arch _
	while read -r name version arch _; do
		dpkg-deb -x "$1/pool/${name}_${version/:/%3a}_$arch.deb" "$2"
	done
}

# get SOURCE FILE: copy one file from an http(s) address or a folder.  A
# partial download is continued by the next try.
get() {
	case $1 in
	http://* | https://*)
		if command -v curl >/dev/null; then
			curl -fsSL --retry 2 --connect-timeout 15 -C - -o "$2" "$1"
		else
			wget -q -c --tries=2 --connect-timeout=15 -O "$2" "$1"
		fi ;;
	file:*) cp -- "${1#file:}" "$2" ;;
	*) cp -- "$1" "$2" ;;
	esac
}

# archives: base addresses of Debian archives, best first: MIRROR (folders or
# addresses, blank-separated), then what the machine's own apt is set up with.
archives() {
	local m
	for m in ${MIRROR-}; do printf '%s\n' "${m%/}"; done
	if command -v apt-get >/dev/null; then
		apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
			2>/dev/null | sed 's,/$,,' | awk '!seen[$0]++'
	fi
}
