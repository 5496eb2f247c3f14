#!/bin/sh
# SPDX-License-Identifier: ISC
# Put the list of the files that every boot reads, as far as they are there, onto
# the disc: the image begins with them, and the boot stage reads them at once.  A
# profile without a list of its own has the console's (made by "make boot-files").
# Phase: after the last hook that adds or removes a file.  Reads: ROOT SRC PROFILE.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

list=$SRC/image/profiles/$PROFILE/boot-files
[ -e "$list" ] || list=$SRC/image/profiles/console/boot-files
share=$ROOT/usr/share/keyroom
mkdir -p "$share"
while IFS= read -r name; do
	case $name in
	'#'*) printf '%s\n' "$name" ;;
	*) [ -h "$ROOT/$name" ] || [ ! -f "$ROOT/$name" ] || printf '%s\n' "$name" ;;
	esac
done <"$list" >"$share/boot-files"

# Most of a list that fits is there; else it is of another release.
named=$(grep -vc '^#' "$list")
there=$(grep -vc '^#' "$share/boot-files")
if [ "$there" -lt 100 ] || [ $((there * 10)) -lt $((named * 9)) ]; then
	echo "${0##*/}: of $named files in $list only $there are there: run make boot-files" >&2
	exit 1
fi
