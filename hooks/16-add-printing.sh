#!/bin/sh
# SPDX-License-Identifier: ISC
# Put onto the disc the parts of CUPS and ipp-usb that reach a printer: over USB
# and by the ports of network lasers.  The packages themselves bring a hundred
# others that nothing here uses.
# Phase: after packages.  Reads: ROOT KERNEL.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

backends=$ROOT/usr/lib/cups/backend
for backend in usb socket lpd; do
	install -m 744 "$KERNEL/usr/lib/cups/backend-available/$backend" "$backends/$backend"
done
install -D -m 644 "$KERNEL/usr/share/cups/usb/org.cups.usb-quirks" \
	"$ROOT/usr/share/cups/usb/org.cups.usb-quirks"
install -m 755 "$KERNEL/usr/sbin/ipp-usb" "$ROOT/usr/sbin/ipp-usb"
mkdir -p "$ROOT/usr/share/ipp-usb"
cp -r "$KERNEL/usr/share/ipp-usb/quirks" "$ROOT/usr/share/ipp-usb/"
for package in cups ipp-usb; do
	install -D -m 644 "$KERNEL/usr/share/doc/$package/copyright" \
		"$ROOT/usr/share/doc/$package/copyright"
done

for program in "$backends/usb" "$backends/socket" "$backends/lpd" "$ROOT/usr/sbin/ipp-usb"; do
	status=0
	needs=$(chroot "$ROOT" ldd "${program#"$ROOT"}" 2>&1) || status=$?
	missing=$(printf '%s\n' "$needs" | grep 'not found') || [ "$status" != 0 ] || continue
	echo "${0##*/}: ${program#"$ROOT"}: ${missing:-$needs}" >&2
	exit 1
done
