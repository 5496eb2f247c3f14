/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into a program: counts each call that changes the file system
 * and makes one of them the last, or fail.
 *
 *	FAULT_UNDER	count only what lies below this folder (real path)
 *	FAULT_NOT	and not below this one
 *	FAULT_AT	which call, from 1; 0 or absent: only count
 *	FAULT_DO	kill: SIGKILL in place of the call
 *			half: SIGKILL when half of a write is done
 *			EIO, ENOSPC, EROFS: the call fails so
 *			flip: of a write, one bit of byte FAULT_BYTE is another
 *	FAULT_LOG	a file, outside, that gets one line a call
 *
 * Only the public names are replaced, so a change made deep in the C library
 * (by stdio, say) is not seen: a test compares with a trace by the kernel
 * that there is none.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the program calls in place of the C library's. */
int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);

static bool is_below(const char *path, const char *variable)
{
	const char *folder = getenv(variable);
	size_t len = folder != NULL ? strlen(folder) : 0;

	return folder != NULL && strncmp(path, folder, len) == 0 &&
	       (path[len] == '/' || path[len] == '\0');
}

/* The real path of what may not exist yet: that of its folder. */
static bool is_watched(const char *path, char real[PATH_MAX])
{
	char folder[PATH_MAX];
	char *slash;

	if (strlen(path) >= sizeof(folder))
		return false;
	strcpy(folder, path);
	slash = strrchr(folder, '/');
	if (realpath(path, real) == NULL) {
		if (slash == NULL)
			strcpy(folder, ".");
		else
			slash[slash == folder ? 1 : 0] = '\0';
		if (realpath(folder, real) == NULL)
			return false;
	}
	return is_below(real, "FAULT_UNDER") && !is_below(real, "FAULT_NOT");
}

static void note(const char *call, const char *path, int number)
{
	const char *log = getenv("FAULT_LOG");
	char line[PATH_MAX + 64];
	int fd, len;

	if (log == NULL)
		return;
	len = snprintf(line, sizeof(line), "%d %s %s\n", number, call, path);
	fd = (int)syscall(SYS_openat, AT_FDCWD, log,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	syscall(SYS_write, fd, line, (size_t)len);
	syscall(SYS_close, fd);
}

static int fault_of(const char *what)
{
	static const struct {
		const char *name;
		int number;
	} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(what, errors[i].name) == 0)
			return errors[i].number;
	return 0;
}

enum fault {
	GO_ON,
	HALF,
	FLIP,
	FAIL, /* errno is set */
};

/* Count one call; path is NULL for a descriptor's. */
static enum fault count(const char *call, const char *path, int fd)
{
	static int number;
	const char *at = getenv("FAULT_AT"), *what = getenv("FAULT_DO");
	char real[PATH_MAX], link[64], target[PATH_MAX];
	ssize_t len;

	if (path == NULL) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, target, sizeof(target) - 1);
		if (len <= 0 || target[0] != '/')
			return GO_ON;
		target[len] = '\0';
		path = target;
	}
	if (!is_watched(path, real))
		return GO_ON;
	note(call, path, ++number);
	if (at == NULL || what == NULL || number != atoi(at))
		return GO_ON;
	if (strcmp(what, "half") == 0)
		return HALF;
	if (strcmp(what, "flip") == 0)
		return FLIP;
	errno = fault_of(what);
	if (errno == 0)
		kill(getpid(), SIGKILL);
	return FAIL;
}

#define NEXT(name) (*(__typeof__(&name))next(#name))

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	return found;
}

static int open_next(const char *path, int flags, mode_t mode)
{
	if ((flags & (O_CREAT | O_TRUNC)) != 0 &&
		count("open", path, -1) != GO_ON)
		return -1;
	return NEXT(openat)(AT_FDCWD, path, flags, mode);
}

static mode_t mode_of(int flags, va_list list)
{
	return (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = mode_of(flags, list);
	va_end(list);
	return open_next(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = mode_of(flags, list);
	va_end(list);
	return open_next(path, flags, mode);
}

/* All is well, says the drive. */
static ssize_t write_flipped(int fd, const void *data, size_t len)
{
	const char *text = getenv("FAULT_BYTE");
	size_t at = text != NULL ? strtoul(text, NULL, 10) : 0;
	unsigned char *copy = malloc(len);
	ssize_t written;

	if (copy == NULL || at >= len)
		abort();
	memcpy(copy, data, len);
	copy[at] ^= 1;
	written = NEXT(write)(fd, copy, len);
	free(copy);
	return written;
}

ssize_t write(int fd, const void *data, size_t len)
{
	enum fault fault = count("write", NULL, fd);

	if (fault == FAIL)
		return -1;
	if (fault == FLIP)
		return write_flipped(fd, data, len);
	if (fault == HALF) {
		NEXT(write)(fd, data, len / 2);
		kill(getpid(), SIGKILL);
	}
	return NEXT(write)(fd, data, len);
}

#define REPLACE(call, counted, declared, given)                                \
	int call declared;                                                     \
	int call declared                                                      \
	{                                                                      \
		if (counted != GO_ON)                                          \
			return -1;                                             \
		return NEXT(call) given;                                       \
	}

/* clang-format off */
REPLACE(fsync, count("fsync", NULL, fd), (int fd), (fd))
REPLACE(fdatasync, count("fdatasync", NULL, fd), (int fd), (fd))
REPLACE(rename, count("rename", to, -1),
	(const char *from, const char *to), (from, to))
REPLACE(renameat2, count("rename", to, -1),
	(int a, const char *from, int b, const char *to, unsigned flags),
	(a, from, b, to, flags))
REPLACE(link, count("link", to, -1),
	(const char *from, const char *to), (from, to))
REPLACE(unlink, count("unlink", path, -1), (const char *path), (path))
REPLACE(rmdir, count("rmdir", path, -1), (const char *path), (path))
REPLACE(mkdir, count("mkdir", path, -1),
	(const char *path, mode_t mode), (path, mode))
REPLACE(chmod, count("chmod", path, -1),
	(const char *path, mode_t mode), (path, mode))
REPLACE(fchmod, count("fchmod", NULL, fd), (int fd, mode_t mode), (fd, mode))
REPLACE(ftruncate, count("ftruncate", NULL, fd), (int fd, off_t len), (fd, len))
/* clang-format on */

char *mkdtemp(char *template)
{
	if (count("mkdir", template, -1) != GO_ON)
		return NULL;
	return NEXT(mkdtemp)(template);
}
