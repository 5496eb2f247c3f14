#!/bin/sh
# SPDX-License-Identifier: ISC
# Root's session needs no session manager: no user instance of systemd, no
# seats, no policy daemon between root and the card reader, and so no message
# bus: systemctl speaks to process 1 directly.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

units=$ROOT/etc/systemd/system
for unit in systemd-logind.service systemd-user-sessions.service \
	user@.service polkit.service dbus.service dbus.socket; do
	ln -sfn /dev/null "$units/$unit"
done
# What stands above the first prompt is the prompt's own business.
rm -rf "$ROOT/etc/update-motd.d"
sed -i '/pam_systemd\.so/d' "$ROOT"/etc/pam.d/common-session
mkdir -p "$units/pcscd.service.d"
printf '[Service]\nExecStart=\nExecStart=/usr/sbin/pcscd --foreground --disable-polkit\n' \
	>"$units/pcscd.service.d/keyroom.conf"

if grep -q pam_systemd "$ROOT/etc/pam.d/common-session"; then
	echo "${0##*/}: a session manager is still asked for" >&2
	exit 1
fi
