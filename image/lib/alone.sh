# SPDX-License-Identifier: ISC
# Sourced first by every driver (bash -p): starts it again with nothing of the
# caller's environment but what is named here.  The second start is known by its
# process number, which exec keeps: no variable of the caller's can pass for it.
# shellcheck shell=bash
#
#   BUILD               where output goes
#   PROFILE             which disc (make's; the drivers take --profile)
#   MIRROR SNAPSHOT     sources of packages, see packages/fetch
#   RELOCK              "no": never resolve anew
#   JOBS                how many packages are fetched at a time
#   KEYRING             file with the archive's keys; which of them count stands
#                       in packages/keyring/fingerprints
#   APT_CONFIG          the machine's apt configuration, if it is elsewhere
#   HOME XDG_CACHE_HOME where the cache of packages is
#   TMPDIR              where verify puts its second tree, nothing else
#   KEYROOM_FRESH       1: use no layer
#   KEYROOM_IDS         first id of the range that root's namespaces are mapped to
#   http_proxy https_proxy no_proxy all_proxy, in capitals, too
taken=(BUILD PROFILE MIRROR SNAPSHOT RELOCK JOBS KEYRING APT_CONFIG HOME XDG_CACHE_HOME
	TMPDIR KEYROOM_FRESH KEYROOM_IDS http_proxy https_proxy no_proxy all_proxy
	HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY)

if [ "${KEYROOM_ALONE-}" != "$$" ]; then
	kept=()
	for name in "${taken[@]}"; do
		[ -z "${!name+set}" ] || kept+=("$name=${!name}")
	done
	builtin exec /usr/bin/env -i "${kept[@]}" "KEYROOM_ALONE=$$" \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/bash -p -- "$0" "$@"
fi
unset KEYROOM_ALONE taken kept name
