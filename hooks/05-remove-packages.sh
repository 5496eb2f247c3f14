#!/bin/sh
# SPDX-License-Identifier: ISC
# Purge what packages depend on by name and nothing here uses, and the tools
# that install packages (packages/image.drop and the profile's own).  dpkg and its
# database stay, since an auditor asks them what is on the disc; that nothing needs
# what is gone is checked later (40-check-libraries.sh).
# Phase: base: the root as Debian makes it, before programs and overlay.  Reads:
# ROOT PROFILE, and of SRC these lists alone.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"
work=$(mktemp -d)

for drop in "$SRC/image/profiles/$PROFILE/packages.drop" "$SRC/packages/image.drop"; do
	[ ! -e "$drop" ] || sed -n 's/^\([^# ]\{1,\}\).*/\1/p' "$drop"
done >"$work/drop"
# shellcheck disable=SC2016 # dpkg's own
chroot "$ROOT" dpkg-query -W -f '${db:Status-Status} ${Package}\n' |
	sed -n 's/^installed //p' >"$work/installed"
# One by one, as listed: a removal may ask what is removed after it, and dpkg has
# an order of its own for several.
grep -xFf "$work/installed" "$work/drop" | xargs -r -n 1 chroot "$ROOT" \
	dpkg --purge --force-depends --force-remove-essential --force-remove-protected
rm -rf "$ROOT/etc/apt" "$ROOT/var/lib/apt" "$ROOT/var/cache/apt"
if [ -e "$ROOT/usr/bin/apt" ]; then
	echo "${0##*/}: apt is still there" >&2
	exit 1
fi
rm -r "$work"
