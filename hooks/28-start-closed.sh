#!/bin/sh
# SPDX-License-Identifier: ISC
# Start what closes the machine, and let no prompt appear before it has: the
# firewall, the USB policy, the audit; the keyboard is as the menu set it.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

wants=$ROOT/etc/systemd/system/sysinit.target.wants
mkdir -p "$wants"
for unit in keyroom-firewall keyroom-usb keyroom-audit keyroom-keyboard keyroom-guard; do
	ln -sfn "/usr/lib/systemd/system/$unit.service" "$wants/$unit.service"
	[ -e "$ROOT/usr/lib/systemd/system/$unit.service" ]
done
