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
# A unit of the disc's own: a drop-in cannot take away that polkit is required.
sed -e '/^Requires=polkit/d' \
	-e 's|^ExecStart=.*|ExecStart=/usr/sbin/pcscd --foreground --disable-polkit|' \
	"$ROOT/usr/lib/systemd/system/pcscd.service" >"$units/pcscd.service"

if grep -q 'Requires=polkit' "$units/pcscd.service" ||
	! grep -q -e '--disable-polkit$' "$units/pcscd.service"; then
	echo "${0##*/}: the card reader service still waits for polkit" >&2
	exit 1
fi
if grep -q pam_systemd "$ROOT/etc/pam.d/common-session"; then
	echo "${0##*/}: a session manager is still asked for" >&2
	exit 1
fi
