/* SPDX-License-Identifier: ISC */
#include "tools/evidence/tree.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/cli/progress.h"
#include "lib/hash/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 64

static bool add_file(
	struct tree *tree, const char *path, uint64_t size, struct err *err)
{
	char *copy = text_copy(path, err);
	struct tree_file *added;

	if (copy == NULL)
		return false;
	added = array_grow(&tree->files, &tree->count, sizeof(*added), err);
	if (added == NULL) {
		free(copy);
		return false;
	}
	*added = (struct tree_file){.path = copy, .size = size};
	tree->size += size;
	return true;
}

/* False again, unless there is somebody to tell that it cannot be read. */
static bool pass_over(const struct tree *tree, struct err *err)
{
	if (tree->unread == NULL)
		return false;
	tree->unread(tree->context, err);
	*err = (struct err)ERR_EMPTY;
	return true;
}

static bool walk(struct tree *tree, int fd, struct buf *path, int depth,
	struct err *err);

/* One name in a folder; path is the folder's, "" or ending in "/". */
static bool visit(struct tree *tree, int folder, const char *name,
	struct buf *path, int depth, struct err *err)
{
	struct stat st;
	bool ok = true;
	int fd;

	buf_text(path, name);
	if (!buf_ok(path, err))
		return false;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_set(err, ERR_INPUT, "%s/%s: %s", tree->root,
			buf_string(path), strerror(errno));
	if (S_ISREG(st.st_mode)) {
		ok = add_file(
			tree, buf_string(path), (uint64_t)st.st_size, err);
	} else if (S_ISDIR(st.st_mode)) {
		fd = openat(folder, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_set(err, ERR_INPUT, "%s/%s: %s", tree->root,
				buf_string(path), strerror(errno));
		buf_u8(path, '/');
		ok = walk(tree, fd, path, depth + 1, err);
	} else if (tree->other == NULL) {
		tree->other = text_copy(buf_string(path), err);
		ok = tree->other != NULL;
	}
	return ok;
}

/* fd is owned. */
static bool walk(
	struct tree *tree, int fd, struct buf *path, int depth, struct err *err)
{
	DIR *folder = fdopendir(fd);
	bool ok = true;

	if (folder == NULL) {
		close(fd);
		return err_nomem(err);
	}
	if (depth > DEPTH_MAX)
		ok = err_set(err, ERR_INPUT,
			"%s/%s: folders nested deeper than %d", tree->root,
			buf_string(path), DEPTH_MAX);
	while (ok) {
		size_t before = path->len;
		struct dirent *entry;

		errno = 0;
		entry = readdir(folder);
		if (entry == NULL && errno != 0)
			ok = err_set(err, ERR_INPUT, "%s/%s: %s", tree->root,
				buf_string(path), strerror(errno));
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			ok = visit(tree, dirfd(folder), entry->d_name, path,
				     depth, err) ||
			     pass_over(tree, err);
		path->len = before;
	}
	closedir(folder);
	return ok;
}

static int by_path(const void *a, const void *b)
{
	const struct tree_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

bool tree_read(const char *root, struct tree *out, struct err *err)
{
	return tree_read_most(root, NULL, NULL, out, err);
}

bool tree_read_most(const char *root, tree_unread *unread, void *context,
	struct tree *out, struct err *err)
{
	struct tree tree = {.root = text_copy(root, err),
		.unread = unread,
		.context = context};
	struct buf path = BUF_EMPTY;
	bool ok;
	int fd;

	if (tree.root == NULL)
		return false;
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		ok = err_set(err, ERR_INPUT, "%s: %s", root, strerror(errno));
	else
		ok = walk(&tree, fd, &path, 0, err) || pass_over(&tree, err);
	buf_free(&path);
	if (!ok) {
		tree_free(&tree);
		return false;
	}
	if (tree.count > 0)
		qsort(tree.files, tree.count, sizeof(*tree.files), by_path);
	*out = tree;
	return true;
}

/* What all files of a tree are fed to. */
struct whole {
	struct sha256 *hash;
	struct progress progress;
};

/* A sha256_seen: what one file's hash has had, the whole's gets, too. */
static bool feed_whole(
	void *context, const void *data, size_t len, struct err *err)
{
	struct whole *whole = context;

	progress_add(&whole->progress, len);
	return sha256_update(whole->hash, data, len, err);
}

static bool hash_file(
	int root, struct tree_file *file, struct whole *whole, struct err *err)
{
	struct sha256 *one = NULL;
	bool ok = false;
	int fd;

	fd = openat(root, file->path,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(
			err, ERR_INPUT, "cannot open: %s", strerror(errno));
	if (sha256_new(&one, err) &&
		sha256_feed(one, fd, feed_whole, whole, err) &&
		sha256_final(one, file->hash, err))
		ok = true;
	sha256_free(one);
	close(fd);
	return ok;
}

static bool hash_files(
	struct tree *tree, int root, struct sha256 *all, struct err *err)
{
	struct whole whole = {.hash = all};
	size_t kept = 0, count = tree->count;
	bool ok = true;

	progress_start(&whole.progress, "reading", tree->size);
	for (size_t i = 0; i < count; i++) {
		struct tree_file file = tree->files[i];

		if (!ok || hash_file(root, &file, &whole, err)) {
			tree->files[kept++] = file;
			continue;
		}
		err_prefix(err, "%s/%s", tree->root, file.path);
		ok = pass_over(tree, err);
		if (ok)
			free(file.path);
		else
			tree->files[kept++] = file;
	}
	tree->count = kept;
	progress_end(&whole.progress);
	return ok;
}

bool tree_hash(struct tree *tree, struct err *err)
{
	struct sha256 *all = NULL;
	struct buf manifest = BUF_EMPTY;
	bool ok = false;
	int root;

	root = open(tree->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(
			err, ERR_INPUT, "%s: %s", tree->root, strerror(errno));
	if (!sha256_new(&all, err) || !hash_files(tree, root, all, err) ||
		!sha256_final(all, tree->all, err))
		goto done;
	tree_manifest(tree, &manifest);
	ok = buf_ok(&manifest, err) &&
	     sha256_of(manifest.data, manifest.len, tree->manifest, err);
done:
	sha256_free(all);
	buf_free(&manifest);
	close(root);
	return ok;
}

/* sha256sum's way: a backslash before the line, and \n \r \\ in the name. */
static void manifest_line(const struct tree_file *file, struct buf *out)
{
	if (strpbrk(file->path, "\n\r\\") != NULL)
		buf_u8(out, '\\');
	hex_encode(out, file->hash, sizeof(file->hash));
	buf_text(out, "  ./");
	for (const char *p = file->path; *p != '\0'; p++)
		if (*p == '\n')
			buf_text(out, "\\n");
		else if (*p == '\r')
			buf_text(out, "\\r");
		else if (*p == '\\')
			buf_text(out, "\\\\");
		else
			buf_u8(out, (uint8_t)*p);
	buf_u8(out, '\n');
}

void tree_manifest(const struct tree *tree, struct buf *out)
{
	for (size_t i = 0; i < tree->count; i++)
		manifest_line(&tree->files[i], out);
}

static void difference(
	struct buf *out, const char *what, const char *root, const char *path)
{
	buf_text(out, what);
	if (root != NULL) {
		text_escape(out, root, strlen(root));
		buf_text(out, ": ");
	}
	text_escape(out, path, strlen(path));
	buf_u8(out, '\n');
}

size_t tree_compare(const struct tree *a, const struct tree *b, struct buf *out)
{
	size_t i = 0, j = 0, differences = 0;

	while (i < a->count || j < b->count) {
		const struct tree_file *x = &a->files[i], *y = &b->files[j];
		int order = i == a->count   ? 1
			    : j == b->count ? -1
					    : strcmp(x->path, y->path);
		bool same = order == 0 &&
			    memcmp(x->hash, y->hash, sizeof(x->hash)) == 0;

		if (order < 0)
			difference(out, "only on ", a->root, x->path);
		else if (order > 0)
			difference(out, "only on ", b->root, y->path);
		else if (!same)
			difference(out, "different: ", NULL, x->path);
		differences += !same;
		i += order <= 0;
		j += order >= 0;
	}
	return differences;
}

void tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free(tree->files[i].path);
	free(tree->files);
	free(tree->other);
	free(tree->root);
	*tree = (struct tree){.root = NULL};
}
