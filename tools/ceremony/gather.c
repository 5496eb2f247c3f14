/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/gather.h"

#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/crypto/seal.h"
#include "tools/ceremony/folder.h"
#include "tools/evidence/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)65536)
#define FOLDERS_OPEN 16 /* at once, while a folder is removed */

bool gather_new(const char *path, char **out, struct err *err)
{
	struct buf made = BUF_EMPTY;
	size_t len = strlen(path);
	struct stat st;

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (lstat(path, &st) == 0)
		return err_set(err, ERR_OUTPUT,
			"%s: is there already; give a new folder", path);
	buf_format(&made, "%.*s.new-XXXXXX", (int)len, path);
	*out = text_copy(buf_string(&made), err);
	buf_free(&made);
	if (*out == NULL)
		return false;
	if (mkdtemp(*out) != NULL && chmod(*out, 0755) == 0)
		return true;
	err_set(err, ERR_OUTPUT, "%s: cannot be made: %s", path,
		file_reason(errno));
	free(*out);
	*out = NULL;
	return false;
}

bool gather_publish(const char *made, const char *path, struct err *err)
{
	if (renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE) != 0 &&
		(errno != EINVAL || rename(made, path) != 0))
		return err_set(
			err, ERR_OUTPUT, "%s: %s", path, file_reason(errno));
	return file_sync_folder(path, err);
}

static int remove_one(
	const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	remove(path);
	return 0;
}

void gather_remove(const char *made)
{
	nftw(made, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS);
}

/* The folders that a path below dir names, but for its last part. */
static bool make_folders(const char *path, size_t dir_len, struct err *err)
{
	char *copy = text_copy(path, err);
	bool ok = copy != NULL;

	for (char *p = ok ? copy + dir_len + 1 : NULL;
		ok && (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		if (mkdir(copy, 0755) != 0 && errno != EEXIST)
			ok = err_set(err, ERR_OUTPUT, "%s: %s", copy,
				file_reason(errno));
	}
	free(copy);
	return ok;
}

static bool copy_bytes(
	int in, int out, const char *from, const char *to, struct err *err)
{
	struct buf room = BUF_EMPTY;
	uint8_t *piece = buf_extend(&room, PIECE);
	bool ok = buf_ok(&room, err);
	ssize_t got = 1;

	while (ok && got != 0) {
		got = read(in, piece, PIECE);
		if (got < 0 && errno == EINTR)
			continue;
		ok = got >= 0 ? file_write_fd(out, to, piece, (size_t)got, err)
			      : err_set(err, ERR_INPUT, "%s: %s", from,
					strerror(errno));
	}
	buf_free(&room);
	return ok && (fsync(out) == 0 || err_set(err, ERR_OUTPUT, "%s: %s", to,
						 file_reason(errno)));
}

static bool copy_file(const char *from, const char *to, struct err *err)
{
	int in = open(from,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool ok = true;
	int out;

	if (in < 0 || fstat(in, &st) != 0 || !S_ISREG(st.st_mode))
		ok = err_set(err, ERR_INPUT, "%s: %s", from,
			in < 0 ? strerror(errno) : "not a regular file");
	else if ((uint64_t)st.st_size > GATHER_FILE_MAX)
		ok = err_set(err, ERR_REFUSED,
			"%s: larger than the %llu bytes that a public folder takes",
			from, (unsigned long long)GATHER_FILE_MAX);
	if (ok) {
		out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		ok = out >= 0 ? copy_bytes(in, out, from, to, err)
			      : err_set(err, ERR_OUTPUT, "%s: %s", to,
					file_reason(errno));
		if (out >= 0 && close(out) != 0 && ok)
			ok = err_set(err, ERR_OUTPUT, "%s: %s", to,
				file_reason(errno));
	}
	if (in >= 0)
		close(in);
	return ok;
}

static bool copy_one(
	const char *from, const char *to, const char *path, struct err *err)
{
	struct buf source = BUF_EMPTY, target = BUF_EMPTY;
	bool ok;

	buf_format(&source, "%s/%s", from, path);
	buf_format(&target, "%s/%s", to, path);
	ok = buf_ok(&source, err) && buf_ok(&target, err) &&
	     make_folders(buf_string(&target), strlen(to), err) &&
	     copy_file(buf_string(&source), buf_string(&target), err);
	buf_free(&target);
	buf_free(&source);
	return ok;
}

/* What SHA256SUMS could not say in one plain line. */
static bool check_name(const char *from, const char *path, struct err *err)
{
	for (const char *p = path; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '\\')
			return err_set(err, ERR_INPUT,
				"%s/%s: a name with a control character or a backslash; rename it",
				from, path);
	return true;
}

bool gather_copy(const char *from, const char *to, struct err *err)
{
	struct tree tree = {.root = NULL};
	bool ok = tree_read(from, &tree, err);

	if (ok && tree.other != NULL)
		ok = err_set(err, ERR_INPUT,
			"%s/%s: is neither a file nor a folder (a link?); remove it, or put a copy there",
			from, tree.other);
	if (ok && mkdir(to, 0755) != 0)
		ok = err_set(err, ERR_OUTPUT, "%s: %s", to, file_reason(errno));
	for (size_t i = 0; ok && i < tree.count; i++)
		ok = check_name(from, tree.files[i].path, err) &&
		     copy_one(from, to, tree.files[i].path, err);
	tree_free(&tree);
	return ok;
}

bool gather_write(const char *dir, const char *name, const struct buf *bytes,
	struct err *err)
{
	struct buf path = BUF_EMPTY;
	bool ok;

	buf_format(&path, "%s/%s", dir, name);
	ok = buf_ok(&path, err) &&
	     file_write(buf_string(&path), bytes->data, bytes->len, NULL, err);
	buf_free(&path);
	return ok;
}

bool gather_seal(const char *dir, const struct buf *key, struct err *err)
{
	struct buf sums = BUF_EMPTY, seal = BUF_EMPTY;
	struct tree tree = {.root = NULL};
	bool ok = tree_read(dir, &tree, err) && tree_hash(&tree, err);

	for (size_t i = 0; ok && i < tree.count; i++) {
		hex_encode(&sums, tree.files[i].hash, SHA256_LEN);
		buf_format(&sums, "  %s\n", tree.files[i].path);
	}
	ok = ok && buf_ok(&sums, err) &&
	     gather_write(dir, FOLDER_SUMS, &sums, err);
	if (ok && key != NULL)
		ok = seal_sign(key, &sums, &seal, err) &&
		     gather_write(dir, FOLDER_SEAL, &seal, err);
	tree_free(&tree);
	buf_free(&seal);
	buf_free(&sums);
	return ok;
}
