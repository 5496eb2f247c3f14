# SPDX-License-Identifier: ISC
# The prompt of a ceremony: release, date and time in UTC, and what a witness
# must not overlook.  Shell built-ins only: it is computed at every prompt.
# shellcheck shell=bash
[ -n "${BASH_VERSION-}" ] && [ -n "${PS1-}" ] || return 0

. /etc/keyroom-release
export TZ=UTC

# The clock counts as set once it no longer runs on from where it started:
# set-clock says so, "date -s" shows in the distance from the time of boot.
keyroom_clock()
{
	local up start
	[ ! -e /run/keyroom/clock-set ] || return 0
	read -r up _ </proc/uptime
	read -r start 2>/dev/null </run/keyroom/clock-start || return 0
	up=$((EPOCHSECONDS - ${up%.*} - start))
	[ "${up#-}" -gt 2 ] || printf ' CLOCK NOT SET'
}

keyroom_mark()
{
	keyroom_clock
	[ ! -e /run/keyroom/audit-failed ] || printf ' AUDIT FAILED'
	[ ! -e /run/keyroom/rehearsal ] || printf ' REHEARSAL'
}

# Before the first prompt, in red: what the audit at boot has found.
if [ -e /run/keyroom/audit-failed ]; then
	printf '\n\033[1;31m*** a promise of this disc is not kept ***\n'
	grep '^FAIL' /run/keyroom/audit
	printf 'for all of it: system-audit\033[0m\n'
fi

# What the drivers want in the environment, those that were loaded since, too.
keyroom_environment()
{
	local setting
	for setting in /usr/lib/keyroom/environment/*; do
		# shellcheck source=/dev/null
		[ ! -e "$setting" ] || . "$setting"
	done
}

PROMPT_COMMAND=keyroom_environment
PS1='\n[Keyroom $KEYROOM_VERSION] \D{%Y-%m-%d %H:%M:%S} UTC$(keyroom_mark)\n\w \$ '
