/* SPDX-License-Identifier: ISC */
/*
 * The files below a folder, and the two hashes of a flash drive.
 *
 * Order is that of LC_ALL=C sort over whole paths: "a-b" comes before "a/b".
 * Only regular files count; symbolic links are not followed.
 *
 *	established hash	find . -type f -print0 | sort -z |
 *				xargs -0 cat | sha256sum
 *	manifest hash		find . -type f -print0 | sort -z |
 *				xargs -0 sha256sum | sha256sum
 *
 * The first is what ceremonies have printed since the beginning.  It covers
 * content in order, and nothing else: a file renamed within the order, an
 * empty file, a byte moved from one file to the next leave it as it is.  The
 * second covers names and boundaries too.
 */
#ifndef TOOLS_EVIDENCE_TREE_H
#define TOOLS_EVIDENCE_TREE_H

#include "lib/base/buf.h"
#include "lib/hash/sha256.h"

/* Told of what cannot be read; err says what, and why. */
typedef void tree_unread(void *context, const struct err *err);

struct tree_file {
	char *path; /* below the root, without "./" */
	uint64_t size;
	uint8_t hash[SHA256_LEN]; /* after tree_hash() */
};

struct tree {
	char *root;
	struct tree_file *files; /* sorted */
	size_t count;
	uint64_t size; /* bytes in all files */
	char *other; /* the first thing that is neither file nor folder, or NULL
		      */
	uint8_t all[SHA256_LEN];      /* established hash */
	uint8_t manifest[SHA256_LEN]; /* after tree_hash() */
	tree_unread *unread;          /* of tree_read_most() */
	void *context;
};

/* Errors: ERR_INPUT, naming what cannot be read. */
bool tree_read(const char *root, struct tree *out, struct err *err);

/*
 * The same without what cannot be read, of which unread is told, and again by
 * tree_hash(): what is in the tree after it has its hash.  Errors: ERR_INPUT,
 * the root cannot be opened.
 */
bool tree_read_most(const char *root, tree_unread *unread, void *context,
	struct tree *out, struct err *err);

/*
 * Read every file and fill in the hashes; shows progress on a terminal.
 * Errors: ERR_INPUT.
 */
bool tree_hash(struct tree *tree, struct err *err);

/* Append the manifest: the lines that sha256sum would print. */
void tree_manifest(const struct tree *tree, struct buf *out);

/*
 * Append one line for each path that differs: "only on ROOT: path" or
 * "different: path", escaped.  Returns how many.
 */
size_t tree_compare(
	const struct tree *a, const struct tree *b, struct buf *out);

void tree_free(struct tree *tree);

#endif
