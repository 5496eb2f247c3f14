# SPDX-License-Identifier: ISC
# While a ceremony's log is being kept, a shell whose terminal is not recorded
# asks, at its next prompt, whoever keeps what its terminal shows to put it into
# the log from then on, or else makes way for one that is; where the log refuses, the
# prompt says so in red and the next one asks again.  Built-ins only, as long
# as there is nothing to do: it runs at every prompt.  Named so that it is read
# after keyroom.sh.
# shellcheck shell=bash
[ -n "${BASH_VERSION-}" ] && [ -n "${PS1-}" ] || return 0

# KEYROOM_RECORDED is PROCESS:TERMINAL, from "ceremony-log record".  A program
# that was started here may have opened another terminal, and the recording may
# have ended.
keyroom_is_recorded()
{
	local process=${KEYROOM_RECORDED%%:*} terminal=${KEYROOM_RECORDED#*:}
	[ -n "$process" ] && [ -e "${SYSROOT-}/run/keyroom/log/recorded/$process" ] &&
		[ /dev/fd/0 -ef "$terminal" ]
}

# What was begun by "ceremony-log record --later" (profile.d/keep-shown.sh) has its
# answer when the question is gone.
keyroom_join()
{
	local process=${KEYROOM_RECORDED%%:*} terminal=${KEYROOM_RECORDED#*:} n
	local wanted=${SYSROOT-}/run/keyroom/lately/$process.wanted
	[ -n "$process" ] && [ -e "${wanted%.wanted}" ] && [ /dev/fd/0 -ef "$terminal" ] &&
		: >"$wanted" || return 1
	for n in {1..50}; do
		[ -e "$wanted" ] || break
		sleep 0.1
	done
	rm -f "$wanted"
	keyroom_is_recorded
}

keyroom_record()
{
	keyroom_not_recorded=
	[ -S "${SYSROOT-}/run/keyroom/log/socket" ] || return 0
	if keyroom_is_recorded || keyroom_join; then return 0; fi
	# It ends with 0 where a recorded shell was here, whatever that ended with, and the
	# log has all of it.
	if KEYROOM_TOLD=inside ceremony-log record; then exit; fi
	# shellcheck disable=SC2034 # in the prompt
	keyroom_not_recorded=$'\n\e[1;31m*** THIS TERMINAL IS NOT RECORDED ***\e[0m'
}

PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND; }keyroom_record
PS1='${keyroom_not_recorded}'$PS1

# Page Up on a text console, with Shift or without (share/keyroom/page-back.map);
# a window of the desktop, and what is at a serial line's end, page by themselves.
if [[ $- == *i* ]] && [ "${TERM-}" = linux ] && [ -n "${KEYROOM_RECORDED-}" ]; then
	bind -x '"\e[5~": page-back'
fi
