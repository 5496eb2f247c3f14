#!/bin/sh
# SPDX-License-Identifier: ISC
# Remove what differs from build to build or belongs to a running system:
# logs, caches, backups, leftovers of the installation.
# Phase: last but one.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

for dir in dev proc sys run tmp var/tmp var/log var/cache boot; do
	mkdir -p "$ROOT/$dir"
	find "$ROOT/$dir" -mindepth 1 -delete
done
mkdir -p "$ROOT/media" "$ROOT/var/log/journal"
rmdir "$ROOT/var/log/journal"
rm -rf "$ROOT/debootstrap" "$ROOT/var/lib/systemd/random-seed" \
	"$ROOT"/etc/*- "$ROOT"/var/lib/dpkg/*-old "$ROOT/var/lib/dpkg/available" \
	"$ROOT"/var/cache/debconf/*-old "$ROOT"/etc/ld.so.cache.new \
	"$ROOT/var/lib/ucf" "$ROOT"/etc/.pwd.lock "$ROOT"/root/.bash_history
rm -rf "$ROOT/var/lib/dpkg/lock" "$ROOT/var/lib/dpkg/lock-frontend" \
	"$ROOT/var/lib/dpkg/triggers/Lock" "$ROOT/var/lib/dpkg/parts"
chmod 1777 "$ROOT/tmp" "$ROOT/var/tmp"

left=$(find "$ROOT/dev" "$ROOT/run" "$ROOT/var/log" "$ROOT/var/cache" \
	-mindepth 1 -print -quit)
if [ -n "$left" ]; then
	echo "${0##*/}: still there: ${left#"$ROOT"}" >&2
	exit 1
fi
