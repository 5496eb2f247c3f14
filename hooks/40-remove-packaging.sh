#!/bin/sh
# SPDX-License-Identifier: ISC
# Take the package tools off the disc: nothing is ever installed there.  dpkg
# and its database stay, since an auditor asks them what is on it.
# Phase: after every hook that installs.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

for package in apt sqv libapt-pkg7.0 debian-archive-keyring; do
	if [ -e "$ROOT/var/lib/dpkg/info/$package.list" ] ||
		[ -e "$ROOT/var/lib/dpkg/info/$package:amd64.list" ]; then
		chroot "$ROOT" dpkg --purge --force-remove-protected \
			--force-remove-essential "$package"
	fi
done
rm -rf "$ROOT/etc/apt" "$ROOT/var/lib/apt" "$ROOT/var/cache/apt"

if [ -e "$ROOT/usr/bin/apt" ]; then
	echo "${0##*/}: apt is still there" >&2
	exit 1
fi
