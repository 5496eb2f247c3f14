# SPDX-License-Identifier: ISC
# What the commands in reproducible/ share: their help, their exit statuses,
# and what is said of text that a stranger wrote.  Source it first, after
# "set -euo pipefail", in a bash -p, which takes no functions and no BASH_ENV.  The
# lines of a command that begin with "#|" are its --help.
# shellcheck shell=bash

# Of the caller's environment only this is left, for these commands and for what they
# start: a verdict depends on no GIT_DIR, OPENSSL_CONF or TAR_OPTIONS.
unset POSIXLY_CORRECT BASH_COMPAT
while IFS= read -r name; do
	case $name in
	PATH | PWD | SHLVL | HOME | USER | LOGNAME | TERM | TMPDIR | XDG_CACHE_HOME | XDG_CONFIG_HOME) ;;
	BUILD | SOURCE_DATE_EPOCH) ;;
	# What image/build takes (image/lib/alone.sh).
	MIRROR | SNAPSHOT | RELOCK | JOBS | KEYRING | APT_CONFIG | KEYROOM_FRESH | KEYROOM_IDS) ;;
	http_proxy | https_proxy | no_proxy | all_proxy | HTTP_PROXY | HTTPS_PROXY | NO_PROXY | ALL_PROXY) ;;
	# Who signs, and what asks for the passphrase.
	GIT_AUTHOR_* | GIT_COMMITTER_* | EMAIL | SSH_AUTH_SOCK | SSH_ASKPASS | SSH_ASKPASS_REQUIRE | DISPLAY | WAYLAND_DISPLAY) ;;
	*) unset -v "$name" 2>/dev/null || : ;;
	esac
done < <(compgen -e)
unset name
# Where an ordinary user's path does not lead: veritysetup.
PATH=$PATH:/usr/sbin:/sbin

TOP=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # where the commands find the rest
RULES=$TOP/reproducible/lib
export LC_ALL=C.UTF-8 TZ=UTC
umask 022
me=${0##*/}
# shellcheck disable=SC2034 # each command uses the ones it needs
readonly OTHER=1 USAGE=2 INPUT=3 OUTPUT=5 DISSENT=10

# visible TEXT: on one line, without what could repaint a screen.
visible() { printf '%s' "$1" | LC_ALL=C tr '\000-\037\177-\377' '?'; }
say() { printf '%s: %s\n' "$me" "$(visible "$*")" >&2; }

# fail STATUS MESSAGE
fail() {
	say "$2"
	[ "$1" != "$USAGE" ] || printf '%s: see %s --help\n' "$me" "$me" >&2
	finish "$1"
}

# finish STATUS: the end that was meant.
ended=false
finish() {
	ended=true
	exit "$1"
}

# common_options ARGUMENT...: --help and --version, as the first argument.
common_options() {
	case ${1-} in
	-h | --help)
		sed -n 's/^#| \{0,1\}//p' "$0"
		exit 0 ;;
	--version)
		printf '%s %s\n' "$me" "$(sed -n 's/^KEYROOM_VERSION=//p' "$TOP/image/release")"
		exit 0 ;;
	esac
}

# once OPTION FORMER VALUE...: the value of an option that is given once.
once() {
	[ $# -ge 3 ] || fail $USAGE "$1 needs a value"
	[ -z "$2" ] || fail $USAGE "$1 is given twice"
	[ -n "$3" ] || fail $USAGE "$1 is empty"
	printf '%s' "$3"
}

# readable FILE: an ordinary file that can be read, or the end.
readable() { { [ -f "$1" ] && [ -r "$1" ]; } || fail $INPUT "$1: is no file that can be read"; }

needs() { # COMMAND...
	local one
	for one; do
		type -P "$one" >/dev/null || fail $INPUT "$one is missing on this machine"
	done
}

# A file .jq in a home would give jq's words other meanings.
jq() { HOME=/nonexistent command jq "$@"; }

# room: $room is a folder of our own, removed at the end.
room() {
	room=$(mktemp -d 2>/dev/null) || fail $INPUT "${TMPDIR:-/tmp}: no folder for temporary files can be made there"
	trap 'leave $?' EXIT
}

# leave STATUS: a command that ended where it did not mean to has said nothing about
# what it was given; 1 would be a verdict.
leave() {
	rm -rf -- "$room"
	$ended || [ "$1" -gt 128 ] && return
	case $1 in
	0 | "$INPUT") ;;
	*)
		say "came to no result: a program failed, or no room is left in ${TMPDIR:-/tmp}"
		exit $INPUT ;;
	esac
}

# room_left: where writing fails, what was judged in the room was not.
room_left() {
	head -c 65536 /dev/zero 2>/dev/null >"$room/probe" || fail $INPUT "${TMPDIR:-/tmp}: no room is left there for temporary files"
	rm -f -- "$room/probe"
}

# is_json_text FILE: UTF-8, no control characters but blanks, no mark before it, and of
# words and numbers those that JSON has.  jq leaves out what stands between a NUL and the
# end of the line, and takes NaN, Infinity, 013, +1, .5 and more besides.
NOT_JSON='not JSON for every reader: UTF-8 without control characters; numbers as 13, 0.5, 1e9'
is_json_text() {
	[ "$(LC_ALL=C tr -d '\011\012\015\040-\377' <"$1" | wc -c)" = 0 ] &&
		! LC_ALL=C.UTF-8 grep -qaxv '.*' "$1" && [ "$(head -c 3 "$1" | od -An -tx1 | tr -d ' ')" != efbbbf ] &&
		[ "$(LC_ALL=C sed -E 's/"([^"\\]|\\.)*"/ /g; s/[][{}:,[:space:]]+/\n/g' "$1" |
			LC_ALL=C grep -acvxE '|true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?')" = 0 ]
}

# replaceable FILE: nothing is there, or an ordinary file; mv puts into a folder what was
# to be it, and takes a device away.
replaceable() { [ -f "$1" ] || { [ ! -e "$1" ] && [ ! -L "$1" ]; } || fail $OUTPUT "$1: is no ordinary file"; }

sha256() { local sum; sum=$(sha256sum <"$1") || return 1; printf '%s' "${sum%% *}"; }

NAMESPACE=keyroom-release
# signed_by SIGNERS FILE SIGNATURE [OPTION...]: who of SIGNERS (allowed_signers) signed
# FILE for releases (NAMESPACE), on standard output.  False: nobody did.  ssh-keygen names those of
# the first line with the key alone, and which line allows what is asked is known only
# when each has been tried.
signed_by() {
	local signers=$1 file=$2 signature=$3 line who found
	shift 3
	while IFS= read -r line || [ -n "$line" ]; do
		printf '%s\n' "$line" >"$room/signer" || return 1
		found=$(ssh-keygen -Y find-principals "$@" -s "$signature" -f "$room/signer" <"$file" 2>/dev/null) || continue
		while IFS= read -r who; do
			[ -n "$who" ] || continue
			ssh-keygen -Y verify "$@" -n "$NAMESPACE" -I "$who" -f "$room/signer" -s "$signature" <"$file" >/dev/null 2>&1 ||
				continue
			printf '%s\n' "$who"
			return 0
		done <<<"$found"
	done <"$signers"
	return 1
}

# one_signed SIGNERS FILE [OPTION...]: who of SIGNERS signed FILE, by any of the
# signatures FILE.*.sig beside it, in the order of their names.  False: nobody did.
one_signed() {
	local signers=$1 file=$2 signature
	shift 2
	for signature in "$file".*.sig; do
		[ ! -f "$signature" ] || ! signed_by "$signers" "$file" "$signature" "$@" || return 0
	done
	return 1
}

# instant TIME: seconds of an ISO 8601 time in UTC, to the second.
instant() {
	[[ $1 =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$ ]] || return 1
	date -u -d "$1" +%s 2>/dev/null
}

iso_time() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null; } # SECONDS

# moment TIME: is it a time as ssh-keygen reads it, 20261128, 202611281200 or
# 20261128120000, with or without Z?
moment() {
	[[ $1 =~ ^([0-9]{4})([0-9]{2})([0-9]{2})(([0-9]{2})([0-9]{2})([0-9]{2})?)?Z?$ ]] || return 1
	local day=${BASH_REMATCH[1]}-${BASH_REMATCH[2]}-${BASH_REMATCH[3]}
	date -u -d "$day ${BASH_REMATCH[5]:-00}:${BASH_REMATCH[6]:-00}:${BASH_REMATCH[7]:-00}" +%s >/dev/null 2>&1
}
