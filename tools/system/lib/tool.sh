# SPDX-License-Identifier: ISC
# What every ceremony tool in sh shares; source it first.  The lines of the
# tool that begin with "#|" are its --help.  Exit statuses are the signer's.
# shellcheck shell=sh
set -eu
export LC_ALL=C.UTF-8 TZ=UTC
# Where the system is: "/", or the folder that a test made.  This variable is the
# only one for that, and everything at a fixed place is looked for below it.
# shellcheck disable=SC2034 # each tool uses the ones it needs
top=${SYSROOT-} run=${SYSROOT-}/run/keyroom
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

# agreed QUESTION: is the answer y, Y, yes or Yes?
agreed()
{
	ask "$1 (y/N)? "
	case $answer in y | Y | yes | Yes) return 0 ;; esac
	return 1
}

# confirm QUESTION: such an answer goes on.
confirm()
{
	agreed "$1" || die $REFUSED 'refused'
}

# remark TEXT: a line in the ceremony's log, if one is being kept.  Where that
# does not take it, the tool does the rest of its work; "remarked" ends it.
remark()
{
	unwritten=$(ceremony-log note "$me: $1" 2>&1) && return 0
	[ -S "$run/log/socket" ] || return 0
	printf '%s: NOT IN THE LOG: %s\n%s: %s\n' "$me" "$(visible "$1")" \
		"$me" "$(visible "$unwritten")" >&2
	unremarked=yes
}

# remarked: the last line of every tool that makes remarks.
remarked()
{
	[ -z "${unremarked-}" ] || exit $OUTPUT
}

# How many seconds a printer may take to answer, or an HSM at the other end of a
# network that is just being switched on.
PATIENCE=${KEYROOM_PATIENCE:-60}

# patiently WHAT COMMAND...: run COMMAND, which waits for WHAT.  After two seconds
# the terminal says so, for how long, and how to end it.  Status 124 where it has not
# ended after PATIENCE.
patiently()
{
	what=$1 tenths=0 shown=false
	shift
	"$@" &
	child=$!
	# A command in the background does not hear Ctrl-C by itself.
	trap 'kill -KILL "$child" 2>/dev/null; exit 130' INT
	while kill -0 "$child" 2>/dev/null && [ $tenths -lt $((PATIENCE * 10)) ]; do
		sleep 0.1
		tenths=$((tenths + 1))
		if [ $tenths -ge 20 ] && [ $((tenths % 10)) = 0 ]; then
			shown=true
			(printf '\r%s: waiting for %s, %s s of at most %s; Ctrl-C ends ' \
				"$me" "$(visible "$what")" $((tenths / 10)) "$PATIENCE" >/dev/tty) 2>/dev/null || true
		fi
	done
	! $shown || (printf '\r\033[K' >/dev/tty) 2>/dev/null || true
	if [ $tenths -ge $((PATIENCE * 10)) ]; then
		kill -KILL "$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
		trap - INT
		return 124
	fi
	trap - INT
	wait "$child"
}
