#!/bin/sh
# SPDX-License-Identifier: ISC
# Say what this system is: release file, host name, no machine identity.
# Phase: first.  Reads: ROOT KEYROOM_VERSION KEYROOM_BUILD_ID PROFILE.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

cat >"$ROOT/etc/keyroom-release" <<END
KEYROOM_VERSION=$KEYROOM_VERSION
KEYROOM_BUILD_ID=$KEYROOM_BUILD_ID
KEYROOM_PROFILE=$PROFILE
KEYROOM_EPOCH=$SOURCE_DATE_EPOCH
END
# Extensions made for one release do not merge into another.
sed -i '/^SYSEXT_LEVEL=/d' "$ROOT/usr/lib/os-release"
echo "SYSEXT_LEVEL=keyroom-$KEYROOM_VERSION" >>"$ROOT/usr/lib/os-release"
echo keyroom >"$ROOT/etc/hostname"
# Empty: made anew at each boot, never written to the disc.
: >"$ROOT/etc/machine-id"
rm -f "$ROOT/var/lib/dbus/machine-id" "$ROOT/etc/resolv.conf"
printf 'Keyroom %s\n\n' "$KEYROOM_VERSION" >"$ROOT/etc/issue"
: >"$ROOT/etc/motd"
# systemd never starts the clock before the time of this file.
: >"$ROOT/usr/lib/clock-epoch"

[ ! -s "$ROOT/etc/machine-id" ]
grep -q "^SYSEXT_LEVEL=keyroom-$KEYROOM_VERSION$" "$ROOT/etc/os-release"
