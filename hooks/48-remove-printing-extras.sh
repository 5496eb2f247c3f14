#!/bin/sh
# SPDX-License-Identifier: ISC
# Take off the disc what the print service's packages bring and nothing uses: a
# key made at installation, which no two builds share; fonts other than the one
# that our pages are set in; tables for Chinese, Japanese and Korean; the X
# server's tools.
# Phase: after every hook that installs.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

info=$ROOT/var/lib/dpkg/info
for package in ssl-cert poppler-data xfonts-utils xfonts-encodings x11-common \
	libfontenc1 fonts-dejavu-core; do
	if [ -e "$info/$package.list" ] || [ -e "$info/$package:amd64.list" ]; then
		chroot "$ROOT" dpkg --purge --force-depends "$package"
	fi
done
grep '^/usr/share/fonts/.*\.' "$info/fonts-urw-base35.list" | while read -r path; do
	case $path in
	*/type1/*/NimbusMonoPS-*) ;;
	*) rm -f "$ROOT$path" ;;
	esac
done
rm -rf "$ROOT/var/lib/xfonts"

left=$(find "$ROOT/etc/ssl/private" -mindepth 1 -print -quit)
if [ -n "$left" ]; then
	echo "${0##*/}: a key: ${left#"$ROOT"}" >&2
	exit 1
fi
[ -e "$ROOT/usr/share/fonts/type1/urw-base35/NimbusMonoPS-Regular.t1" ]
[ ! -e "$ROOT/usr/share/fonts/opentype/urw-base35/Z003-MediumItalic.otf" ]
