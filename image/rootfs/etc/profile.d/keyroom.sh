# SPDX-License-Identifier: ISC
# The prompt of a ceremony: release, date and time in UTC, and what a witness
# must not overlook, broken between words.  Shell built-ins only: it is computed
# at every prompt.
# shellcheck shell=bash
[ -n "${BASH_VERSION-}" ] && [ -n "${PS1-}" ] || return 0

# shellcheck source=/dev/null
. "${SYSROOT-}/etc/keyroom-release"
export TZ=UTC
keyroom_run=${SYSROOT-}/run/keyroom

# The clock counts as set once it no longer runs on from where it started:
# set-clock says so, "date -s" shows in the distance from the time of boot.
keyroom_clock_is_set()
{
	local up start
	[ ! -e "$keyroom_run/clock-set" ] || return 0
	read -r up _ </proc/uptime
	read -r start 2>/dev/null <"$keyroom_run/clock-start" || return 0
	up=$((EPOCHSECONDS - ${up%.*} - start))
	[ "${up#-}" -gt 2 ]
}

# keyroom_lines WORD...: as many of them on a line as this terminal has room for.
keyroom_lines()
{
	local line=${1-} word
	shift
	for word; do
		if [ $((${#line} + 1 + ${#word})) -le "${COLUMNS:-80}" ]; then
			line+=" $word"
		else
			printf '%s\n' "$line"
			line=$word
		fi
	done
	printf '%s\n' "$line"
}

keyroom_head()
{
	local now marks=()
	printf -v now '%(%Y-%m-%d %H:%M:%S)T UTC' -1
	[ ! -e "$keyroom_run/medium-gone" ] || marks+=('DISC GONE')
	[ ! -e "$keyroom_run/damaged" ] || marks+=('DISC DAMAGED')
	keyroom_clock_is_set || marks+=('CLOCK NOT SET')
	if [ -e "$keyroom_run/audit-failed" ]; then
		marks+=('AUDIT FAILED')
	elif [ ! -e "$keyroom_run/audit-passed" ]; then
		marks+=('NOT AUDITED')
	fi
	[ ! -e "$keyroom_run/rehearsal" ] || marks+=('REHEARSAL')
	[ ! -e "$keyroom_run/experiment" ] || marks+=('EXPERIMENT')
	keyroom_lines "[Keyroom $KEYROOM_VERSION]" "$now" "${marks[@]}"
}

# keyroom_told: what was announced before this terminal was there; the last of it,
# since one that is opened at the end of a day has had it on others.
keyroom_told()
{
	local said=() words line most=10
	[ -e "$keyroom_run/announced" ] || return 0
	mapfile -t said <"$keyroom_run/announced"
	printf '\n'
	keyroom_lines before this 'prompt,' 'in UTC:'
	[ ${#said[@]} -le $most ] ||
		keyroom_lines "($((${#said[@]} - most)) more:" less "$keyroom_run/announced)"
	for line in "${said[@]: -$((${#said[@]} < most ? ${#said[@]} : most))}"; do
		read -ra words <<<"${line:1}"
		[ "${line:0:1}" != '!' ] || printf '\033[1;31m'
		keyroom_lines "${words[@]}"
		[ "${line:0:1}" != '!' ] || printf '\033[0m'
	done
}

# Before the first prompt of a terminal, once: what the audit at boot has found, in
# red; what was announced; the keyboard.
keyroom_first()
{
	local title=US line
	# Sets COLUMNS.
	(:)
	if [ -e "$keyroom_run/audit-failed" ]; then
		printf '\n\033[1;31m*** SYSTEM AUDIT FAILED ***\n'
		sed -n '/^FAIL/,/^[PS]/{/^[PS]/!p;}' "$keyroom_run/audit"
		printf 'for all of it: system-audit\033[0m\n'
	elif [ ! -e "$keyroom_run/audit-passed" ]; then
		printf '\n\033[1;31m*** THIS SYSTEM IS NOT AUDITED ***\n'
		keyroom_lines the audit at boot has not come to its 'end;' to make it 'now:' system-audit
		printf '\033[0m'
	fi
	keyroom_told
	[ ! -e "$keyroom_run/keyboard" ] || read -r _ title <"$keyroom_run/keyboard"
	printf '\n'
	keyroom_lines "$title keyboard;" others: keyboard --list
	while read -r line; do
		[ "$line" != toram=yes ] ||
			keyroom_lines the disc was copied to memory and can be taken out
	done 2>/dev/null <"$keyroom_run/boot"
}

# What the drivers want in the environment, those that were loaded since, too.
keyroom_environment()
{
	local setting
	for setting in "${SYSROOT-}"/usr/lib/keyroom/environment/*; do
		# shellcheck source=/dev/null
		[ ! -e "$setting" ] || . "$setting"
	done
}

# KEYROOM_TOLD is the terminal that was told: a program that was started there may
# have opened another.  "inside": the one that a recording has just opened within it
# (zz-keyroom-record.sh).
keyroom_is_told()
{
	local terminal=${KEYROOM_TOLD-}
	[ "$terminal" != inside ] || terminal=${KEYROOM_RECORDED#*:}
	[ -n "$terminal" ] && [ /dev/fd/0 -ef "$terminal" ]
}

keyroom_is_told || keyroom_first
KEYROOM_TOLD=$(tty)
export KEYROOM_TOLD
PROMPT_COMMAND=keyroom_environment
PS1='\n$(keyroom_head)\n\w \$ '
