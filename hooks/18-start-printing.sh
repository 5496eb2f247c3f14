#!/bin/sh
# SPDX-License-Identifier: ISC
# Start the print service when something is printed, not before: its socket,
# which is a file, is all there is until then.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

units=$ROOT/etc/systemd/system
find "$units" -mindepth 2 -name 'cups.*' -delete
find "$units" -mindepth 1 -type d -empty -delete
ln -sfn /dev/null "$units/cups.path"
mkdir -p "$units/sockets.target.wants"
ln -sfn /usr/lib/systemd/system/cups.socket "$units/sockets.target.wants/cups.socket"

# A file, and nothing that another machine could speak to.
streams=$(grep -h '^Listen' "$ROOT/usr/lib/systemd/system/cups.socket" \
	"$ROOT/usr/lib/keyroom/cupsd.conf")
if [ "$streams" != 'ListenStream=/run/cups/cups.sock
Listen /run/cups/cups.sock' ]; then
	echo "${0##*/}: the print service listens elsewhere: $streams" >&2
	exit 1
fi
