/* SPDX-License-Identifier: ISC */
#include "guard.h"

#include "clock.h"
#include "leave.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h> /* what cdrom.h takes for known */
#include <linux/cdrom.h>
#include <linux/input.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATE "/run/keyroom"
#define KEPT "/usr/share/keyroom/kept"
static const char gone[] =
	"*** THE DISC IS GONE: nothing more can be read from it. Stop here. What was written to the flash drives is there. To switch off, with memory cleared: the power key, or poweroff ***";
static const char damaged[] =
	"*** THE DISC IS DAMAGED beyond repair: a part of it cannot be read. Stop here. What was written to the flash drives is there. Switch off, with the power key or poweroff, and start from another copy ***";
static const char alone[] =
	"*** THE SESSION DOES NOT END: switching off without it ***";

enum {
	NAME_SIZE = 64,
	LINE_SIZE = 1024,
	MESSAGE_SIZE = 8192, /* no record of the kernel's log is longer */
	KEYS = 16,
	MLOCK_ON_FAULT = 1,   /* mlock2(2); not in every C library's headers */
	KEEP_MS = 15000,      /* between two looks at what runs */
	LOOK_MS = 3000,       /* between two looks into an optical drive */
	ORDERLY_MS = 25000,   /* for systemd to end the session */
	SIGNAL_POWEROFF = 38, /* systemd(1): SIGRTMIN+4, counted by glibc */
	SIGNAL_POWEROFF_NOW = 48 /* SIGRTMIN+14 */
};

struct watch {
	char name[NAME_SIZE]; /* of the block device: "sda" */
	int news;
	int log; /* the kernel's */
	bool gone;
	bool damaged;
	int64_t kept;    /* when it was last looked at what runs */
	int64_t looked;  /* when it was last looked into the drive */
	int64_t leaving; /* when the power key was pressed, or 0 */
	int asked;       /* how often systemd was asked since */
	struct pollfd keys[KEYS];
	size_t key_count;
};

enum guard_news guard_news(const char *message, size_t length, const char *name)
{
	const char *end = message + length;
	const char *at = message;
	bool block = false;
	bool ours = false;

	for (; at < end; at += strnlen(at, (size_t)(end - at)) + 1) {
		if (strncmp(at, "DEVNAME=", 8) == 0)
			ours = strcmp(at + 8, name) == 0;
		if (strcmp(at, "SUBSYSTEM=block") == 0)
			block = true;
	}
	if (!ours || !block)
		return GUARD_NOTHING;
	if (strncmp(message, "remove@", 7) == 0)
		return GUARD_REMOVED;
	return strncmp(message, "change@", 7) == 0 ? GUARD_CHANGED
						   : GUARD_NOTHING;
}

void guard_fold(const char *text, size_t width, char *out, size_t size)
{
	size_t used = 0;
	size_t column = 0;
	size_t word;

	for (; *text != '\0'; text += word, text += strspn(text, " ")) {
		word = strcspn(text, " ");
		if (used + word + 3 > size)
			break;
		if (column > 0 && column + 1 + word > width) {
			memcpy(out + used, "\r\n", 2);
			used += 2;
			column = 0;
		} else if (column > 0) {
			out[used++] = ' ';
			column++;
		}
		memcpy(out + used, text, word);
		used += word;
		column += word;
	}
	out[used] = '\0';
}

bool guard_damage(const char *record)
{
	static const char unread[] = "SQUASHFS error: ";
	static const char wrong[] = "device-mapper: verity: ";
	const char *text = strchr(record, ';');
	unsigned minor = 1;

	/* A program's record has a facility, which stands above three bits. */
	if (text == NULL || strtoul(record, NULL, 10) > 7)
		return false;
	text++;
	if (strncmp(text, unread, sizeof(unread) - 1) == 0)
		return true;
	return strncmp(text, wrong, sizeof(wrong) - 1) == 0 &&
	       sscanf(text + sizeof(wrong) - 1, "%*u:%u:", &minor) == 1 &&
	       minor == 0 && strstr(text, " is corrupted") != NULL;
}

static void say_on(const char *path, const char *alarm)
{
	struct winsize size = {.ws_col = 0};
	char folded[LINE_SIZE];
	char text[LINE_SIZE + 32];
	int file;
	int length;

	file = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		return;
	if (ioctl(file, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		size.ws_col = 80;
	guard_fold(alarm, size.ws_col, folded, sizeof(folded));
	length = snprintf(
		text, sizeof(text), "\r\n\033[1;31m%s\033[0m\r\n", folded);
	/* One that was stopped with Ctrl-S misses it. */
	if (write(file, text, (size_t)length) < 0)
		(void)0;
	close(file);
}

/* Every text console, every window, and the kernel's other consoles. */
static void say_everywhere(const char *alarm)
{
	char path[NAME_SIZE + 8];
	char active[NAME_SIZE] = "";
	char *rest = active;
	char *name;
	struct dirent *entry;
	FILE *list = fopen("/sys/class/tty/console/active", "re");
	DIR *windows = opendir("/dev/pts");
	int number;

	for (number = 1; number <= 6; number++) {
		snprintf(path, sizeof(path), "/dev/tty%d", number);
		say_on(path, alarm);
	}
	while (windows != NULL && (entry = readdir(windows)) != NULL)
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
			snprintf(path, sizeof(path), "/dev/pts/%.32s",
				entry->d_name);
			say_on(path, alarm);
		}
	if (list != NULL && fgets(active, sizeof(active), list) == NULL)
		active[0] = '\0';
	while ((name = strsep(&rest, " \n")) != NULL)
		if (strncmp(name, "ttyS", 4) == 0) {
			snprintf(path, sizeof(path), "/dev/%s", name);
			say_on(path, alarm);
		}
	if (windows != NULL)
		closedir(windows);
	if (list != NULL)
		fclose(list);
}

/* Lock what of these pages is in memory, and read no more of them. */
static void keep_what_is_there(const char *pages, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t count = (size + page - 1) / page;
	unsigned char *there = calloc(count, 1);
	size_t i;

	if (there != NULL &&
		syscall(SYS_mlock2, pages, size, MLOCK_ON_FAULT) == 0 &&
		mincore((void *)(uintptr_t)pages, size, there) == 0)
		for (i = 0; i < count; i++)
			if (there[i] & 1)
				(void)*(const volatile char *)(pages +
							       i * page);
	free(there);
}

/*
 * A file's pages stay in memory for as long as they are mapped and locked here:
 * all of them, or those that somebody has used.
 */
static void keep(const char *path, bool whole)
{
	struct stat status;
	void *pages;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (file < 0)
		return;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
		status.st_size > 0) {
		pages = mmap(NULL, (size_t)status.st_size, PROT_READ,
			MAP_SHARED, file, 0);
		if (pages == MAP_FAILED)
			pages = NULL;
		if (pages != NULL && whole)
			mlock(pages, (size_t)status.st_size);
		else if (pages != NULL)
			keep_what_is_there(pages, (size_t)status.st_size);
	}
	close(file);
}

/* Is the file mapped here?  Then it is kept. */
static bool is_kept(const char *path)
{
	char line[LINE_SIZE];
	const char *found;
	bool kept = false;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps != NULL && !kept &&
		fgets(line, sizeof(line), maps) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		found = strchr(line, '/');
		kept = found != NULL && strcmp(found, path) == 0;
	}
	if (maps != NULL)
		fclose(maps);
	return kept;
}

/* What a process runs from the disc: its program and libraries, its fonts. */
static void keep_process(const char *pid)
{
	char path[NAME_SIZE];
	char line[LINE_SIZE];
	const char *file;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%.16s/maps", pid);
	maps = fopen(path, "re");
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		file = strchr(line, '/');
		if (file != NULL &&
			(strncmp(file, "/usr/", 5) == 0 ||
				strncmp(file, "/etc/", 5) == 0) &&
			!is_kept(file))
			keep(file, strcmp(pid, "1") == 0);
	}
	if (maps != NULL)
		fclose(maps);
}

/* The processes that alarm, verdict, leaving and going off need. */
static bool is_needed(const char *pid)
{
	static const char *const names[] = {"systemd", "systemd-udevd",
		"systemd-journal", "bash", "labwc", "foot", "ceremony-log",
		"power-key"};
	char path[NAME_SIZE];
	char name[NAME_SIZE] = "";
	bool needed = false;
	FILE *file;
	size_t i;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	if (fgets(name, sizeof(name), file) != NULL)
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		needed = needed || strcmp(name, names[i]) == 0;
	return needed;
}

static void keep_all(void)
{
	char line[LINE_SIZE];
	struct dirent *entry;
	FILE *list = fopen(KEPT, "re");
	DIR *processes = opendir("/proc");

	while (list != NULL && fgets(line, sizeof(line), list) != NULL) {
		line[strcspn(line, " \t\n")] = '\0';
		if (line[0] == '/' && !is_kept(line))
			keep(line, true);
	}
	while (processes != NULL && (entry = readdir(processes)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			is_needed(entry->d_name))
			keep_process(entry->d_name);
	if (list != NULL)
		fclose(list);
	if (processes != NULL)
		closedir(processes);
}

/* The power key is one of these; from now on it is read here, too. */
static void open_keys(struct watch *watch)
{
	char path[NAME_SIZE];
	int number;
	int file;

	for (number = 0; number < 32 && watch->key_count < KEYS; number++) {
		snprintf(path, sizeof(path), "/dev/input/event%d", number);
		file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (file >= 0)
			watch->keys[watch->key_count++] =
				(struct pollfd){.fd = file, .events = POLLIN};
	}
}

/* What the prompt and the audit look for. */
static void leave_mark(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (file < 0)
		return;
	if (write(file, text, strlen(text)) < 0)
		(void)0;
	close(file);
}

static void begin_alarm(struct watch *watch)
{
	if (watch->gone)
		return;
	watch->gone = true;
	leave_mark(STATE "/medium-gone", "");
	say_everywhere(gone);
	open_keys(watch);
}

static bool is_optical(const char *name)
{
	return strncmp(name, "sr", 2) == 0;
}

/*
 * Is the drive there, and its tray neither empty nor open?  One that is busy,
 * or cannot say, is no alarm.  A card reader stays when its card goes, and says
 * so (ENOMEDIUM) only to who opens it without O_NONBLOCK; an optical drive
 * would shut its tray for that.
 */
static bool has_disc(const char *name)
{
	const int flags = is_optical(name) ? O_NONBLOCK : 0;
	char path[NAME_SIZE + 8];
	int status = CDS_NO_INFO;
	int file;

	snprintf(path, sizeof(path), "/dev/%s", name);
	file = open(path, O_RDONLY | O_CLOEXEC | flags);
	if (file < 0)
		return false;
	if (is_optical(name))
		status = ioctl(file, CDROM_DRIVE_STATUS, CDSL_CURRENT);
	close(file);
	return status != CDS_NO_DISC && status != CDS_TRAY_OPEN;
}

/*
 * The kernel's news of an optical drive are what the drive reports, and there
 * are drives that never report an open tray.
 */
static void look(struct watch *watch)
{
	if (watch->gone || !is_optical(watch->name) ||
		clock_ms() - watch->looked < LOOK_MS)
		return;
	watch->looked = clock_ms();
	if (!has_disc(watch->name))
		begin_alarm(watch);
}

static int wait_ms(const struct watch *watch)
{
	if (watch->gone)
		return 500;
	return is_optical(watch->name) ? LOOK_MS : KEEP_MS;
}

static void hear_news(struct watch *watch)
{
	static char message[MESSAGE_SIZE + 1];
	ssize_t got;

	while ((got = recv(watch->news, message, MESSAGE_SIZE, MSG_DONTWAIT)) >
		0) {
		message[got] = '\0';
		switch (guard_news(message, (size_t)got, watch->name)) {
		case GUARD_REMOVED:
			begin_alarm(watch);
			break;
		case GUARD_CHANGED:
			if (!has_disc(watch->name))
				begin_alarm(watch);
			break;
		case GUARD_NOTHING:
			break;
		}
	}
}

/* Of a disc that is gone the kernel says that it cannot be read, too. */
static void hear_log(struct watch *watch)
{
	static char record[MESSAGE_SIZE + 1];
	ssize_t got;

	while ((got = read(watch->log, record, MESSAGE_SIZE)) > 0 ||
		(got < 0 && errno == EPIPE)) {
		record[got > 0 ? got : 0] = '\0';
		if (watch->gone || watch->damaged || !guard_damage(record))
			continue;
		if (!has_disc(watch->name)) {
			begin_alarm(watch);
			continue;
		}
		watch->damaged = true;
		leave_mark(STATE "/damaged", record);
		say_everywhere(damaged);
	}
}

static void hear_keys(struct watch *watch)
{
	struct input_event event;
	size_t i;

	for (i = 0; i < watch->key_count; i++)
		while (read(watch->keys[i].fd, &event, sizeof(event)) ==
			sizeof(event))
			if (event.type == EV_KEY && event.code == KEY_POWER &&
				event.value == 1 && watch->leaving == 0)
				watch->leaving = clock_ms();
}

/* Ask systemd, in good order; then not so; then do without it. */
static void leave_by_force(struct watch *watch)
{
	static const int asks[] = {SIGNAL_POWEROFF, SIGNAL_POWEROFF_NOW};
	int64_t since;

	if (watch->leaving == 0)
		return;
	since = clock_ms() - watch->leaving;
	if (since < watch->asked * (int64_t)ORDERLY_MS)
		return;
	if (watch->asked < 2) {
		kill(1, asks[watch->asked++]);
		return;
	}
	say_everywhere(alone);
	leave_alone();
}

static bool read_medium(struct watch *watch)
{
	char line[LINE_SIZE];
	const char *slash;
	bool there = false;
	FILE *report = fopen(STATE "/boot", "re");

	if (report == NULL)
		return false;
	while (fgets(line, sizeof(line), report) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		slash = strrchr(line, '/');
		if (strncmp(line, "medium=", 7) == 0 && slash != NULL) {
			snprintf(watch->name, sizeof(watch->name), "%.32s",
				slash + 1);
			there = true;
		}
		/* In memory: the disc may go. */
		if (strcmp(line, "toram=yes") == 0) {
			fclose(report);
			exit(0);
		}
	}
	fclose(report);
	return there;
}

static bool open_news(struct watch *watch)
{
	const struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_groups = 1};

	watch->news = socket(
		AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	return watch->news >= 0 &&
	       bind(watch->news, (const struct sockaddr *)&address,
		       sizeof(address)) == 0;
}

int guard(void)
{
	static struct watch watch;
	struct pollfd polls[KEYS + 2];

	watch.log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (!read_medium(&watch) || !open_news(&watch) || watch.log < 0) {
		fputs("guard: the disc cannot be watched\n", stderr);
		return 1;
	}
	watch.kept = clock_ms();
	if (!has_disc(watch.name))
		begin_alarm(&watch);
	for (;;) {
		polls[0] = (struct pollfd){.fd = watch.news, .events = POLLIN};
		polls[1] = (struct pollfd){.fd = watch.log, .events = POLLIN};
		memcpy(&polls[2], watch.keys,
			watch.key_count * sizeof(polls[0]));
		poll(polls, 2 + watch.key_count, wait_ms(&watch));
		hear_news(&watch);
		hear_log(&watch);
		look(&watch);
		hear_keys(&watch);
		leave_by_force(&watch);
		if (!watch.gone && clock_ms() - watch.kept >= KEEP_MS) {
			keep_all();
			watch.kept = clock_ms();
		}
	}
}
