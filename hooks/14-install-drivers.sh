#!/bin/sh
# SPDX-License-Identifier: ISC
# Register the PKCS#11 drivers that are on the disc, as packages/drivers/*.conf
# describe them; the others come as extensions.
# Phase: after network.  Reads: ROOT SRC.  Not to be run twice: it appends.
set -eu
: "${ROOT:?must name the unpacked image tree}"

for driver in "$SRC"/packages/drivers/*.conf; do
	delivery=$("$SRC/packages/lib/driver" get delivery "$driver")
	case $delivery in disc) ;; *) continue ;; esac
	"$SRC/packages/lib/driver" install "$driver" "$ROOT"
	module=$("$SRC/packages/lib/driver" get module "$driver")
	if [ ! -f "$ROOT$module" ]; then
		echo "${0##*/}: no package has brought $module" >&2
		exit 1
	fi
done
for hosts in "$ROOT"/usr/share/keyroom/network/*.hosts; do
	[ ! -e "$hosts" ] || cat "$hosts" >>"$ROOT/etc/hosts"
done
# p11-kit must find every one of them.
for driver in "$ROOT"/usr/share/keyroom/drivers/*; do
	module=$(sed -n 's/^module: //p' "$driver")
	grep -qE "^module: *(/.*/)?${module##*/}\$" "$ROOT"/usr/share/p11-kit/modules/*.module
done
