/* SPDX-License-Identifier: ISC */
#include "ceremony/spool.h"

#include "ceremony/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct spool_file {
	char name[FEED_NAME_MAX + 1];
	int fd;
	uint64_t size;
};

struct spool {
	int folder;
	pthread_mutex_t lock; /* count and sizes */
	pthread_cond_t written;
	struct spool_file files[SPOOL_FILES_MAX];
	size_t count;
};

bool spool_new(const char *folder, struct spool **out, struct err *err)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (spool == NULL)
		return err_nomem(err);
	spool->folder = -1;
	if (mkdir(folder, 0755) == 0)
		spool->folder =
			open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->folder < 0) {
		free(spool);
		return err_set(err, ERR_OUTPUT, "%s: cannot create: %s", folder,
			strerror(errno));
	}
	pthread_mutex_init(&spool->lock, NULL);
	pthread_cond_init(&spool->written, NULL);
	*out = spool;
	return true;
}

void spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	for (size_t i = 0; i < spool->count; i++)
		close(spool->files[i].fd);
	close(spool->folder);
	pthread_cond_destroy(&spool->written);
	pthread_mutex_destroy(&spool->lock);
	free(spool);
}

bool spool_add(
	struct spool *spool, const char *name, size_t *index, struct err *err)
{
	struct spool_file *file = &spool->files[spool->count];

	if (spool->count == SPOOL_FILES_MAX)
		return err_set(
			err, ERR_OUTPUT, "more than %d files", SPOOL_FILES_MAX);
	if (!feed_is_name(name))
		return err_set(err, ERR_OUTPUT, "\"%.100s\" is no name", name);
	file->fd = openat(spool->folder, name,
		O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	if (file->fd < 0)
		return err_set(
			err, ERR_OUTPUT, "%s: %s", name, strerror(errno));
	strcpy(file->name, name);
	file->size = 0;
	pthread_mutex_lock(&spool->lock);
	*index = spool->count++;
	pthread_mutex_unlock(&spool->lock);
	return true;
}

size_t spool_count(struct spool *spool)
{
	size_t count;

	pthread_mutex_lock(&spool->lock);
	count = spool->count;
	pthread_mutex_unlock(&spool->lock);
	return count;
}

const char *spool_name(struct spool *spool, size_t index)
{
	return spool->files[index].name;
}

uint64_t spool_size(struct spool *spool, size_t index)
{
	uint64_t size;

	pthread_mutex_lock(&spool->lock);
	size = spool->files[index].size;
	pthread_mutex_unlock(&spool->lock);
	return size;
}

bool spool_write(struct spool *spool, size_t index, const void *data,
	size_t len, struct err *err)
{
	struct spool_file *file = &spool->files[index];
	const uint8_t *p = data;
	size_t done = 0;

	while (done < len) {
		ssize_t put = write(file->fd, p + done, len - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			err_set(err, ERR_OUTPUT, "%s: %s", file->name,
				strerror(errno));
			if (ftruncate(file->fd, (off_t)file->size) != 0)
				return err_prefix(err, "cannot undo");
			return false;
		}
		done += (size_t)put;
	}
	pthread_mutex_lock(&spool->lock);
	file->size += len;
	pthread_cond_broadcast(&spool->written);
	pthread_mutex_unlock(&spool->lock);
	return true;
}

ssize_t spool_read(struct spool *spool, size_t index, uint64_t offset,
	void *data, size_t len)
{
	return pread(spool->files[index].fd, data, len, (off_t)offset);
}

void spool_wait(struct spool *spool, int milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += milliseconds * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&spool->lock);
	pthread_cond_timedwait(&spool->written, &spool->lock, &until);
	pthread_mutex_unlock(&spool->lock);
}

void spool_wake(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	pthread_cond_broadcast(&spool->written);
	pthread_mutex_unlock(&spool->lock);
}
