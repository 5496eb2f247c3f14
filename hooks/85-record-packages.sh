#!/bin/sh
# SPDX-License-Identifier: ISC
# Write down what system-audit compares with: how many packages there are, the
# hash of the lock they came from, and exactly which of their files this disc
# leaves out or changes.
# Phase: after the last hook that changes a file.  Reads: ROOT KEYROOM_LOCK_HASH.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

share=$ROOT/usr/share/keyroom
mkdir -p "$share"
sed -i '/^KEYROOM_LOCK=/d' "$ROOT/etc/keyroom-release"
echo "KEYROOM_LOCK=$KEYROOM_LOCK_HASH" >>"$ROOT/etc/keyroom-release"
chroot "$ROOT" dpkg-query -W -f '.\n' | grep -c . >"$share/package-count"
# Its exit status is of no use: it says 1 for a document, too.  Folders for logs
# and caches are made again as programs run.
chroot "$ROOT" dpkg --verify >"$share/dpkg-verify.new" || true
sed '\,^missing  *[^/]*/var/\(cache\|log\)/,d' "$share/dpkg-verify.new" |
	LC_ALL=C sort >"$share/dpkg-verify"
rm "$share/dpkg-verify.new"

# Only what the hooks are for may be on that list.
odd=$(sed -E \
	-e '\,^missing +(c +)?/usr/share/(doc|info|lintian|bug|doc-base|locale|man|gcc|gdb|apport)(/|$),d' \
	-e '\,^missing +/usr/lib/udev/hwdb\.d(/|$),d' \
	-e '\,^missing +/usr/share/fonts/(X11|opentype|type1)/,d' \
	-e '\,^missing +(c +)?/var/lib/dpkg/parts(/|$),d' \
	-e '\,^missing +(c +)?/etc/(apt|update-motd.d|nftables.conf)(/|$),d' \
	-e '\,^missing +/usr/(s?bin/(pam-auth-update|pam_getenv|c_rehash)|lib/ssl/misc/(CA\.pl|tsget(\.pl)?))$,d' \
	-e '\,^missing +/usr/sbin/(swapon|swapoff|mkswap|swaplabel)$,d' \
	-e '\,^\?\?5\?+ +(c +)?/(usr/lib/os-release|etc/issue|etc/motd|etc/bash.bashrc)$,d' \
	-e '\,^\?[?M][?5]\?+ +(c +)?/etc/xdg/foot/foot\.ini$,d' \
	"$share/dpkg-verify")
if [ -n "$odd" ]; then
	echo "${0##*/}: packages are not as they were, beyond what hooks do:" >&2
	echo "$odd" >&2
	exit 1
fi
[ -s "$share/dpkg-verify" ]
