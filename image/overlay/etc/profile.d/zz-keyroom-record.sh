# SPDX-License-Identifier: ISC
# While a ceremony's log is being kept, a shell that is not recorded yet makes
# way, at its next prompt, for one that is.  Built-ins only: it runs at every
# prompt.  Named so that it is read after keyroom.sh.
# shellcheck shell=bash
[ -n "${BASH_VERSION-}" ] && [ -n "${PS1-}" ] || return 0

keyroom_record()
{
	[ -z "${KEYROOM_RECORDED-}" ] && [ -S "${KEYROOM_RUN:-/run/keyroom}/log/socket" ] || return 0
	exec ceremony-log record
}

PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND; }keyroom_record
