/* SPDX-License-Identifier: ISC */
#include "ceremony/replica.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)65536)
#define POLL_MS 500
#define FIRST_LINE_MAX 512

struct replica_file {
	int fd; /* -1: not open */
	uint64_t done;
};

struct replica {
	char *path;
	struct spool *spool;
	int notify;
	pthread_t thread;
	bool started;
	atomic_bool ending, lost;
	bool on_root; /* on the root file system, as in a rehearsal */
	dev_t device;
	ino_t inode;
	struct replica_file files[SPOOL_FILES_MAX];
};

static dev_t root_device(void)
{
	struct stat st;

	return stat("/", &st) == 0 ? st.st_dev : 0;
}

/* Is the folder there, and on a drive? */
static bool look(const struct replica *replica, struct stat *st)
{
	return stat(replica->path, st) == 0 && S_ISDIR(st->st_mode) &&
	       (replica->on_root || st->st_dev != root_device());
}

static int open_at(const struct replica *replica, const char *name, int flags)
{
	int folder = open(replica->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1, error;

	if (folder >= 0)
		fd = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
	error = errno;
	if (folder >= 0)
		close(folder);
	errno = error;
	return fd;
}

static void close_files(struct replica *replica)
{
	for (size_t i = 0; i < SPOOL_FILES_MAX; i++) {
		if (replica->files[i].fd >= 0)
			close(replica->files[i].fd);
		replica->files[i].fd = -1;
	}
}

/* Append what the master copy has more.  False: errno says why. */
static bool copy_file(struct replica *replica, size_t index)
{
	struct replica_file *file = &replica->files[index];
	uint64_t size = spool_size(replica->spool, index);
	bool wrote = false;
	uint8_t chunk[CHUNK];

	if (file->fd < 0) {
		file->fd = open_at(replica, spool_name(replica->spool, index),
			O_WRONLY | O_CREAT | O_EXCL);
		file->done = 0;
	}
	if (file->fd < 0)
		return false;
	while (file->done < size) {
		ssize_t len = spool_read(
			replica->spool, index, file->done, chunk, CHUNK);
		ssize_t put = len <= 0 ? -1
				       : pwrite(file->fd, chunk, (size_t)len,
						 (off_t)file->done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		file->done += (uint64_t)put;
		wrote = true;
	}
	return !wrote || fdatasync(file->fd) == 0;
}

/* Pulled drives go on answering from memory: ask for the folder itself. */
static bool is_present(const struct replica *replica)
{
	struct stat st;

	if (!look(replica, &st) || st.st_dev != replica->device ||
		st.st_ino != replica->inode) {
		errno = ENODEV;
		return false;
	}
	for (size_t i = 0; i < SPOOL_FILES_MAX && replica->files[i].fd >= 0;
		i++)
		if (fstat(replica->files[i].fd, &st) != 0 || st.st_nlink == 0) {
			errno = ENOENT;
			return false;
		}
	return true;
}

static bool copy_all(struct replica *replica)
{
	size_t count = spool_count(replica->spool);

	if (!is_present(replica))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!copy_file(replica, i))
			return false;
	return true;
}

static void notify(
	const struct replica *replica, const char *what, const char *reason)
{
	struct err discarded = ERR_EMPTY;
	struct buf line = BUF_EMPTY;

	buf_format(&line, "%s ", what);
	text_escape(&line, replica->path, strlen(replica->path));
	if (reason != NULL)
		buf_format(&line, ": %s", reason);
	buf_u8(&line, '\n');
	file_write_fd(
		replica->notify, "notice", line.data, line.len, &discarded);
	buf_free(&line);
}

/* Is what is there a beginning of the master copy?  -1: something else. */
static int64_t common_length(struct replica *replica, size_t index, int fd)
{
	uint8_t here[CHUNK], there[CHUNK];
	int64_t length = 0;

	for (;;) {
		ssize_t len = pread(fd, here, CHUNK, length);

		if (len == 0)
			return length;
		if (len < 0 ||
			spool_read(replica->spool, index, (uint64_t)length,
				there, (size_t)len) != len)
			return -1;
		if (memcmp(here, there, (size_t)len) != 0)
			return -1;
		length += len;
	}
}

/* The drive is the same if its journal begins with this ceremony's line. */
static bool is_same_drive(struct replica *replica)
{
	char here[FIRST_LINE_MAX], there[FIRST_LINE_MAX];
	ssize_t len, want;
	const char *end;
	int fd;

	fd = open_at(replica, spool_name(replica->spool, 0), O_RDONLY);
	if (fd < 0)
		return false;
	len = pread(fd, here, sizeof(here), 0);
	close(fd);
	want = spool_read(replica->spool, 0, 0, there, sizeof(there));
	if (want <= 0)
		return false;
	end = memchr(there, '\n', (size_t)want);
	want = end != NULL ? end - there + 1 : want;
	return len >= want && memcmp(here, there, (size_t)want) == 0;
}

static bool set_aside(const struct replica *replica, const char *name)
{
	struct buf from = BUF_EMPTY, to = BUF_EMPTY;
	bool ok;

	buf_format(&from, "%s/%s", replica->path, name);
	buf_format(&to, "%s/%s.damaged", replica->path, name);
	for (int i = 2; i < 100 && access(buf_string(&to), F_OK) == 0; i++) {
		buf_clear(&to);
		buf_format(&to, "%s/%s.damaged%d", replica->path, name, i);
	}
	ok = rename(buf_string(&from), buf_string(&to)) == 0;
	buf_free(&from);
	buf_free(&to);
	return ok;
}

static bool resume_file(struct replica *replica, size_t index)
{
	const char *name = spool_name(replica->spool, index);
	struct replica_file *file = &replica->files[index];
	int fd = open_at(replica, name, O_RDWR);
	int64_t length;

	if (fd < 0)
		return errno == ENOENT;
	length = common_length(replica, index, fd);
	if (length < 0) {
		close(fd);
		return set_aside(replica, name);
	}
	file->fd = fd;
	file->done = (uint64_t)length;
	return true;
}

static bool come_back(struct replica *replica)
{
	size_t count = spool_count(replica->spool);
	struct stat st;

	if (!look(replica, &st) || !is_same_drive(replica))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!resume_file(replica, i)) {
			close_files(replica);
			return false;
		}
	replica->device = st.st_dev;
	replica->inode = st.st_ino;
	if (copy_all(replica))
		return true;
	close_files(replica);
	return false;
}

static void keep_up(struct replica *replica)
{
	if (replica->lost) {
		if (come_back(replica)) {
			replica->lost = false;
			notify(replica, "back", NULL);
		}
		return;
	}
	if (!copy_all(replica)) {
		replica->lost = true;
		notify(replica, "lost", strerror(errno));
		close_files(replica);
	}
}

static void *run(void *argument)
{
	struct replica *replica = argument;

	while (!replica->ending) {
		keep_up(replica);
		if (!replica->ending)
			spool_wait(replica->spool, POLL_MS);
	}
	keep_up(replica);
	return NULL;
}

static void replica_free(struct replica *replica)
{
	close_files(replica);
	free(replica->path);
	free(replica);
}

/* A first file that could not be filled does not stay. */
static void take_back(const struct replica *replica)
{
	struct buf path = BUF_EMPTY;

	if (replica->files[0].fd < 0)
		return;
	buf_format(
		&path, "%s/%s", replica->path, spool_name(replica->spool, 0));
	unlink(buf_string(&path));
	buf_free(&path);
}

static bool begin(struct replica *replica, struct err *err)
{
	const char *name = spool_name(replica->spool, 0);
	struct stat st;
	int error;

	if (stat(replica->path, &st) != 0 || !S_ISDIR(st.st_mode))
		return err_set(
			err, ERR_OUTPUT, "%s: no such folder", replica->path);
	replica->device = st.st_dev;
	replica->inode = st.st_ino;
	replica->on_root = st.st_dev == root_device();
	if (!copy_all(replica)) {
		if (errno == EEXIST)
			return err_set(err, ERR_OUTPUT,
				"%s: holds a log already (%s)", replica->path,
				name);
		err_set(err, ERR_OUTPUT, "%s: cannot write: %s", replica->path,
			strerror(errno));
		take_back(replica);
		return false;
	}
	error = pthread_create(&replica->thread, NULL, run, replica);
	if (error != 0)
		return err_set(
			err, ERR_OUTPUT, "cannot start: %s", strerror(error));
	replica->started = true;
	return true;
}

bool replica_new(const char *path, struct spool *spool, int notice,
	struct replica **out, struct err *err)
{
	struct replica *replica = calloc(1, sizeof(*replica));

	if (replica == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < SPOOL_FILES_MAX; i++)
		replica->files[i].fd = -1;
	replica->spool = spool;
	replica->notify = notice;
	replica->path = text_copy(path, err);
	if (replica->path == NULL || !begin(replica, err)) {
		replica_free(replica);
		return false;
	}
	*out = replica;
	return true;
}

const char *replica_path(const struct replica *replica)
{
	return replica->path;
}

bool replica_is_lost(struct replica *replica)
{
	return replica->lost;
}

bool replica_end(struct replica *replica)
{
	bool whole;

	if (replica == NULL)
		return true;
	replica->ending = true;
	spool_wake(replica->spool);
	if (replica->started)
		pthread_join(replica->thread, NULL);
	whole = !replica->lost;
	replica_free(replica);
	return whole;
}
