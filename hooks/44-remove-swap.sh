#!/bin/sh
# SPDX-License-Identifier: ISC
# Take the programs that make and turn on swap off the disc: what is in memory
# stays there.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

for program in swapon swapoff mkswap swaplabel; do
	rm -f "$ROOT/usr/sbin/$program"
done

for unit in "$ROOT"/etc/systemd/system/*.swap "$ROOT"/usr/lib/systemd/system/*.swap; do
	if [ -e "$unit" ]; then
		echo "${0##*/}: a unit asks for swap: ${unit#"$ROOT"}" >&2
		exit 1
	fi
done
! grep -qs '[[:space:]]swap[[:space:]]' "$ROOT/etc/fstab"
