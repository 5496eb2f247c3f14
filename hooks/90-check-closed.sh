#!/bin/sh
# SPDX-License-Identifier: ISC
# Refuse a root that holds what the disc promises not to hold: a compiler, an
# interpreter beside the shell and awk, a software token, a remote login, a
# private key.
# Phase: last.  Reads: ROOT.  Changes nothing.
set -eu
: "${ROOT:?must name the unpacked image tree}"

bad=$(find "$ROOT/usr/bin" "$ROOT/usr/sbin" "$ROOT/usr/lib" \
	\( -name 'python*' -o -name 'perl*' -o -name 'gcc*' -o -name 'cc' -o -name 'clang*' \
	-o -name 'sshd' -o -name 'in.telnetd' -o -name 'libsofthsm2*' \
	-o -name 'curl' -o -name 'wget' \) ! -path '*/modules/*' -print)
if [ -n "$bad" ]; then
	echo "${0##*/}: must not be on the disc:" >&2
	echo "$bad" | sed "s|^$ROOT|  |" >&2
	exit 1
fi
key=$(find "$ROOT/etc/ssl/private" -mindepth 1 -print -quit)
if [ -n "$key" ]; then
	echo "${0##*/}: a key that everyone has: ${key#"$ROOT"}" >&2
	exit 1
fi
