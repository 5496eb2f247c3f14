#!/bin/sh
# SPDX-License-Identifier: ISC
# Take the setuid and setgid bits from every program that image/setuid.keep
# does not name: root is the only user, so none is of use to anyone but a thief.
# Phase: after packages.  Reads: ROOT SRC.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

kept=$(mktemp)
sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$SRC/image/setuid.keep" | LC_ALL=C sort >"$kept"
mkdir -p "$ROOT/usr/share/keyroom"
cp "$kept" "$ROOT/usr/share/keyroom/setuid"
chmod 644 "$ROOT/usr/share/keyroom/setuid"

found=$(mktemp)
find "$ROOT" -xdev -type f -perm /6000 -printf '/%P\n' | LC_ALL=C sort >"$found"
LC_ALL=C comm -13 "$kept" "$found" | while read -r path; do
	chmod ug-s "$ROOT$path"
done

find "$ROOT" -xdev -type f -perm /6000 -printf '/%P\n' | LC_ALL=C sort >"$found"
if ! cmp -s "$kept" "$found"; then
	echo "${0##*/}: image/setuid.keep and the disc differ:" >&2
	diff "$kept" "$found" >&2 || true
	exit 1
fi
rm "$kept" "$found"
