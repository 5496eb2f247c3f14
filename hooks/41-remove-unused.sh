#!/bin/sh
# SPDX-License-Identifier: ISC
# Purge what packages depend on by name and nothing here uses
# (image/packages.drop and the profile's own), and prove that no program on the
# disc misses a library.
# Phase: after packaging is removed.  Reads: ROOT SRC PROFILE.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

for drop in "$SRC/image/profiles/$PROFILE/packages.drop" "$SRC/image/packages.drop"; do
	[ -e "$drop" ] || continue
	# One by one: a removal may ask what is removed after it.
	# shellcheck disable=SC2013 # one word a line
	for package in $(sed 's/#.*//' "$drop"); do
		if chroot "$ROOT" dpkg-query -W "$package" >/dev/null 2>&1; then
			chroot "$ROOT" dpkg --purge --force-depends \
				--force-remove-essential --force-remove-protected "$package"
		fi
	done
done

# What was written for an interpreter that is gone.
grep -rlI '^#!.*perl' "$ROOT/usr/bin" "$ROOT/usr/sbin" "$ROOT/usr/lib" |
	while read -r script; do
		sed -n '1{/^#!.*perl/q1}' "$script" || rm "$script"
	done
find "$ROOT/usr/lib/ssl/misc" -xtype l -delete

# "file needs library", for whatever is linked; libraries count by their names.
# gbm/ holds a plug-in for graphics cards, which is only loaded for one.
work=$(mktemp -d)
find "$ROOT/usr" -name '*.so*' \( -type f -o -type l \) -printf '%f\n' >"$work/there"
find "$ROOT/usr/bin" "$ROOT/usr/sbin" "$ROOT/usr/lib" "$ROOT/usr/libexec" -type f \
	\( -perm /111 -o -name '*.so*' \) ! -path '*/modules/*' \
	! -path '*/gbm/*' -print0 2>/dev/null |
	LC_ALL=C sort -z >"$work/files"
xargs -0 readelf -d <"$work/files" >"$work/dynamic" 2>/dev/null || true
awk -v root="$ROOT" 'FILENAME ~ /there$/ { there[$1] = 1; next }
	/^File: / { file = substr($2, length(root) + 1) }
	/\(NEEDED\)/ { count++; name = $NF; gsub(/[][]/, "", name)
		if (!(name in there)) print file " needs " name }
	END { if (!count) print "nothing is linked: no readelf?" }' \
	"$work/there" "$work/dynamic" >"$work/missing"
if [ -s "$work/missing" ]; then
	echo "${0##*/}: libraries are missing:" >&2
	cat "$work/missing" >&2
	exit 1
fi
rm -r "$work"
