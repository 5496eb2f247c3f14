/* SPDX-License-Identifier: ISC */
#include "lib/base/file.h"

#include "lib/base/buf.h"
#include "lib/base/fat.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD_NAMES_MAX 1000
#define BESIDE_MAX 12 /* ".old-1000", ".new-XXXXXX" */
#define READ_SIZE ((size_t)16384)

#define COPY_SIZE ((size_t)65536)
#define NEW_MODE 0644
#define MODE_BITS 0777

struct file_stage {
	char *path;
	char *temporary; /* NULL once published */
	char *kept;      /* the copy of what was there; NULL: nothing was */
};

bool file_read_fd(
	int fd, const char *name, size_t max, struct buf *out, struct err *err)
{
	size_t total = 0;

	for (;;) {
		ssize_t got;

		if (out->len == out->cap)
			buf_reserve(out, READ_SIZE);
		if (!buf_ok(out, err))
			return false;
		got = read(fd, out->data + out->len, out->cap - out->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_INPUT, "%s: cannot read: %s",
				name, strerror(errno));
		if (got == 0)
			return true;
		out->len += (size_t)got;
		total += (size_t)got;
		if (total > max)
			return err_set(err, ERR_REFUSED,
				"%s: larger than the %zu bytes allowed", name,
				max);
	}
}

/* Makes room for what the file says it has. */
static bool check_regular(
	int fd, const char *path, size_t max, struct buf *out, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(err, ERR_INPUT, "%s: cannot read: %s", path,
			strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s: not a regular file", path);
	if (st.st_size < 0 || (uintmax_t)st.st_size > max)
		return err_set(err, ERR_REFUSED,
			"%s: %jd bytes, larger than the %zu allowed", path,
			(intmax_t)st.st_size, max);
	/* And for the read that finds its end. */
	buf_reserve(out, (size_t)st.st_size + 1);
	return true;
}

bool file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	size_t start = out->len;
	bool ok;
	int fd;

	/* O_NONBLOCK: opening a FIFO that nobody writes to must not hang. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_INPUT, "%s: cannot open: %s", path,
			strerror(errno));
	ok = check_regular(fd, path, max, out, err) &&
	     file_read_fd(fd, path, max, out, err);
	if (!ok)
		out->len = start;
	close(fd);
	return ok;
}

const char *file_reason(int error)
{
	if (error == ENOSPC || error == EDQUOT)
		return "the disk is full: delete what is not needed there, or write elsewhere";
	return strerror(error);
}

bool file_write_fd(
	int fd, const char *name, const void *data, size_t len, struct err *err)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t done = write(fd, p, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_set(err, ERR_OUTPUT, "%s: cannot write: %s",
				name, file_reason(errno));
		p += done;
		len -= (size_t)done;
	}
	return true;
}

char *file_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder;

	if (slash == NULL)
		return text_copy(".", err);
	folder = text_copy(path, err);
	if (folder != NULL)
		folder[slash == path ? 1 : slash - path] = '\0';
	return folder;
}

bool file_sync_folder(const char *path, struct err *err)
{
	char *folder = file_folder(path, err);
	bool ok = false;
	int fd = -1;

	if (folder == NULL)
		return false;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		err_set(err, ERR_OUTPUT, "%s: cannot sync the folder: %s",
			folder, file_reason(errno));
	if (fd >= 0)
		close(fd);
	free(folder);
	return ok;
}

/* Sync and close a file just written; on failure remove it. */
static bool finish_file(int fd, const char *path, bool ok, struct err *err)
{
	if (ok && fsync(fd) != 0)
		ok = err_set(err, ERR_OUTPUT, "%s: cannot sync: %s", path,
			file_reason(errno));
	if (close(fd) != 0 && ok)
		ok = err_set(err, ERR_OUTPUT, "%s: cannot close: %s", path,
			file_reason(errno));
	if (!ok)
		unlink(path);
	return ok;
}

static bool set_mode(int fd, const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_mode & MODE_BITS) == mode)
		return true;
	/* A file system without modes takes what it has. */
	if (fchmod(fd, mode) == 0 || errno == EPERM || errno == ENOTSUP)
		return true;
	return err_set(err, ERR_OUTPUT, "%s: cannot set its mode: %s", path,
		file_reason(errno));
}

/* A name beside path: PATH.<suffix>-N for the first free N, created. */
static bool create_beside(const char *path, const char *suffix, mode_t mode,
	char **name, int *fd, struct err *err)
{
	for (int n = 1; n <= OLD_NAMES_MAX; n++) {
		char *candidate = NULL;

		if (asprintf(&candidate, "%s.%s-%d", path, suffix, n) < 0)
			return err_nomem(err);
		*fd = open(candidate,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			mode);
		if (*fd >= 0) {
			*name = candidate;
			return true;
		}
		if (errno != EEXIST) {
			err_set(err, ERR_OUTPUT, "%s: cannot create: %s",
				candidate, file_reason(errno));
			free(candidate);
			return false;
		}
		free(candidate);
	}
	return err_set(err, ERR_OUTPUT, "%s: too many %s files beside it", path,
		suffix);
}

bool file_stage_new(const char *path, const void *data, size_t len,
	struct file_stage **out, struct err *err)
{
	struct file_stage *stage = calloc(1, sizeof(*stage));
	bool ok = false, old;
	struct stat st;
	mode_t mode;
	int fd;

	if (stage == NULL)
		return err_nomem(err);
	stage->path = text_copy(path, err);
	if (stage->path == NULL)
		goto done;
	old = lstat(path, &st) == 0 && S_ISREG(st.st_mode);
	mode = old ? st.st_mode & MODE_BITS : NEW_MODE;
	if (!create_beside(path, "new", mode, &stage->temporary, &fd, err))
		goto done;
	if (!finish_file(fd, stage->temporary,
		    (!old || set_mode(fd, path, mode, err)) &&
			    file_write_fd(fd, stage->temporary, data, len, err),
		    err)) {
		free(stage->temporary);
		stage->temporary = NULL;
		goto done;
	}
	*out = stage;
	stage = NULL;
	ok = true;
done:
	file_stage_free(stage);
	return ok;
}

/* What stands at the target: a file that can be kept, and nothing else. */
static bool check_old(const char *path, const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, ERR_OUTPUT,
			"%s: is %s, expected a regular file or none", path,
			S_ISLNK(st->st_mode)   ? "a symbolic link"
			: S_ISDIR(st->st_mode) ? "a folder"
					       : "a device or a pipe");
	if (st->st_size < 0 || (uintmax_t)st->st_size > FILE_KEPT_MAX)
		return err_set(err, ERR_OUTPUT,
			"%s: the existing file has %jd bytes, more than the %zu that are kept beside a new one: move it away",
			path, (intmax_t)st->st_size, FILE_KEPT_MAX);
	return true;
}

const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

bool file_check_name(const char *folder, const char *name, struct err *err)
{
	long max = pathconf(folder, _PC_NAME_MAX);
	struct stat st;

	if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_OUTPUT, "%s: cannot create %s: %s",
			folder, name, file_reason(ENOTDIR));
	if (access(folder, W_OK | X_OK) != 0)
		return err_set(err, ERR_OUTPUT, "%s: cannot create %s: %s",
			folder, name, file_reason(errno));
	if (max >= 0 && strlen(name) + BESIDE_MAX > (size_t)max)
		return err_set(err, ERR_OUTPUT,
			"%s: cannot create %s: a name of %zu bytes, expected at most %ld",
			folder, name, strlen(name), max - BESIDE_MAX);
	return !fat_holds(folder) || fat_check_name(name, err);
}

bool file_check_target(const char *path, struct err *err)
{
	char *folder = NULL;
	struct stat st;
	bool ok;

	if (*path == '\0')
		return err_set(err, ERR_OUTPUT,
			"the name of the file to write is empty");
	if (lstat(path, &st) == 0) {
		if (!check_old(path, &st, err))
			return false;
	} else if (errno != ENOENT) {
		return err_set(err, ERR_OUTPUT, "%s: cannot create: %s", path,
			file_reason(errno));
	}
	folder = file_folder(path, err);
	ok = folder != NULL && file_check_name(folder, file_name(path), err);
	free(folder);
	return ok;
}

/* In pieces: what stands there may be large. */
static bool copy_file(
	int from, const char *path, int to, const char *name, struct err *err)
{
	uint8_t chunk[COPY_SIZE];
	size_t total = 0;

	for (;;) {
		ssize_t got = read(from, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_OUTPUT, "%s: cannot read: %s",
				path, strerror(errno));
		if (got == 0)
			return true;
		total += (size_t)got;
		if (total > FILE_KEPT_MAX)
			return err_set(err, ERR_OUTPUT,
				"%s: the existing file grows while it is copied",
				path);
		if (!file_write_fd(to, name, chunk, (size_t)got, err))
			return false;
	}
}

/* Copy the existing target, mode and all, to a name beside it. */
static bool keep_old(const char *path, char **kept, struct err *err)
{
	int from = open(path,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	char *name = NULL;
	struct stat st;
	bool ok = false;
	int to;

	if (from < 0 || fstat(from, &st) != 0) {
		err_set(err, ERR_OUTPUT,
			"%s: cannot keep the existing file: %s", path,
			file_reason(errno));
		goto done;
	}
	if (!check_old(path, &st, err) ||
		!create_beside(
			path, "old", st.st_mode & MODE_BITS, &name, &to, err))
		goto done;
	ok = set_mode(to, name, st.st_mode & MODE_BITS, err) &&
	     copy_file(from, path, to, name, err);
	if (!finish_file(to, name, ok, err)) {
		ok = false;
		goto done;
	}
	*kept = name;
	name = NULL;
done:
	free(name);
	if (from >= 0)
		close(from);
	return ok;
}

bool file_stage_undo(struct file_stage *stage, struct err *err)
{
	int failed = stage->kept != NULL ? rename(stage->kept, stage->path)
					 : unlink(stage->path);

	if (failed != 0)
		return err_set(err, ERR_OUTPUT,
			"%s: cannot put back what was there: %s", stage->path,
			file_reason(errno));
	free(stage->kept);
	stage->kept = NULL;
	return file_sync_folder(stage->path, err);
}

/* A rename that may not last is undone: failed means nothing changed. */
static bool make_durable(struct file_stage *stage, struct err *err)
{
	struct err undo = ERR_EMPTY;

	if (file_sync_folder(stage->path, err))
		return true;
	if (!file_stage_undo(stage, &undo))
		err_prefix(err, "%s", undo.text);
	return false;
}

bool file_stage_publish(struct file_stage *stage, char **kept, struct err *err)
{
	char *copy = NULL;
	struct stat st;

	if (lstat(stage->path, &st) == 0 &&
		!keep_old(stage->path, &stage->kept, err))
		return false;
	if (kept != NULL && stage->kept != NULL) {
		copy = text_copy(stage->kept, err);
		if (copy == NULL)
			goto failed;
	}
	if (rename(stage->temporary, stage->path) != 0) {
		err_set(err, ERR_OUTPUT, "%s: cannot rename into place: %s",
			stage->path, file_reason(errno));
		goto failed;
	}
	free(stage->temporary);
	stage->temporary = NULL;
	if (!make_durable(stage, err)) {
		free(copy);
		return false;
	}
	if (kept != NULL)
		*kept = copy;
	return true;
failed:
	if (stage->kept != NULL)
		unlink(stage->kept);
	free(copy);
	return false;
}

void file_stage_free(struct file_stage *stage)
{
	if (stage == NULL)
		return;
	if (stage->temporary != NULL)
		unlink(stage->temporary);
	free(stage->temporary);
	free(stage->kept);
	free(stage->path);
	free(stage);
}

bool file_write(const char *path, const void *data, size_t len, char **kept,
	struct err *err)
{
	struct file_stage *stage = NULL;
	bool ok;

	ok = file_stage_new(path, data, len, &stage, err) &&
	     file_stage_publish(stage, kept, err);
	file_stage_free(stage);
	return ok;
}
