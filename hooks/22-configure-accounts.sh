#!/bin/sh
# SPDX-License-Identifier: ISC
# Root alone logs in, on the machine's own consoles, without a password:
# whoever stands before the machine is the control.  No account has one.
# Phase: after packages.  Reads: ROOT SOURCE_DATE_EPOCH.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

# The day of the last change is the day of the build: make it the epoch's.
day=$((SOURCE_DATE_EPOCH / 86400))
awk -F: -v OFS=: -v day="$day" '{ $2 = "*"; $3 = day; print }' \
	"$ROOT/etc/shadow" >"$ROOT/etc/shadow.new"
cat "$ROOT/etc/shadow.new" >"$ROOT/etc/shadow"
rm "$ROOT/etc/shadow.new"

open=$(awk -F: '$2 != "*"' "$ROOT/etc/shadow")
if [ -n "$open" ] || [ ! -s "$ROOT/etc/shadow" ]; then
	echo "${0##*/}: an account has a password" >&2
	exit 1
fi
