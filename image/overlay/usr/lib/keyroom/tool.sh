# SPDX-License-Identifier: ISC
# What every ceremony tool in sh shares; source it first.  The lines of the
# tool that begin with "#|" are its --help.  Exit statuses are the signer's.
# shellcheck shell=sh
set -eu
export LC_ALL=C.UTF-8 TZ=UTC
me=${0##*/}
# shellcheck disable=SC2034 # each tool uses the ones it needs
readonly REFUSED=1 USAGE=2 INPUT=3 OUTPUT=5

# visible TEXT: on one line, without what could repaint the screen.
visible()
{
	printf '%s' "$1" | LC_ALL=C tr '\000-\037\177-\377' '?'
}

# die STATUS MESSAGE
die()
{
	printf '%s: %s\n' "$me" "$(visible "$2")" >&2
	[ "$1" -ne $USAGE ] || printf '%s: see %s --help\n' "$me" "$me" >&2
	exit "$1"
}

# The first argument of every tool: --help and --version are known everywhere.
common_options()
{
	case ${1-} in
	-h | --help)
		sed -n 's/^#| \{0,1\}//p' "$0"
		printf '\nexit status:\n'
		printf '  %s\n' '0  done' '1  refused by the operator or by a check' \
			'2  usage or configuration' '3  input that cannot be read' \
			'5  output or log'
		exit 0 ;;
	--version)
		release=unknown
		[ ! -r /etc/keyroom-release ] ||
			release=$(sed -n 's/^KEYROOM_VERSION=//p' /etc/keyroom-release)
		printf '%s %s\n' "$me" "$release"
		exit 0 ;;
	esac
}

# ask QUESTION: the answer is in $answer.  Only from a terminal: what was
# piped in by mistake must not say yes.
ask()
{
	# In a subshell: a special built-in that fails ends the whole shell.
	(: >/dev/tty) 2>/dev/null ||
		die $REFUSED "there is no terminal to ask on: $1"
	printf '%s' "$1" >/dev/tty
	read -r answer </dev/tty || die $REFUSED 'nothing was typed'
}

# confirm QUESTION: y, Y, yes or Yes goes on.
confirm()
{
	ask "$1 (y/N)? "
	case $answer in y | Y | yes | Yes) ;; *) die $REFUSED 'refused' ;; esac
}

# remark TEXT: a line in the ceremony's log, if one is being kept.
remark()
{
	ceremony-log note "$me: $1" 2>/dev/null || true
}
