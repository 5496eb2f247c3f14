# SPDX-License-Identifier: ISC
# Working inside a root folder.  For scripts that run under ns-run: what they
# mount goes away with their namespace.
# shellcheck shell=bash

# root_mounts ROOT: /proc, a private /dev and /tmp for programs run in ROOT.
root_mounts() {
	local root=$1 dev
	mount -t proc proc "$root/proc"
	mount -t tmpfs -o mode=755 dev "$root/dev"
	for dev in null zero full random urandom tty; do
		: >"$root/dev/$dev"
		mount --bind "/dev/$dev" "$root/dev/$dev"
	done
	mkdir "$root/dev/pts" "$root/dev/shm"
	ln -s /proc/self/fd "$root/dev/fd"
	ln -s /proc/self/fd/0 "$root/dev/stdin"
	ln -s /proc/self/fd/1 "$root/dev/stdout"
	ln -s /proc/self/fd/2 "$root/dev/stderr"
	mount -t tmpfs -o mode=1777 tmp "$root/tmp"
}

root_umounts() { # ROOT
	local dev
	umount "$1/tmp"
	for dev in null zero full random urandom tty; do umount "$1/dev/$dev"; done
	umount "$1/dev" "$1/proc"
}

# root_bind OUTSIDE ROOT INSIDE [ro]
root_bind() {
	mkdir -p "$2/$3"
	mount --bind "$1" "$2/$3"
	if [ "${4-}" = ro ]; then mount -o remount,bind,ro "$2/$3"; fi
}

# root_run ROOT COMMAND...: in ROOT, with a fixed environment and no input.
# What is in the array $pass, of NAME=VALUE, goes along.
pass=()
root_run() {
	local root=$1
	shift
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		TZ=UTC SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" \
		DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true \
		"${pass[@]}" chroot "$root" "$@" </dev/null
}
