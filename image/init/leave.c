/* SPDX-License-Identifier: ISC */
#include "leave.h"

#include "clock.h"
#include "console.h"
#include "root.h"
#include "verity.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h> /* what cdrom.h takes for known */
#include <linux/cdrom.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN "initramfs"
#define FOLDER "/run/" OWN
#define OLD_ROOT "/oldroot"

enum {
	PATH_SIZE = 300,
	LOOPS = 8,
	TRIES = 100,
	PAUSE_MS = 20,
	ALONE_MS = 15000 /* for each thing that could hang */
};

bool leave_prepare(struct err *err)
{
	static const char target[] = FOLDER "/shutdown";
	struct stat status;
	bool ok = false;
	int from;
	int to = -1;

	from = open("/init", O_RDONLY | O_CLOEXEC);
	if (from < 0 || fstat(from, &status) < 0) {
		err_errno(err, "/init");
		goto done;
	}
	if (mkdir(FOLDER, 0755) == 0)
		to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			S_IRWXU);
	if (to < 0 || sendfile(to, from, NULL, (size_t)status.st_size) !=
			      status.st_size) {
		err_errno(err, "%s", target);
		goto done;
	}
	ok = true;
done:
	if (to >= 0)
		close(to);
	if (from >= 0)
		close(from);
	return ok;
}

static void free_loops(void)
{
	char path[32];
	int number;
	int file;

	for (number = 0; number < LOOPS; number++) {
		snprintf(path, sizeof(path), "/dev/loop%d", number);
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			continue;
		ioctl(file, LOOP_CLR_FD, 0);
		close(file);
	}
}

/*
 * Let go of the old root with all that is mounted below it, then of what held
 * it up: dm-verity, the loop device, the disc.  No process is left that could
 * use any of it; a file system that is detached ends by itself, soon.
 */
static void take_down(void)
{
	int tries = TRIES;

	umount2(OLD_ROOT, MNT_DETACH | UMOUNT_NOFOLLOW);
	while (!verity_close(VERITY_ROOT) && --tries > 0)
		clock_sleep(PAUSE_MS);
	free_loops();
	if (tries == 0)
		console_say("Keyroom: the root file system stays in use\n");
}

/*
 * What lies in memory and in no old root: /run, with what is on its way to the
 * drives, and /dev/shm.  This program's own folder is in /run and is the root
 * now: where the two are not one file system, it is not as systemd has it, and
 * what there is in /run stays.
 */
static void empty_memory(void)
{
	struct stat top, run;

	if (stat("/", &top) == 0 && stat("/run", &run) == 0 &&
		top.st_dev == run.st_dev)
		root_empty("/run", OWN);
	root_empty("/dev/shm", NULL);
	umount2("/dev/shm", MNT_DETACH | UMOUNT_NOFOLLOW);
}

/* The kernel overwrites what it is given back (init_on_free=1). */
static void drop_caches(void)
{
	int file = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (file < 0 || write(file, "3", 1) != 1)
		console_say("Keyroom: the caches stay in memory\n");
	if (file >= 0)
		close(file);
}

/* Tell the drive to open its tray; is the disc out of its reach now? */
static bool eject(const char *path)
{
	bool out;
	int file;

	file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		return false;
	ioctl(file, CDROM_LOCKDOOR, 0);
	out = ioctl(file, CDROMEJECT, 0) == 0 &&
	      ioctl(file, CDROM_DRIVE_STATUS, CDSL_CURRENT) != CDS_DISC_OK;
	close(file);
	return out;
}

/*
 * Open one tray.  The file system on the disc has been detached, but the kernel
 * lets go of it in its own time, and until then the drive is busy; and a drive
 * that has something to report (SCSI's "unit attention") reports it instead of
 * doing what it is told.
 */
static void open_tray(const char *path)
{
	int tries = TRIES;

	while (!eject(path) && --tries > 0)
		clock_sleep(PAUSE_MS);
	if (tries == 0)
		console_say("Keyroom: the tray of %s stays shut\n", path);
}

static void open_trays(void)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	char path[PATH_SIZE];

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "sr", 2) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		open_tray(path);
	}
	closedir(dir);
}

_Noreturn void leave(const char *verb)
{
	int how = RB_POWER_OFF;

	if (strcmp(verb, "reboot") == 0)
		how = RB_AUTOBOOT;
	else if (strcmp(verb, "halt") == 0)
		how = (int)RB_HALT_SYSTEM;
	sync();
	take_down();
	open_trays();
	empty_memory();
	drop_caches();
	reboot(how);
	for (;;)
		pause();
}

/* In a process of its own, which a drive or a file system that hangs holds up.
 */
static void within(int64_t ms, void (*work)(void))
{
	const int64_t end = clock_ms() + ms;
	const pid_t worker = fork();

	if (worker == 0) {
		work();
		_exit(0);
	}
	while (worker > 0 && waitpid(worker, NULL, WNOHANG) == 0 &&
		clock_ms() < end)
		clock_sleep(PAUSE_MS);
}

/* The root stands, so what was written to it goes file by file. */
static void clear_under_the_root(void)
{
	root_empty("/run/keyroom/upper", NULL);
	root_empty("/dev/shm", NULL);
	root_empty("/run", OWN);
	drop_caches();
}

_Noreturn void leave_alone(void)
{
	/* All but process 1 and this one. */
	kill(-1, SIGKILL);
	within(ALONE_MS, clear_under_the_root);
	within(ALONE_MS, sync);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
