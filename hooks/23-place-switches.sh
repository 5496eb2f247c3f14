#!/bin/sh
# SPDX-License-Identifier: ISC
# The commands that end a session are ours: tools/system/lib/switch-off says why.
# Files, not links: what a link says is not kept in memory when the disc is gone.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

for name in poweroff reboot halt shutdown; do
	rm -f "$ROOT/usr/sbin/$name"
	cp -p "$ROOT/usr/lib/keyroom/switch-off" "$ROOT/usr/sbin/$name"
done
[ -x "$ROOT/usr/sbin/poweroff" ] && [ ! -L "$ROOT/usr/sbin/poweroff" ]
