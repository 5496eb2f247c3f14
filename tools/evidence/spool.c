/* SPDX-License-Identifier: ISC */
#include "tools/evidence/spool.h"

#include "lib/base/array.h"
#include "lib/base/text.h"
#include "lib/cli/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool_file {
	char name[FEED_NAME_MAX + 1];
	int fd; /* -1: done */
	uint64_t size;
};

struct spool {
	char *path;
	int folder;
	struct spool_file *files;
	size_t count;
};

bool spool_new(const char *folder, struct spool **out, struct err *err)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (spool == NULL)
		return err_nomem(err);
	spool->folder = -1;
	spool->path = text_copy(folder, err);
	if (spool->path != NULL && mkdir(folder, 0755) == 0)
		spool->folder =
			open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->path != NULL && spool->folder < 0)
		err_set(err, ERR_OUTPUT, "%s: cannot create: %s", folder,
			strerror(errno));
	if (spool->folder < 0) {
		free(spool->path);
		free(spool);
		return false;
	}
	*out = spool;
	return true;
}

void spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	for (size_t i = 0; i < spool->count; i++)
		spool_done(spool, i);
	close(spool->folder);
	free(spool->files);
	free(spool->path);
	free(spool);
}

const char *spool_folder(const struct spool *spool)
{
	return spool->path;
}

bool spool_has(const struct spool *spool, const char *name)
{
	return faccessat(spool->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool spool_add(
	struct spool *spool, const char *name, size_t *index, struct err *err)
{
	struct spool_file *file;
	int fd;

	if (spool->count == SPOOL_FILES_MAX)
		return err_set(err, ERR_OUTPUT,
			"a log has no more than %d files", SPOOL_FILES_MAX);
	if (!feed_is_name(name))
		return err_set(err, ERR_OUTPUT, "\"%.100s\" is no name", name);
	fd = openat(spool->folder, name,
		O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(
			err, ERR_OUTPUT, "%s: %s", name, strerror(errno));
	file = array_grow(&spool->files, &spool->count, sizeof(*file), err);
	if (file == NULL) {
		close(fd);
		return false;
	}
	strcpy(file->name, name);
	file->fd = fd;
	*index = spool->count - 1;
	return true;
}

size_t spool_count(const struct spool *spool)
{
	return spool->count;
}

const char *spool_name(const struct spool *spool, size_t index)
{
	return spool->files[index].name;
}

uint64_t spool_size(const struct spool *spool, size_t index)
{
	return spool->files[index].size;
}

static bool write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t put = write(fd, p, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		p += put;
		len -= (size_t)put;
	}
	return true;
}

bool spool_write(struct spool *spool, size_t index, const void *data,
	size_t len, struct err *err)
{
	struct spool_file *file = &spool->files[index];
	off_t size = (off_t)file->size;

	/* The room first, so that a full memory shows before a byte does. */
	if (len > 0 &&
		fallocate(file->fd, FALLOC_FL_KEEP_SIZE, size, (off_t)len) !=
			0 &&
		errno != EOPNOTSUPP)
		return err_set(
			err, ERR_OUTPUT, "%s: %s", file->name, strerror(errno));
	if (write_all(file->fd, data, len)) {
		file->size += len;
		return true;
	}
	err_set(err, ERR_OUTPUT, "%s: %s", file->name, strerror(errno));
	if (ftruncate(file->fd, size) != 0)
		return err_prefix(err, "cannot undo");
	return false;
}

void spool_done(struct spool *spool, size_t index)
{
	if (spool->files[index].fd >= 0)
		close(spool->files[index].fd);
	spool->files[index].fd = -1;
}
