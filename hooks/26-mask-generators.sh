#!/bin/sh
# SPDX-License-Identifier: ISC
# Let systemd make no units of what it finds: no swap or file system of a disk
# inside the machine, no debug shell from the command line.  Only the serial
# console's getty is made so.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

from=$ROOT/usr/lib/systemd/system-generators
to=$ROOT/etc/systemd/system-generators
mkdir -p "$to"
for generator in "$from"/*; do
	[ "${generator##*/}" != systemd-getty-generator ] || continue
	ln -sfn /dev/null "$to/${generator##*/}"
done

[ "$(readlink "$to/systemd-gpt-auto-generator")" = /dev/null ]
[ "$(readlink "$to/systemd-fstab-generator")" = /dev/null ]
[ -e "$from/systemd-getty-generator" ]
