#!/bin/sh
# SPDX-License-Identifier: ISC
# Leave of the printer's 35 fonts one, for a page from elsewhere that has no font
# in it: what is set here has, and they are a tenth of the disc.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

grep '^/usr/share/fonts/.*\.' "$ROOT/var/lib/dpkg/info/fonts-urw-base35.list" |
	while read -r path; do
		case $path in
		*/type1/*/NimbusMonoPS-*) ;;
		*) rm -f "$ROOT$path" ;;
		esac
	done

left=$(find "$ROOT/usr/share/fonts" -path '*urw*' -type f ! -name 'NimbusMonoPS-*' -print -quit)
if [ -n "$left" ]; then
	echo "${0##*/}: still there: ${left#"$ROOT"}" >&2
	exit 1
fi
[ -e "$ROOT/usr/share/fonts/type1/urw-base35/NimbusMonoPS-Regular.t1" ]
