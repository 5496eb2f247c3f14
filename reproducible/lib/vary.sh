# SPDX-License-Identifier: ISC
# The circumstances of builds: what may be different on a stranger's machine and
# must not be in the disc.  Each is a function vary_NAME that sets, for a build in
# the folder $room:
#   tree     where the copy of the sources is to lie
#   prefix   the command that makes the circumstances and then runs its arguments
#   settings NAME=VALUE for env -i
# and returns 1, with $why, where this machine cannot make them.
# shellcheck shell=bash
# shellcheck disable=SC2154 # room is verify's
# shellcheck disable=SC2034 # these variables are the result

# name, what differs from the first build; in the order in which they are built.
circumstances() {
	cat <<-'END'
	elsewhere  other ids, umask 077, Turkish, Kathmandu, another host name
	blank      a path with blanks, and TMPDIR too
	utf8       a path in UTF-8
	deep       a path of 300 letters
	kernel     a kernel that calls itself i686, one processor
	shell      BASH_ENV, CDPATH, POSIXLY_CORRECT, exported functions
	home       a user's git, shell, apt, wget and curl configuration
	tmpfs      all on a tmpfs
	order      folders list their files in another order (disorderfs)
	locale     German, Chatham Islands, a clock of 12 hours
	umask      umask 000, many processors pretended to make
	time       the clock three years ahead, for all that asks the C library
	user       an ordinary user (where root asks)
	debian12   a bare Debian 12 (where root asks)
	debian13   a bare Debian 13 (where root asks)
	END
}

base_settings() {
	mkdir -p "$room/home" "$room/tmp"
	settings=("PATH=$PATH" "HOME=$room/home" "XDG_CACHE_HOME=$room/cache" "TMPDIR=$room/tmp"
		LANG=C.UTF-8 TZ=UTC)
	tree=$room/tree
	prefix=()
}

vary_elsewhere() {
	base_settings
	settings+=(LANG=tr_TR.UTF-8 TZ=Asia/Kathmandu)
	prefix=("$TOP/image/lib/ns-run" sh -c 'hostname elsewhere; umask 077; exec "$@"' sh)
	# Started by root, it is built by other users of the host (300000 and up).
	[ "$(id -u)" != 0 ] || foreign=300000
}

vary_blank() {
	base_settings
	tree="$room/a folder/with  blanks"
	mkdir -p "$room/temporary files"
	settings+=("TMPDIR=$room/temporary files")
}

vary_utf8() { base_settings; tree="$room/Schlüssel/鍵/ключ"; }

vary_deep() {
	base_settings
	local name
	name=$(printf 'd%.0s' {1..60})
	tree=$room/$name/$name/$name/$name/$name
}

vary_kernel() {
	base_settings
	why='setarch and taskset are missing (util-linux)'
	command -v setarch >/dev/null && command -v taskset >/dev/null || return 1
	# Not --uname-2.6: libc6 refuses to be installed on such a kernel.
	prefix=(setarch linux32 taskset -c 0)
}

vary_shell() {
	base_settings
	printf 'echo disturbed by BASH_ENV; set +e\n' >"$room/bash_env"
	settings+=("BASH_ENV=$room/bash_env" "ENV=$room/bash_env" "CDPATH=$room:/" POSIXLY_CORRECT=1
		'BASH_FUNC_sort%%=() { cat; }' 'BASH_FUNC_sha256sum%%=() { echo 0 -; }' 'GZIP=-1' 'XZ_OPT=-0' 'TAR_OPTIONS=--mtime=@1'
		'GREP_OPTIONS=-v' MAKEFLAGS=-k CFLAGS=-O0 SOURCE_DATE_EPOCH=1 LC_ALL=tr_TR.UTF-8)
}

vary_home() {
	base_settings
	printf '[core]\n\tautocrlf = true\n\texcludesFile = ~/ignored\n[init]\n\tdefaultBranch = x\n' >"$room/home/.gitconfig"
	printf '*.sh\nimage\n' >"$room/home/ignored"
	printf 'exit 9\n' | tee "$room/home/.bashrc" "$room/home/.profile" >"$room/home/.bash_profile"
	printf 'header = on\n' | tee "$room/home/.wgetrc" >"$room/home/.curlrc"
	printf 'no-such-option\n' >"$room/home/.dpkg.cfg"
}

vary_tmpfs() {
	base_settings
	why='only root mounts a tmpfs here'
	[ "$(id -u)" = 0 ] || return 1
	mkdir -p "$room/memory"
	mount -t tmpfs -o size=8g tmpfs "$room/memory" 2>/dev/null || return 1
	mounted+=("$room/memory")
	tree=$room/memory/tree
}

vary_order() {
	base_settings
	why='disorderfs is missing, or FUSE is not allowed'
	command -v disorderfs >/dev/null && [ -w /dev/fuse ] || return 1
	mkdir -p "$room/ordered" "$room/disordered"
	disorderfs --multi-user="$([ "$(id -u)" = 0 ] && echo yes || echo no)" --sort-dirents=yes --reverse-dirents=yes \
		"$room/ordered" "$room/disordered" >/dev/null 2>&1 || return 1
	mounted+=("$room/disordered")
	tree=$room/disordered/tree
	# Layers need device files and other owners, which stay outside.
	mkdir -p "$room/build"
	settings+=("BUILD=$room/build")
}

vary_locale() {
	base_settings
	settings+=(LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 LANGUAGE=de:fr TZ=Pacific/Chatham TIME_STYLE=locale LC_TIME=en_US.UTF-8)
}

vary_umask() {
	base_settings
	settings+=(JOBS=3 OMP_NUM_THREADS=7)
	prefix=(sh -c 'umask 000; exec "$@"' sh)
}

vary_time() {
	base_settings
	why='gcc is missing, for the library that moves the clock'
	command -v gcc >/dev/null || return 1
	why='the library that moves the clock cannot be made or preloaded'
	gcc -O2 -shared -fPIC -o "$room/clock.so" "$TOP/reproducible/lib/years-on.c" 2>/dev/null || return 1
	prefix=("$TOP/image/lib/ns-run" "$TOP/reproducible/lib/years-on" "$room/clock.so")
	[ "$("${prefix[@]}" env -i date +%Y 2>/dev/null)" -gt "$(date -d '2 years' +%Y)" ] 2>/dev/null || return 1
}

vary_user() {
	base_settings
	why='only root can become another user, and needs one called keyroom-builder with 65536 subordinate ids (useradd gives them)'
	[ "$(id -u)" = 0 ] && id keyroom-builder >/dev/null 2>&1 && grep -q '^keyroom-builder:' /etc/subuid || return 1
	owner=keyroom-builder
	prefix=(setpriv --reuid=keyroom-builder --regid=keyroom-builder --init-groups)
}

host_root() { # SUITE
	base_settings
	why="only root, with debootstrap and a Debian archive that has $1"
	[ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null || return 1
	"$TOP/reproducible/lib/host-root" "$1" "$room/host" >"$room/host.log" 2>&1 || return 1
	tree=/srv/tree
	hosted=$room/host
	settings=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root XDG_CACHE_HOME=/srv/cache TMPDIR=/tmp)
	# shellcheck disable=SC2016 # the inner shell's
	prefix=(unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; exec chroot "$0" "$@"' "$hosted")
}
vary_debian12() { host_root bookworm; }
vary_debian13() { host_root trixie; }
