#!/bin/sh
# SPDX-License-Identifier: ISC
# Put onto the disc only the kernel modules that image/modules.keep and the
# profile's own modules.keep name.  A driver that is absent needs no blacklist.
# efivarfs would let a session write to the firmware's memory, which the machine
# keeps.
# Phase: after packages.  Reads: ROOT SRC KERNEL PROFILE.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

version=$(ls "$KERNEL/usr/lib/modules")
from=$KERNEL/usr/lib/modules/$version
to=$ROOT/usr/lib/modules/$version
keep=$(mktemp)
rules=$(mktemp)
own=$SRC/image/profiles/$PROFILE/modules.keep
cat "$SRC/image/modules.keep" >"$rules"
[ ! -e "$own" ] || cat "$own" >>"$rules"
rm -rf "$ROOT/usr/lib/modules"
mkdir -p "$to"
awk -f "$SRC/image/lib/select-modules.awk" "$rules" \
	"$from/modules.dep" >"$keep"
[ -s "$keep" ]
tar -C "$from" -T "$keep" -cf - >"$keep.tar"
tar -C "$to" --no-same-owner -xf "$keep.tar"
cp "$from/modules.builtin" "$from/modules.builtin.modinfo" \
	"$from/modules.order" "$to/"
depmod -b "$ROOT" "$version"
rm "$keep" "$keep.tar" "$rules"

for absent in sound drivers/bluetooth drivers/net/wireless \
	drivers/firewire drivers/thunderbolt drivers/nvme fs/efivarfs; do
	if [ -e "$to/kernel/$absent" ]; then
		echo "${0##*/}: still there: $absent" >&2
		exit 1
	fi
done
# Graphics bring two parts of media that are no camera.
camera=$(find "$to/kernel/drivers" -path '*/media/*.ko.xz' ! -path '*/cec/core/cec.ko.xz' \
	! -path '*/rc/rc-core.ko.xz' -print -quit)
if [ -n "$camera" ]; then
	echo "${0##*/}: still there: ${camera#"$to/kernel/"}" >&2
	exit 1
fi
[ -e "$to/kernel/fs/squashfs/squashfs.ko.xz" ]
[ -e "$to/modules.dep.bin" ]
