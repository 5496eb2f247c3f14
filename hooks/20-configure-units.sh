#!/bin/sh
# SPDX-License-Identifier: ISC
# Start only what a ceremony needs: text consoles, card readers, time from
# nobody.  Units that write, fetch or wait for a network are masked; and so are
# the shells that systemd has for an emergency, which no audit would come before.
# Phase: after packages.  Reads: ROOT.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

units=$ROOT/etc/systemd/system
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
	e2scrub_all.timer e2scrub_reap.service fstrim.timer \
	systemd-networkd.service systemd-networkd-wait-online.service \
	systemd-network-generator.service systemd-networkd.socket \
	systemd-pstore.service systemd-random-seed.service \
	systemd-tpm2-setup.service systemd-tpm2-setup-early.service \
	systemd-pcrphase.service systemd-pcrphase-initrd.service \
	systemd-boot-random-seed.service systemd-firstboot.service \
	systemd-machine-id-commit.service systemd-update-done.service \
	systemd-hwdb-update.service systemd-journal-catalog-update.service \
	systemd-sysupdate.timer systemd-sysupdate-reboot.timer \
	systemd-remount-fs.service systemd-repart.service \
	swap.target hibernate.target hybrid-sleep.target suspend.target \
	sleep.target suspend-then-hibernate.target ldconfig.service \
	sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount \
	dev-mqueue.mount rpcbind.service ctrl-alt-del.target \
	debug-shell.service systemd-journal-flush.service \
	proc-sys-fs-binfmt_misc.automount systemd-binfmt.service \
	systemd-rfkill.socket systemd-rfkill.service \
	systemd-ask-password-console.path systemd-ask-password-wall.path \
	sys-kernel-config.mount sys-fs-fuse-connections.mount \
	systemd-hostnamed.socket systemd-userdbd.socket systemd-creds.socket \
	systemd-initctl.socket systemd-journald-audit.socket \
	systemd-mountfsd.socket systemd-nsresourced.socket \
	systemd-sysusers.service systemd-tmpfiles-clean.timer \
	systemd-update-utmp.service systemd-update-utmp-runlevel.service \
	systemd-udev-load-credentials.service systemd-modules-load.service \
	kmod-static-nodes.service systemd-tmpfiles-setup-dev-early.service \
	systemd-tmpfiles-setup-dev.service run-lock.mount \
	getty-static.service console-getty.service container-getty@.service \
	emergency.target emergency.service rescue.service; do
	ln -sfn /dev/null "$units/$unit"
done
ln -sfn /usr/lib/systemd/system/multi-user.target "$units/default.target"
# Whoever asks for them in the menu gets the usual start, in which the audit sees
# those words: rescue.target is what systemd falls back to where the target that
# was asked for is masked or is none.
for target in rescue runlevel1; do
	ln -sfn /usr/lib/systemd/system/multi-user.target "$units/$target.target"
done
mkdir -p "$units/getty.target.wants"
for tty in 1 2 3 4 5 6; do
	ln -sfn /usr/lib/systemd/system/getty@.service \
		"$units/getty.target.wants/getty@tty$tty.service"
done

mkdir -p "$units/sysinit.target.wants"
ln -sfn /usr/lib/systemd/system/keyroom-clock.service \
	"$units/sysinit.target.wants/keyroom-clock.service"

[ "$(readlink "$units/suspend.target")" = /dev/null ]
[ "$(readlink "$units/emergency.service")" = /dev/null ]
[ "$(readlink "$units/container-getty@.service")" = /dev/null ]
[ -e "$ROOT/usr/lib/systemd/system/getty@.service" ]
