/* SPDX-License-Identifier: ISC */
/*
 * Process 1 of the initramfs: from power-on to a verified root, or to a
 * message and a stop.  The table of phases below is the whole story; each
 * phase is in the file that its name suggests.
 */
#include "ahead.h"
#include "clock.h"
#include "cmdline.h"
#include "console.h"
#include "guard.h"
#include "leave.h"
#include "loop.h"
#include "medium.h"
#include "modules.h"
#include "ram.h"
#include "root.h"
#include "verity.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#define STATE "/run/keyroom"

enum { PHASES = 11, PATIENCE_MS = 30000, PATH_SIZE = 256 };

struct boot {
	struct cmdline cmdline;
	struct medium medium;
	char image[PATH_SIZE]; /* the image file, as it is read */
	uint64_t unreadable;   /* sectors left to the parity */
	char device[32];       /* the verified one */
	int64_t start;         /* ms from the kernel's start to ours */
	int64_t ms[PHASES];
};

static bool do_mounts(struct boot *boot, struct err *err)
{
	(void)boot;
	return root_prepare(err);
}

static bool do_cmdline(struct boot *boot, struct err *err)
{
	char text[4096];
	ssize_t got;
	int file;

	file = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	got = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	if (file >= 0)
		close(file);
	if (got < 0)
		return err_errno(err, "/proc/cmdline");
	text[got] = '\0';
	if (cmdline_parse(text, &boot->cmdline, err))
		return true;
	return err_advise(err,
		"start again with an entry of the menu as it stands on the disc");
}

static bool do_modules(struct boot *boot, struct err *err)
{
	(void)boot;
	return modules_load("/modules", err);
}

static bool do_medium(struct boot *boot, struct err *err)
{
	const struct medium_search search = {
		.sysfs = "/sys",
		.dev = "/dev",
		.id = boot->cmdline.medium,
		.patience = PATIENCE_MS,
	};

	console_say("Keyroom: looking for the disc\n");
	if (!medium_find(&search, &boot->medium, err))
		return false;
	console_say("Keyroom: starting from %s (%s)\n",
		boot->medium.device.name,
		device_kind_name(boot->medium.device.kind));
	return true;
}

static bool do_iso(struct boot *boot, struct err *err)
{
	snprintf(boot->image, sizeof(boot->image), STATE "/medium%s",
		boot->cmdline.image);
	return medium_mount(&boot->medium, STATE "/medium", err);
}

static void show_copied(unsigned percent)
{
	console_say("\rKeyroom: copying the disc to memory %u %%%s", percent,
		percent == 100 ? "\n" : "");
}

static bool do_ram(struct boot *boot, struct err *err)
{
	static const char target[] = STATE "/ram/image";

	if (!boot->cmdline.toram)
		return true;
	if (!ram_mount(boot->image, STATE "/ram", err) ||
		!ram_copy(boot->image, target, show_copied, &boot->unreadable,
			err))
		return false;
	if (umount2(STATE "/medium", UMOUNT_NOFOLLOW) < 0)
		return err_errno(err, "the disc cannot be let go of");
	memcpy(boot->image, target, sizeof(target));
	return true;
}

/*
 * First what it takes to mount the root, then beside the boot what it reads.
 * Who checks the disc reads all of it; what is in memory is read already.
 */
static bool do_ahead(struct boot *boot, struct err *err)
{
	const struct cmdline *said = &boot->cmdline;
	const uint64_t block = CMDLINE_BLOCK;

	(void)err;
	if (said->toram || said->front_blocks == 0)
		return true;
	ahead_read(boot->image, said->tables_start * block,
		said->verity.fec_start * block);
	if (!said->check)
		ahead_read_beside(boot->image, 0, said->front_blocks * block);
	return true;
}

static bool do_verity(struct boot *boot, struct err *err)
{
	struct loop loop;

	if (loop_open(boot->image, &loop, err) &&
		verity_open(VERITY_ROOT, &boot->cmdline.verity, &loop,
			boot->device, sizeof(boot->device), err))
		return true;
	return err_advise(err,
		"the disc is damaged or not the one this entry was made for; use another copy");
}

static void show_checked(unsigned percent)
{
	console_say("\rKeyroom: checking the disc %u %%%s", percent,
		percent == 100 ? "\n" : "");
}

static bool do_check(struct boot *boot, struct err *err)
{
	if (!boot->cmdline.check ||
		verity_check(boot->device, show_checked, err))
		return true;
	return err_advise(err, "the disc is damaged; use another copy");
}

static bool do_root(struct boot *boot, struct err *err)
{
	return root_mount(boot->device, err);
}

static bool do_handover(struct boot *boot, struct err *err);

static const struct phase {
	const char *name;
	bool (*run)(struct boot *boot, struct err *err);
} phases[PHASES] = {
	{"mounts", do_mounts},
	{"cmdline", do_cmdline},
	{"modules", do_modules},
	{"medium", do_medium},
	{"iso", do_iso},
	{"ram", do_ram},
	{"ahead", do_ahead},
	{"verity", do_verity},
	{"check", do_check},
	{"root", do_root},
	{"handover", do_handover},
};

/* What happened, for verify-media, system-audit and the tests. */
static bool write_report(const struct boot *boot, struct err *err)
{
	FILE *report = fopen(STATE "/boot", "wxe");
	size_t i;

	if (report == NULL)
		return err_errno(err, STATE "/boot");
	fprintf(report, "medium=%s\n", boot->medium.path);
	fprintf(report, "kind=%s\n",
		device_kind_name(boot->medium.device.kind));
	fprintf(report, "id=%s\n", boot->cmdline.medium);
	fprintf(report, "label=%s\n", boot->medium.label);
	fprintf(report, "image=%s\n", boot->cmdline.image);
	fprintf(report, "roothash=%s\n", boot->cmdline.verity.root);
	fprintf(report, "toram=%s\n", boot->cmdline.toram ? "yes" : "no");
	fprintf(report, "checked=%s\n", boot->cmdline.check ? "yes" : "no");
	fprintf(report, "unreadable=%" PRIu64 "\n", boot->unreadable);
	fprintf(report, "ms.start=%" PRId64 "\n", boot->start);
	for (i = 0; i < PHASES - 1; i++)
		fprintf(report, "ms.%s=%" PRId64 "\n", phases[i].name,
			boot->ms[i]);
	fprintf(report, "ms.total=%" PRId64 "\n", clock_ms());
	if (ferror(report) | fclose(report))
		return err_set(err, STATE "/boot cannot be written");
	return true;
}

/* Returns only if it failed. */
static bool do_handover(struct boot *boot, struct err *err)
{
	if (!write_report(boot, err) || !leave_prepare(err))
		return false;
	if (boot->cmdline.debug)
		console_say(
			"keyroom: handover at %" PRId64 " ms\n", clock_ms());
	return root_enter(err);
}

/* There is no way on from here but switching the machine off. */
static _Noreturn void stop(const char *phase, const struct err *err)
{
	console_show_failure(phase, err);
	console_wait_for_enter();
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct boot boot = {.start = clock_ms()};
	struct err err = {.text = ""};
	int64_t before;
	size_t i;

	if (getpid() != 1 && argc == 2 && strcmp(argv[1], "guard") == 0)
		return guard();
	if (getpid() != 1) {
		fputs("init: runs only as the first process of a machine\n",
			stderr);
		return 1;
	}
	if (argc > 1 && strcmp(argv[0], "/shutdown") == 0)
		leave(argv[1]);
	for (i = 0; i < PHASES; i++) {
		before = clock_ms();
		if (!phases[i].run(&boot, &err))
			break;
		boot.ms[i] = clock_ms() - before;
		if (boot.cmdline.debug)
			console_say("keyroom: %s %" PRId64 " ms\n",
				phases[i].name, boot.ms[i]);
	}
	/* The last phase ends in another program, so a phase has failed. */
	stop(phases[i < PHASES ? i : PHASES - 1].name, &err);
}
