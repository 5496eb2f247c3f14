/* SPDX-License-Identifier: ISC */
#include "tools/evidence/share.h"

#include "lib/base/buf.h"
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536
#define PARTS_MAX 1000

/* The folders on the way to a file. */
static bool make_folders(char *path, size_t from, struct err *err)
{
	for (char *p = strchr(path + from, '/'); p != NULL;
		p = strchr(p + 1, '/')) {
		int made;

		*p = '\0';
		made = mkdir(path, 0755);
		if (made != 0 && errno != EEXIST) {
			err_set(err, ERR_OUTPUT, "%s: cannot create: %s", path,
				strerror(errno));
			*p = '/';
			return false;
		}
		*p = '/';
	}
	return true;
}

static bool pour(int from, int to, const char *name, struct err *err)
{
	char chunk[CHUNK];
	ssize_t got;

	while ((got = read(from, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_OUTPUT, "%s: cannot read: %s",
				name, strerror(errno));
		if (!file_write_fd(to, name, chunk, (size_t)got, err))
			return false;
	}
	if (fsync(to) != 0)
		return err_set(err, ERR_OUTPUT, "%s: cannot write: %s", name,
			strerror(errno));
	return true;
}

/* A file of which nobody has the name yet; *name is replaced. */
static int open_part(const char *target, struct buf *name)
{
	int fd = -1;

	errno = EEXIST;
	for (int n = 1; fd < 0 && errno == EEXIST && n <= PARTS_MAX; n++) {
		buf_clear(name);
		buf_format(name, "%s.part-%d", target, n);
		fd = open(buf_string(name),
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			0644);
	}
	return fd;
}

static int open_source(const char *path)
{
	return open(path,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

/* Whole or not at all, and never over a file that is there. */
static bool copy_file(const char *source, const char *target, struct err *err)
{
	struct buf part = BUF_EMPTY;
	int from, to = -1;
	bool ok;

	from = open_source(source);
	if (from >= 0)
		to = open_part(target, &part);
	if (to < 0)
		ok = err_set(err, ERR_OUTPUT, "%s: %s",
			from < 0 ? source : target, strerror(errno));
	else
		ok = pour(from, to, target, err);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	if (ok && renameat2(AT_FDCWD, buf_string(&part), AT_FDCWD, target,
			  RENAME_NOREPLACE) != 0)
		ok = err_set(
			err, ERR_OUTPUT, "%s: %s", target, strerror(errno));
	if (!ok && to >= 0)
		unlink(buf_string(&part));
	buf_free(&part);
	return ok;
}

/* Up to len bytes, fewer only at the end; -1: they cannot be read. */
static ssize_t read_chunk(int fd, char *out, size_t len)
{
	size_t has = 0;

	while (has < len) {
		ssize_t got = read(fd, out + has, len - has);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		has += (size_t)got;
	}
	return (ssize_t)has;
}

/* The same bytes to the end?  -1: that cannot be read. */
static int is_same(int one, int other)
{
	char a[CHUNK], b[CHUNK];
	ssize_t in_a, in_b;

	do {
		in_a = read_chunk(one, a, sizeof(a));
		in_b = in_a < 0 ? -1 : read_chunk(other, b, sizeof(b));
		if (in_b < 0)
			return -1;
		if (in_a != in_b || memcmp(a, b, (size_t)in_a) != 0)
			return 0;
	} while (in_a > 0);
	return 1;
}

/* What stands there already must be the same: nobody else says that it is. */
static bool compare_file(
	const char *source, const char *target, struct err *err)
{
	int one = open_source(source), other = -1, same = -1;

	if (one >= 0)
		other = open_source(target);
	if (other >= 0)
		same = is_same(one, other);
	if (same < 0)
		err_set(err, ERR_OUTPUT, "%s: cannot be compared with %s: %s",
			target, source, strerror(errno));
	else if (same == 0)
		err_set(err, ERR_OUTPUT, "%s: is not the same as %s", target,
			source);
	if (one >= 0)
		close(one);
	if (other >= 0)
		close(other);
	return same == 1;
}

bool share_file(const char *from, const char *to, const struct tree_file *file,
	struct err *err)
{
	struct buf source = BUF_EMPTY, target = BUF_EMPTY;
	struct stat st;
	bool ok;

	buf_format(&source, "%s/%s", from, file->path);
	buf_format(&target, "%s/%s", to, file->path);
	buf_string(&target);
	ok = buf_ok(&source, err) && buf_ok(&target, err);
	if (ok && lstat(buf_string(&target), &st) == 0)
		ok = compare_file(
			buf_string(&source), buf_string(&target), err);
	else if (ok)
		ok = make_folders((char *)target.data, strlen(to) + 1, err) &&
		     copy_file(buf_string(&source), (char *)target.data, err);
	buf_free(&source);
	buf_free(&target);
	return ok;
}
