#!/bin/sh
# SPDX-License-Identifier: ISC
# Put the one table of codes in place that Ghostscript needs for our pages, and
# prove that what is left of its fonts and tables prints them.  The table has the
# name of a file of poppler-data, with whose removal it would go.
# Phase: after 40-check-libraries.sh, 48-remove-fonts.sh.  Reads: ROOT, SRC.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

mkdir -p "$ROOT/var/lib/ghostscript/CMap"
cp "$SRC/image/ghostscript/Identity-H" "$ROOT/var/lib/ghostscript/CMap/"
chmod 644 "$ROOT/var/lib/ghostscript/CMap/Identity-H"

printf 'page \303\274\n' >"$ROOT/tmp/page"
chroot "$ROOT" text2pdf /tmp/page >"$ROOT/tmp/page.pdf"
for device in pgmraw ps2write ljet4; do
	chroot "$ROOT" gs -q -dSAFER -dBATCH -dNOPAUSE -dPDFSTOPONERROR -sstdout=%stderr \
		-sDEVICE=$device -sOutputFile=%stdout -f /tmp/page.pdf >"$ROOT/tmp/page.out" </dev/null
	[ -s "$ROOT/tmp/page.out" ]
done
rm "$ROOT/tmp/page" "$ROOT/tmp/page.pdf" "$ROOT/tmp/page.out"
