#!/bin/sh
# SPDX-License-Identifier: ISC
# Remove what was written for an interpreter that is gone (05-remove-packages.sh), and
# prove that no program on the disc misses a library.
# Phase: after every hook that installs.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"
work=$(mktemp -d)

# What was written for an interpreter that is gone.
find "$ROOT/usr/bin" "$ROOT/usr/sbin" "$ROOT/usr/lib" -type f -exec env LC_ALL=C \
	awk '/^#!.*perl/ { print FILENAME } { nextfile }' {} + >"$work/scripts"
xargs -d '\n' -r rm <"$work/scripts"
find "$ROOT/usr/lib/ssl/misc" -xtype l -delete

# "file needs library", for whatever is linked; libraries count by their names.
# gbm/ holds a plug-in for graphics cards, which is only loaded for one.
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
