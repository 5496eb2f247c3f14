/* SPDX-License-Identifier: ISC */
#include "tools/evidence/copy.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/cli/feed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)65536)
#define FIRST_LINE_MAX 4096
#define SYNC_EVERY (4 * 1024 * 1024)
#define SYNC_EACH 8 /* files; more than these: the whole drive */

struct copy_file {
	char name[FEED_NAME_MAX + 1];
	bool made;
	uint64_t done;
};

struct copy {
	char *path, *last;
	int spool;
	bool found, on_root; /* on the root file system, as in a rehearsal */
	dev_t device;
	ino_t inode;
	struct copy_file *files; /* sorted by name, but for new ones */
	size_t count;
	void (*tick)(void *argument); /* may be NULL */
	void *argument;
};

static dev_t root_device(void)
{
	struct stat st;

	return stat("/", &st) == 0 ? st.st_dev : 0;
}

bool copy_new(const char *path, const char *spool, const char *last,
	struct copy **out, struct err *err)
{
	struct copy *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return err_nomem(err);
	copy->spool = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy->spool < 0)
		err_set(err, ERR_OUTPUT, "%s: %s", spool, strerror(errno));
	else if ((copy->path = text_copy(path, err)) != NULL)
		copy->last = text_copy(last, err);
	if (copy->last == NULL) {
		copy_free(copy);
		return false;
	}
	*out = copy;
	return true;
}

void copy_free(struct copy *copy)
{
	if (copy == NULL)
		return;
	if (copy->spool >= 0)
		close(copy->spool);
	free(copy->files);
	free(copy->path);
	free(copy->last);
	free(copy);
}

void copy_tick(struct copy *copy, void (*tick)(void *argument), void *argument)
{
	copy->tick = tick;
	copy->argument = argument;
}

static void tick(const struct copy *copy)
{
	if (copy->tick != NULL)
		copy->tick(copy->argument);
}

int copy_spool(const struct copy *copy)
{
	return copy->spool;
}

/* A file of the drive's folder; the path is walked anew each time. */
static int open_at(const struct copy *copy, const char *name, int flags)
{
	int folder = open(copy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1, error;

	if (folder >= 0)
		fd = openat(folder, name,
			flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	error = errno;
	if (folder >= 0)
		close(folder);
	errno = error;
	return fd;
}

static int open_master(const struct copy *copy, const char *name)
{
	return openat(copy->spool, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static void close_both(int a, int b)
{
	int error = errno;

	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	errno = error;
}

/* Is the folder there, and on a drive? */
static bool look(const struct copy *copy, struct stat *st)
{
	if (stat(copy->path, st) != 0)
		return false;
	errno = S_ISDIR(st->st_mode) ? ENODEV : ENOTDIR;
	return S_ISDIR(st->st_mode) &&
	       (copy->on_root || st->st_dev != root_device());
}

bool copy_find(struct copy *copy)
{
	struct stat st;

	copy->on_root = true;
	if (!look(copy, &st))
		return false;
	copy->device = st.st_dev;
	copy->inode = st.st_ino;
	copy->on_root = st.st_dev == root_device();
	copy->found = true;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct copy_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool add_file(struct copy *copy, const char *name, size_t sorted)
{
	struct copy_file *file, key = {.made = false};
	struct err discarded = ERR_EMPTY;

	if (!feed_is_name(name))
		return true;
	strcpy(key.name, name);
	if (sorted > 0 && bsearch(&key, copy->files, sorted, sizeof(key),
				  by_name) != NULL)
		return true;
	file = array_grow(
		&copy->files, &copy->count, sizeof(*file), &discarded);
	if (file == NULL) {
		errno = ENOMEM;
		return false;
	}
	strcpy(file->name, name);
	return true;
}

/* The files that the spool has now. */
static bool read_names(struct copy *copy)
{
	int fd = openat(copy->spool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	size_t sorted = copy->count;
	const struct dirent *entry;
	bool ok = true;

	if (folder == NULL) {
		close_both(fd, -1);
		return false;
	}
	while (ok && (entry = readdir(folder)) != NULL)
		ok = add_file(copy, entry->d_name, sorted);
	closedir(folder);
	if (copy->count > sorted)
		qsort(copy->files, copy->count, sizeof(*copy->files), by_name);
	return ok;
}

/* Open what is there, or make it; false where it is not what was written. */
static bool open_target(
	const struct copy *copy, const struct copy_file *file, int *fd)
{
	struct stat st;

	*fd = open_at(copy, file->name,
		file->made ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL);
	if (*fd < 0)
		return false;
	if (fstat(*fd, &st) == 0 && (uint64_t)st.st_size == file->done)
		return true;
	errno = ESTALE;
	return false;
}

/* Synced in parts, so that a slow drive shows that it goes on. */
static bool transfer(const struct copy *copy, struct copy_file *file,
	int master, int target, uint64_t size)
{
	uint64_t synced = file->done;
	uint8_t chunk[CHUNK];

	while (file->done < size) {
		uint64_t left = size - file->done;
		ssize_t len = pread(master, chunk,
			left < CHUNK ? (size_t)left : CHUNK, (off_t)file->done);
		ssize_t put = len <= 0 ? -1
				       : pwrite(target, chunk, (size_t)len,
						 (off_t)file->done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		file->done += (uint64_t)put;
		if (file->done - synced < SYNC_EVERY)
			continue;
		if (fdatasync(target) != 0)
			return false;
		synced = file->done;
		tick(copy);
	}
	return true;
}

/* Many files at once: the whole drive, instead of each of them. */
static bool sync_drive(const struct copy *copy)
{
	int folder = open(copy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = folder >= 0 && syncfs(folder) == 0;

	close_both(folder, -1);
	return ok;
}

/*
 * Append what the master copy has more, up to size, and sync where that is
 * wanted.  False: see errno.
 */
static bool copy_file(const struct copy *copy, struct copy_file *file,
	uint64_t size, bool sync)
{
	int master, target = -1;
	bool ok;

	if (file->made && file->done >= size)
		return true;
	master = open_master(copy, file->name);
	ok = master >= 0 && open_target(copy, file, &target);
	file->made = file->made || target >= 0;
	ok = ok && transfer(copy, file, master, target, size) &&
	     (!sync || fdatasync(target) == 0);
	close_both(master, target);
	return ok;
}

static uint64_t master_size(const struct copy *copy, const char *name)
{
	struct stat st;

	return fstatat(copy->spool, name, &st, AT_SYMLINK_NOFOLLOW) == 0
		       ? (uint64_t)st.st_size
		       : 0;
}

/* Pulled drives go on answering from memory: ask for the folder itself. */
static bool is_present(const struct copy *copy)
{
	int folder = open(copy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	bool ok = folder >= 0;

	if (ok && (!look(copy, &st) || st.st_dev != copy->device ||
			  st.st_ino != copy->inode)) {
		errno = ENODEV;
		ok = false;
	}
	for (size_t i = 0; ok && i < copy->count; i++)
		if (copy->files[i].made) {
			ok = fstatat(folder, copy->files[i].name, &st,
				     AT_SYMLINK_NOFOLLOW) == 0;
			errno = ok ? ESTALE : errno;
			ok = ok && (uint64_t)st.st_size == copy->files[i].done;
		}
	close_both(folder, -1);
	return ok;
}

static struct copy_file *last_file(const struct copy *copy)
{
	for (size_t i = 0; i < copy->count; i++)
		if (strcmp(copy->files[i].name, copy->last) == 0)
			return &copy->files[i];
	errno = ENOENT;
	return NULL;
}

/* All but the last file; *written: how many had something new. */
static bool copy_others(
	struct copy *copy, const struct copy_file *last, size_t *written)
{
	for (size_t i = 0; i < copy->count; i++) {
		struct copy_file *file = &copy->files[i];
		uint64_t size = master_size(copy, file->name);

		if (file == last || (file->made && file->done >= size))
			continue;
		if (!copy_file(copy, file, size, *written < SYNC_EACH))
			return false;
		tick(copy);
		++*written;
	}
	return *written <= SYNC_EACH || sync_drive(copy);
}

bool copy_more(struct copy *copy, uint64_t *length, bool *wrote)
{
	uint64_t size = master_size(copy, copy->last);
	struct copy_file *last;
	size_t written = 0;

	if (!read_names(copy) || !is_present(copy))
		return false;
	last = last_file(copy);
	if (last == NULL || !copy_others(copy, last, &written))
		return false;
	*wrote = written > 0 || last->done != size;
	*length = size;
	return copy_file(copy, last, size, true);
}

/* Is what is there a beginning of the master copy?  -1: something else. */
static int64_t common_length(const struct copy *copy, int master, int target)
{
	uint8_t here[CHUNK], there[CHUNK];
	int64_t length = 0;

	for (;;) {
		ssize_t len = pread(target, here, CHUNK, length);

		if (len == 0)
			return length;
		if (len < 0 ||
			pread(master, there, (size_t)len, length) != len ||
			memcmp(here, there, (size_t)len) != 0)
			return -1;
		length += len;
		if ((uint64_t)length % SYNC_EVERY < CHUNK)
			tick(copy);
	}
}

static ssize_t read_first_line(int fd, char line[FIRST_LINE_MAX])
{
	ssize_t len = fd >= 0 ? pread(fd, line, FIRST_LINE_MAX, 0) : -1;
	const char *end = len > 0 ? memchr(line, '\n', (size_t)len) : NULL;

	return end != NULL ? end - line + 1 : len;
}

/* The drive is the same if its journal begins with this ceremony's line. */
static bool is_same_drive(const struct copy *copy)
{
	char here[FIRST_LINE_MAX], there[FIRST_LINE_MAX];
	int target = open_at(copy, copy->last, O_RDONLY);
	int master = open_master(copy, copy->last);
	ssize_t len = read_first_line(target, here);
	ssize_t want = read_first_line(master, there);
	bool same = want > 0 && len == want &&
		    memcmp(here, there, (size_t)want) == 0;

	if (target >= 0 && !same)
		errno = ENODEV;
	close_both(master, target);
	return same;
}

static bool set_aside(const struct copy *copy, const char *name)
{
	struct buf from = BUF_EMPTY, to = BUF_EMPTY;
	bool ok;

	buf_format(&from, "%s/%s", copy->path, name);
	buf_format(&to, "%s/%s.damaged", copy->path, name);
	for (int i = 2; i < 100 && access(buf_string(&to), F_OK) == 0; i++) {
		buf_clear(&to);
		buf_format(&to, "%s/%s.damaged%d", copy->path, name, i);
	}
	ok = rename(buf_string(&from), buf_string(&to)) == 0;
	buf_free(&from);
	buf_free(&to);
	return ok;
}

static bool resume_file(const struct copy *copy, struct copy_file *file)
{
	int target = open_at(copy, file->name, O_RDONLY);
	int master = open_master(copy, file->name);
	int64_t length = -1;
	bool there = target >= 0 || errno != ENOENT;

	file->done = 0;
	file->made = false;
	if (master >= 0 && target >= 0)
		length = common_length(copy, master, target);
	close_both(master, target);
	if (!there)
		return master >= 0;
	if (length < 0)
		return set_aside(copy, file->name);
	file->done = (uint64_t)length;
	file->made = true;
	return true;
}

bool copy_resume(struct copy *copy, uint64_t *length)
{
	struct stat st;
	bool wrote;

	if (!look(copy, &st) || !is_same_drive(copy) || !read_names(copy))
		return false;
	for (size_t i = 0; i < copy->count; i++)
		if (!resume_file(copy, &copy->files[i]))
			return false;
	copy->device = st.st_dev;
	copy->inode = st.st_ino;
	return copy_more(copy, length, &wrote);
}

void copy_undo(const struct copy *copy)
{
	struct buf path = BUF_EMPTY;

	buf_format(&path, "%s/%s", copy->path, copy->last);
	unlink(buf_string(&path));
	buf_free(&path);
}
