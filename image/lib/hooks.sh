# SPDX-License-Identifier: ISC
# Runs hooks, for the stages that do, after in-root.sh: the builder has what root_mounts
# gives, and /src.
# shellcheck shell=bash

# run_hooks BUILDER ROOT HOOK...: each runs with the builder root's tools and this environment,
# no more:
#   ROOT               the image's root (carries .keyroom-image-root)
#   SRC                the project's sources, read-only (26-trim: the lists alone)
#   KERNEL             the packages of role unpack, the kernel among them
#   PROFILE            name of the profile
#   KEYROOM_VERSION KEYROOM_BUILD_ID KEYROOM_LOCK_HASH SOURCE_DATE_EPOCH
#   HOME PATH TZ=UTC LC_ALL=C.UTF-8
# What only some stages give, NAME=VALUE, is in the array $hook_sees: 26-trim gives none
# of version, id and hash, since what it makes is kept while they change.
hook_sees=()
run_hooks() {
	local builder=$1 root=$2 hook
	shift 2
	: >"$root/.keyroom-image-root"
	root_bind "$root" "$builder" image
	# shellcheck disable=SC2034 # root_run reads it
	local pass=(ROOT=/image SRC=/src KERNEL=/unpack "PROFILE=$PROFILE" "${hook_sees[@]}")
	for hook; do
		say "hook $(basename "$hook" .sh)"
		[ -e "$builder/image/.keyroom-image-root" ] ||
			die "$root carries no marker: hooks run on no other root"
		root_run "$builder" sh "/src/hooks/$(basename "$hook")" >&2 ||
			die "hook $(basename "$hook") failed"
	done
	rm "$root/.keyroom-image-root"
}
