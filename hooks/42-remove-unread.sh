#!/bin/sh
# SPDX-License-Identifier: ISC
# Drop translations, documents other than manual pages and licences, and sources
# of what is there compiled: no one reads them at a ceremony, and they are half of
# the small files.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

find "$ROOT/usr/share/doc" -type f ! -name copyright -delete
find "$ROOT/usr/share/doc" -type l ! -name copyright ! -xtype d -delete
find "$ROOT/usr/share/doc" -depth -type d -empty -delete
# Helpers in Python of a debugger and of a bug reporter.
rm -rf "$ROOT/usr/share/gcc" "$ROOT/usr/share/gdb" "$ROOT/usr/share/apport"
rm -rf "$ROOT/usr/share/info" "$ROOT/usr/share/lintian" \
	"$ROOT/usr/share/bug" "$ROOT/usr/share/doc-base"
find "$ROOT/usr/share/locale" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
find "$ROOT/usr/share/man" -mindepth 1 -maxdepth 1 ! -name 'man[1-8]' \
	-exec rm -rf {} +
# The index of those left, without which their reader complains at each page.
chroot "$ROOT" makewhatis /usr/share/man

# udev's table of hardware is there twice; hwdb.bin is the one that is read.
rm -rf "$ROOT/usr/lib/udev/hwdb.d"

if find "$ROOT/usr" -name '*.py' | grep -q .; then
	echo "${0##*/}: Python is still there" >&2
	exit 1
fi
[ -s "$ROOT/usr/share/doc/systemd/copyright" ]
[ -s "$ROOT/usr/lib/udev/hwdb.bin" ]
[ "$(chroot "$ROOT" man -w copy-hsmfd 2>&1)" = /usr/share/man/man1/copy-hsmfd.1 ]
