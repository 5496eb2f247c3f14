# SPDX-License-Identifier: ISC
# Common to the driver scripts (bash): messages, folders, downloads.
# Source it after "set -euo pipefail"; TOP is the project's root.
# shellcheck shell=bash

TOP=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
case $BUILD in /*) ;; *) BUILD=$TOP/$BUILD ;; esac
# shellcheck disable=SC2034 # packages/fetch and others read it
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/keyroom
SUITE=trixie
ARCH=amd64
LOCK=${LOCK:-$TOP/packages/$SUITE-$ARCH.lock}

export TZ=UTC LC_ALL=C.UTF-8
# An ordinary user may have neither on the path: chroot and mount live there.
export PATH=$PATH:/usr/sbin:/sbin
umask 022

me=${0##*/}
say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit 1; }

sha256() { sha256sum -- "$1" | cut -d' ' -f1; }

# names LIST...: the package names in the lists, without reasons.
names() { sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$@" | sort -u; }

# drivers disc|extension: the descriptors of what is delivered so, by path.
drivers() {
	local driver delivery
	for driver in "$TOP"/packages/drivers/*.conf; do
		delivery=$("$TOP/packages/lib/driver" get delivery "$driver") || return
		[ "$delivery" != "$1" ] || printf '%s\n' "$driver"
	done
}

# check_drivers: a fault in one descriptor must not leave out others without a word.
check_drivers() {
	"$TOP/packages/lib/driver" check "$TOP"/packages/drivers/*.conf ||
		die "a descriptor in packages/drivers is at fault: correct it, nothing is made without it"
}

# disc_names: what is on every disc by name, the drivers' packages among it.
disc_names() {
	local list on_disc=()
	list=$(drivers disc) || return
	[ -z "$list" ] || mapfile -t on_disc <<<"$list"
	{
		names "$TOP/packages/image.list" &&
			{ [ -z "$list" ] || "$TOP/packages/lib/driver" get package "${on_disc[@]}"; }
	} | sort -u
}

# profiles: the names of all profiles.
profiles() {
	local settings
	for settings in "$TOP"/image/profiles/*/settings; do
		settings=${settings%/settings}
		check_name "a profile (image/profiles)" "${settings##*/}"
		printf '%s\n' "${settings##*/}"
	done
}

# of_role ROLE: the lock's lines whose packages have this role.
of_role() { awk -v role=",$1," '!/^#/ && index("," $7 ",", role)' "$LOCK"; }

# lock_time LOCK [SUITE]: the date of the suite's archive that the lock was made of.
lock_time() {
	if [ "${2-$SUITE}" = "$SUITE" ]; then
		sed -n 's/^# snapshot: //p' "$1"
	else
		awk -v suite="$2" '$1 == "#" && $2 == "security:" && $3 == suite { print $4; exit }' "$1"
	fi
}

# field FILE PACKAGE NAME: a field of a package in an archive's index.
field() {
	awk -v p="Package: $2" -v f="$3" 'BEGIN { RS = ""; FS = "\n" } $1 == p {
		for (i = 2; i <= NF; i++) if (index($i, f ": ") == 1) {
			print substr($i, length(f) + 3); exit } }' "$1"
}

# write_release ARCHIVE: the unsigned Release file of a local archive of ours.
write_release() {
	local index=main/binary-$ARCH/Packages
	{
		printf 'Suite: %s\nCodename: %s\nComponents: main\nArchitectures: %s\nSHA256:\n' \
			"$SUITE" "$SUITE" "$ARCH"
		printf ' %s %s %s\n' "$(sha256 "$1/dists/$SUITE/$index")" \
			"$(stat -c %s "$1/dists/$SUITE/$index")" "$index"
	} >"$1/dists/$SUITE/Release"
}

# unpack_debs FOLDER TARGET: unpack the packages whose lock lines come on standard
# input into TARGET.  FOLDER holds each under its SHA-256, or as
# pool/NAME_VERSION_ARCHITECTURE.deb.  What is hashed is what is unpacked: a copy
# that nobody else has.
unpack_debs() {
	local name version arch sum file copy _
	copy=$(mktemp -d)
	while read -r name version arch sum _; do
		file=$1/pool/${name}_${version//:/%3a}_$arch.deb
		[ -e "$file" ] || file=$1/$sum
		cp -- "$file" "$copy/deb" || die "cannot read $file"
		[ "$(sha256 "$copy/deb")" = "$sum" ] ||
			die "$file has SHA-256 $(sha256 "$copy/deb"), the lock says $sum for $name: remove it"
		dpkg-deb -x "$copy/deb" "$2"
	done
	rm -rf "$copy"
}

# What the disc is made of, below TOP.
disc_sources=(image hooks lib signer postcheck tools man packages houses.mk Makefile)

# pack_sources: these as a tar on standard output: all of it but what lies in
# packages/vendor and Python's leavings.  Owners, times and modes do not go along,
# but for "executable".
pack_sources() {
	tar -C "$TOP" --no-anchored --exclude=__pycache__ --anchored --exclude=packages/vendor \
		--hard-dereference --no-acls --no-xattrs --no-selinux --owner=0 --group=0 --numeric-owner \
		--mode='u=rwX,go=rX' --mtime=@1000000000 --sort=name -cf - -- "${disc_sources[@]}"
}

# check_name WHAT NAME: NAME is a name, and no path, pattern or option.
check_name() {
	[[ $2 =~ ^[a-z0-9][a-z0-9-]*$ ]] ||
		die "$1 is a name of small letters, digits and hyphens, not \"$2\""
}

# no_build SAID: ends, with what a command said of BUILD, and what helps.
no_build() {
	die "$(unwritten "$BUILD" "$1"): make it writable, or give BUILD= another folder"
}

# make_build: makes BUILD, marked as a folder that may be removed whole.  In one that is
# there with something in it and has no such mark nothing is made and nothing removed:
# names in it that look like ours are somebody's.
make_build() {
	local said
	if ! mkdir -- "$BUILD" 2>/dev/null; then
		said=$(mkdir -p -- "$BUILD" 2>&1) || no_build "$said"
		[ ! -e "$BUILD/.keyroom-build" ] || return 0
		said=$(ls -A -- "$BUILD" 2>&1) || no_build "$said"
		# The tree's own may have been made by hand, or by an older make.
		if [ -n "$said" ] && [ "$BUILD" != "$TOP/build" ]; then
			die "$BUILD was not made by a build of this project (it holds no .keyroom-build): give BUILD= an empty folder, or none"
		fi
	fi
	said=$({ : >"$BUILD/.keyroom-build"; } 2>&1) || no_build "$said"
}

# make_folders PATH...: in BUILD.
make_folders() {
	local said
	said=$(mkdir -p -- "$@" 2>&1) || no_build "$said"
}

# check_runs: what is built runs programs that lie in BUILD, which a mount may forbid.
check_runs() {
	local probe
	probe=$(mktemp "$BUILD/probe.XXXXXX" 2>&1) || no_build "$probe"
	chmod 700 "$probe"
	[ -x "$probe" ] || {
		rm -f -- "$probe"
		die "$BUILD is on a file system that lets no program run (mounted noexec): give BUILD= another folder"
	}
	rm -f -- "$probe"
}

# one_build: makes BUILD, and holds its lock until this process and all that it
# has started are gone.
one_build() {
	local fault said
	fault=$("$TOP/image/lib/check-paths" "$TOP" "$BUILD") || die "$fault"
	while :; do
		make_build
		said=$({ : >>"$BUILD/lock"; } 2>&1) || no_build "$said"
		exec {build_lock}>>"$BUILD/lock"
		# What a killed build had started goes with its namespace, at once.
		flock -w 5 "$build_lock" ||
			die "another build is at work in $BUILD ($(cat "$BUILD/lock" 2>/dev/null)): wait for it, or give BUILD= another folder"
		# "make clean" may have taken the file away meanwhile.
		[ ! "$BUILD/lock" -ef "/proc/$$/fd/$build_lock" ] || break
		exec {build_lock}>&-
	done
	# Only for that message: "make clean" must go on where the disk is full.
	printf 'process %s, since %s UTC' "$$" "$(date -u +%H:%M:%S)" 2>/dev/null >"$BUILD/lock" || true
}

# work_folder NAME: makes a folder $work in $BUILD/tmp, which goes when this
# process does; and removes those whose processes are no more.
work_folder() {
	local old pid
	make_build
	make_folders "$BUILD/tmp"
	for old in "$BUILD"/tmp/*.[0-9]*.??????; do
		pid=${old##*/}
		pid=${pid#*.}
		[ ! -e "$old" ] || [ -e "/proc/${pid%%.*}" ] || remove "$old"
	done
	work=$(mktemp -d "$BUILD/tmp/$1.$$.XXXXXX" 2>&1) || no_build "$work"
	chmod 755 "$work"
	# Programs that make temporary files of their own make them here.
	export TMPDIR=$work
	trap 'remove "$work"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# remove PATH...: also what belongs to ids of a namespace.
remove() {
	rm -rf -- "$@" 2>/dev/null || "$TOP/image/lib/ns-run" rm -rf -- "$@"
}

# is_full FOLDER: says so, where its disk has less than 2 MB left, or no room for a
# hundred more files; some file systems do not count them.
is_full() {
	local room files left
	read -r room files left < <(df --output=avail,itotal,iavail -B1K -- "$1" 2>/dev/null | tail -n 1) ||
		return 1
	if [ "$room" -lt 2048 ] 2>/dev/null; then
		printf 'the disk that holds %s is full\n' "$1"
	elif [ "$files" -gt 0 ] 2>/dev/null && [ "$left" -lt 100 ] 2>/dev/null; then
		printf 'the disk that holds %s is full of files (it has no inode for another)\n' "$1"
	else
		return 1
	fi
}

# unwritten FOLDER SAID: why nothing can be written there, by what a command said of it.
unwritten() {
	case $2 in *'No space left'*) ! is_full "$1" || return 0 ;; esac
	printf 'nothing can be written into %s: %s\n' "$1" "${2##*: }"
}

# get BASE PATH FILE [SIZE]: copy PATH, of the archive at BASE (an http(s) address
# or a folder), into FILE; more than SIZE bytes are not taken.  Sets $why, and
# returns 0, or
#   4  it is gone: the archive is there, and does not have it (404, 410)
#   5  no answer: no such host, refused, timed out, cut off; no address for this
#   6  FILE cannot be written
#   1  anything else
get() {
	why=''
	case $1 in
	http://* | https://*)
		if command -v curl >/dev/null; then
			get_by_curl "$1/$2" "$3" "${4:-}"
		else
			get_by_wget "$1/$2" "$3" "${4:-}"
		fi ;;
	/*) get_by_copy "$1" "$2" "$3" ;;
	*)
		why="cannot be asked: it is no folder and no http(s) address"
		return 5 ;;
	esac
}

# limited SIZE COMMAND...: it writes no file larger than that (and a block).
limited() {
	[ -z "$1" ] || ulimit -f $(($1 / 1024 + 1))
	shift
	exec "$@"
}

get_by_curl() { # ADDRESS FILE SIZE
	local said status=0 code
	# -q: not with the caller's .curlrc.
	said=$(limited "$3" curl -q -sSfL --proto =http,https --max-redirs 5 --connect-timeout 10 \
		--speed-limit 100 --speed-time 30 -o "$2" -w 'HTTP %{http_code}\n' "$1" 2>&1) || status=$?
	code=$(sed -n 's/^HTTP //p' <<<"$said")
	why=$(sed -n 's/^curl: ([0-9]*) //p' <<<"$said" | head -n 1)
	case $status:$code in
	0:*) return 0 ;;
	22:404 | 22:410) why="answers $code"; return 4 ;;
	22:5?? | 22:429) why="answers $code"; return 5 ;;
	22:*) why="answers $code"; return 1 ;;
	23:*) cannot_write "$2"; return ;;
	153:* | 63:*) why="sends more than it should"; return 1 ;;
	28:*) why="no answer: timed out"; return 5 ;;
	5:* | 6:* | 7:* | 16:* | 18:* | 35:* | 52:* | 55:* | 56:* | 92:*) why="no answer: $why"; return 5 ;;
	esac
	why=${why:-curl ends with status $status}
	return 1
}

get_by_wget() { # ADDRESS FILE SIZE
	local said status=0 code
	said=$(limited "$3" wget --no-config -S -nv --tries=1 --max-redirect=5 --connect-timeout=10 \
		--dns-timeout=10 --read-timeout=30 -O "$2" "$1" 2>&1) || status=$?
	code=$(sed -n 's,^ *HTTP/[0-9.]* \([0-9]*\).*,\1,p' <<<"$said" | tail -n 1)
	why=$(grep -v '^  ' <<<"$said" | tail -n 1)
	case $status:$code in
	0:*) return 0 ;;
	8:404 | 8:410) why="answers $code"; return 4 ;;
	8:5?? | 8:429) why="answers $code"; return 5 ;;
	8:?*) why="answers $code"; return 1 ;;
	3:*) cannot_write "$2"; return ;;
	153:*) why="sends more than it should"; return 1 ;;
	6:*) why="answers ${code:-401}"; return 1 ;;
	4:* | 5:* | 7:*) why="no answer: $why"; return 5 ;;
	esac
	why=${why:-wget ends with status $status}
	return 1
}

get_by_copy() { # FOLDER PATH FILE
	local said
	if [ ! -e "$1/$2" ]; then
		is_absent "$1" "$2" || return 1
		why="does not hold it"
		return 4
	fi
	if [ ! -f "$1/$2" ]; then
		why="$2 is no file"
		return 1
	fi
	! cp -- "$1/$2" "$3" 2>/dev/null || return 0
	if ! said=$(cat -- "$1/$2" 2>&1 >/dev/null); then
		why="$2 cannot be read: ${said##*: }"
		return 1
	fi
	cannot_write "$3"
}

# is_absent FOLDER PATH: each folder on the way can be read, and the last of them does
# not list it.  False, with $why: nobody knows; what a disk or a server does not
# give, a link that leads nowhere, and an empty mount point do not answer for what
# they lack.
is_absent() {
	local at=$1 rest=$2 name names
	while :; do
		name=${rest%%/*}
		if ! names=$(ls -A -- "$at/" 2>&1); then
			why="$at cannot be read: ${names##*: }"
			[ "$at" != "$1" ] || [ "${names##*: }" != "No such file or directory" ] || why="no such folder"
			return 1
		fi
		if ! grep -qxF -e "$name" <<<"$names"; then
			[ "$rest" != "$2" ] || why="holds no Debian archive: no $name"
			[ "$rest" != "${2#*/}" ] || [ -n "$names" ] || why="$at is empty"
			[ -z "$why" ]
			return
		fi
		at=$at/$name
		if [ "$rest" = "$name" ]; then
			[ ! -L "$at" ] && why="$at cannot be looked at" || why="$at is a link that leads nowhere"
			return 1
		fi
		rest=${rest#*/}
	done
}

cannot_write() { # FILE
	why=$(is_full "$(dirname -- "$1")") || why="cannot write $1"
	return 6
}

# archives: where Debian archives are, best first, one a line: MIRROR (folders or
# addresses, blank-separated), then what the machine's own apt is set up with,
# but for archives that say they are not Debian's.  What apt has and nothing here can
# ask stays on the list: from what it does not say, nobody may conclude anything.
archives() {
	local m mirror apts
	mirror=$(for m in ${MIRROR-}; do named_sources MIRROR "$m" || exit; done) || return
	apts=$(apts_archives | while read -r m; do plain_sources "$m"; done) || return
	printf '%s\n' "$mirror" "$apts" | sed '/^$/d; s,/*$,,' | awk '!seen[$0]++'
}

# named_sources SETTING URI: as plain_sources; of what the caller has named, nothing
# may be left out.
named_sources() {
	local found one
	found=$(plain_sources "$2")
	while IFS= read -r one; do
		case $one in
		/* | http://* | https://*) printf '%s\n' "$one" ;;
		*) die "$1 names ${one:-$2}: not a folder, an http(s) address, or a list of such that can be read" ;;
		esac
	done <<<"$found"
}

# apts_archives: as apt writes them.  Its lists need not have been fetched; where
# they have been, they say who makes the archive.  With a fault in them, one more
# that nobody can ask.
apts_archives() {
	local faults fault
	command -v apt-get >/dev/null || return 0
	faults=$(mktemp) || return
	# shellcheck disable=SC2016 # $(...) is apt's own
	{
		apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)' 'Created-By: Packages' 2>>"$faults" ||
			echo "E: apt-get indextargets ends with status $?" >>"$faults"
		echo
		apt-get update --print-uris 2>>"$faults" ||
			echo "E: apt-get update ends with status $?" >>"$faults"
	} | awk -F"'" '/^$/ { here = 1; next }
		!here { at = index($0, "|"); origin = substr($0, 1, at - 1); uri = substr($0, at + 1); sub(/\/*$/, "", uri)
			if (origin != "Debian" && origin !~ /^([$]|$)/) others[uri] = 1; next }
		$2 ~ /\/dists\/.*InRelease$/ { uri = $2; sub(/\/+dists\/.*/, "", uri)
			if (!(uri in others)) print uri }' || return
	# A source that stands there twice is no fault; what is warned of may be missing.
	fault=$(awk '/^E: / && error == "" { error = $0 } / is configured multiple times in / { next }
		/^W: / && warning == "" { warning = $0 } END { print error == "" ? warning : error }' "$faults")
	rm -f "$faults"
	[ -n "$fault" ] || return 0
	say "apt's sources cannot be read: ${fault#?: }"
	echo apt:unreadable-sources
}

# plain_sources URI: folders and http(s) addresses, of any address of apt's; what
# is neither, as it is.
plain_sources() {
	local path=${1#*:} one _
	case $1 in
	mirror+file:* | mirror+copy:*)
		path=$(unescaped "/${path#"${path%%[!/]*}"}")
		grep -qs '^[^#]' -- "$path" || { printf '%s\n' "$1"; return; }
		while read -r one _ || [ -n "$one" ]; do
			case $one in '' | '#'*) continue ;; esac
			plain_sources "$one"
		done <"$path" ;;
	file:* | copy:*) unescaped "/${path#"${path%%[!/]*}"}" ;;
	/* | *:*) printf '%s\n' "$1" ;;
	*) realpath -m -- "$1" ;;
	esac
}

# unescaped TEXT: %20 and the like as what they stand for.
unescaped() {
	local text=${1//\\/\\\\}
	printf '%b\n' "${text//%/\\x}"
}
