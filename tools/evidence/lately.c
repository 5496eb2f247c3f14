/* SPDX-License-Identifier: ISC */
#include "tools/evidence/lately.h"

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDER PLACE_RUN "/lately"

struct lately {
	char *path, *next, *wanted;
	int fd; /* -1: it is not kept any more */
	size_t size;
};

static char *make_path(const char *behind, struct err *err)
{
	struct buf path = BUF_EMPTY;
	char *made = NULL;

	place(&path, FOLDER);
	buf_format(&path, "/%d%s", getpid(), behind);
	if (buf_ok(&path, err))
		made = text_copy(buf_string(&path), err);
	buf_free(&path);
	return made;
}

static void make_folder(void)
{
	struct buf path = BUF_EMPTY;

	place_make_run();
	place(&path, FOLDER);
	mkdir(buf_string(&path), 0700);
	buf_free(&path);
}

/* What another process of that number has left is no longer there. */
static int create(const char *path)
{
	unlink(path);
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

bool lately_new(struct lately **out, struct err *err)
{
	struct lately *lately = calloc(1, sizeof(*lately));

	if (lately == NULL)
		return err_nomem(err);
	lately->fd = -1;
	lately->path = make_path("", err);
	lately->next = make_path(".next", err);
	lately->wanted = make_path(".wanted", err);
	if (lately->path != NULL && lately->next != NULL &&
		lately->wanted != NULL) {
		make_folder();
		unlink(lately->wanted);
		lately->fd = create(lately->path);
		if (lately->fd < 0)
			err_set(err, ERR_OUTPUT, "%s: cannot create: %s",
				lately->path, strerror(errno));
	}
	if (lately->fd < 0) {
		lately_free(lately);
		return false;
	}
	*out = lately;
	return true;
}

/* No more of it: half of what was shown would be worse than nothing. */
static void give_up(struct lately *lately)
{
	if (lately->fd >= 0)
		close(lately->fd);
	lately->fd = -1;
	if (lately->path != NULL)
		unlink(lately->path);
	if (lately->next != NULL)
		unlink(lately->next);
}

void lately_free(struct lately *lately)
{
	if (lately == NULL)
		return;
	give_up(lately);
	if (lately->wanted != NULL)
		unlink(lately->wanted);
	free(lately->path);
	free(lately->next);
	free(lately->wanted);
	free(lately);
}

/* A new file with the last bytes of the old one takes its place. */
static bool shorten(struct lately *lately)
{
	struct err discarded = ERR_EMPTY;
	char *kept = malloc(LATELY_KEPT);
	bool ok =
		kept != NULL && pread(lately->fd, kept, LATELY_KEPT,
					(off_t)(lately->size - LATELY_KEPT)) ==
					(ssize_t)LATELY_KEPT;
	int fd = ok ? create(lately->next) : -1;

	ok = fd >= 0 &&
	     file_write_fd(fd, lately->next, kept, LATELY_KEPT, &discarded) &&
	     rename(lately->next, lately->path) == 0;
	free(kept);
	if (!ok) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	close(lately->fd);
	lately->fd = fd;
	lately->size = LATELY_KEPT;
	return true;
}

/* The log's copies and journal are there, too, and are what counts. */
static bool has_room(const struct lately *lately)
{
	struct statvfs fs;

	return fstatvfs(lately->fd, &fs) == 0 &&
	       fs.f_bavail >= LATELY_ROOM / fs.f_frsize;
}

void lately_add(struct lately *lately, const void *data, size_t len)
{
	struct err discarded = ERR_EMPTY;

	if (lately == NULL || lately->fd < 0)
		return;
	if (!has_room(lately) || !file_write_fd(lately->fd, lately->path, data,
					 len, &discarded)) {
		give_up(lately);
		return;
	}
	lately->size += len;
	if (lately->size > 2 * LATELY_KEPT && !shorten(lately))
		give_up(lately);
}

bool lately_is_wanted(const struct lately *lately)
{
	return lately != NULL && access(lately->wanted, F_OK) == 0;
}

void lately_answered(const struct lately *lately)
{
	unlink(lately->wanted);
}
