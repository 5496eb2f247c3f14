# SPDX-License-Identifier: ISC
# Interactive shells that are no login shells, that of a terminal window opened
# by hand for example: the same prompt, and recorded like all others.  Login
# shells read this too, and profile.d by themselves.
# shellcheck shell=bash
if [ -n "${PS1-}" ] && ! shopt -q login_shell; then
	for keyroom_part in /etc/profile.d/keyroom.sh /etc/profile.d/zz-keyroom-record.sh; do
		# shellcheck source=/dev/null
		. "$keyroom_part"
	done
	unset keyroom_part
fi
