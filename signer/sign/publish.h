/* SPDX-License-Identifier: ISC */
/* Responses on their way to the flash drive: all of them or none. */
#ifndef SIGN_PUBLISH_H
#define SIGN_PUBLISH_H

#include "base/buf.h"

/* A file to be: its path, or its name in the folder; and its bytes. */
struct publish_item {
	const char *name;
	const struct buf *bytes;
};

/* What was published, while it can still be taken back. */
struct publication;

/*
 * Write one file.  An existing target is kept beside it, and
 * publication_kept() says under which name.  On success *out is new and the
 * caller frees it.  Errors: ERR_OUTPUT; then all is as it was.
 */
bool publish_file(const struct publish_item *item, struct publication **out,
	struct err *err);

/*
 * Could publish_folder() work, as far as can be seen before anything is
 * signed?  ERR_USAGE where two names are the same, ERR_OUTPUT where the
 * folder exists and is not an empty folder.
 */
bool publish_check_folder(const char *folder, const struct publish_item *items,
	size_t count, struct err *err);

/*
 * Write all files into a new folder beside the target and rename the folder
 * into place: the target must not exist, or be an empty folder.  Names must
 * differ and have no slash.  *out and errors as above.
 */
bool publish_folder(const char *folder, const struct publish_item *items,
	size_t count, struct publication **out, struct err *err);

/* The name of the file that was in the way, borrowed; NULL: none was. */
const char *publication_kept(const struct publication *publication);

/*
 * Put back what was there before, because something failed after all.
 * Errors: ERR_OUTPUT.
 */
bool publication_undo(struct publication *publication, struct err *err);

void publication_free(struct publication *publication);

/*
 * Is the path the same file as one of the inputs, so that writing it would
 * destroy what was asked?
 */
bool publish_is_input(
	const char *path, const char *const *inputs, size_t count);

#endif
