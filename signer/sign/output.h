/* SPDX-License-Identifier: ISC */
/* Responses on their way to the flash drive: all of them or none. */
#ifndef SIGNER_SIGN_OUTPUT_H
#define SIGNER_SIGN_OUTPUT_H

#include "lib/base/buf.h"

/* A file to be: its path, or its name in the folder; and its bytes. */
struct output_item {
	const char *name;
	const struct buf *bytes;
};

/* What was written, while it can still be taken back. */
struct output;

/*
 * Write one file.  An existing target is kept beside it, and
 * output_kept() says under which name.  On success *out is new and the
 * caller frees it.  Errors: ERR_OUTPUT; then all is as it was.
 */
bool output_file(
	const struct output_item *item, struct output **out, struct err *err);

/*
 * Could output_directory() work, as far as can be seen before anything is
 * signed?  ERR_USAGE where two names are one on a drive (fat.h);
 * ERR_OUTPUT where the folder could not be made or replaced: what it would be
 * in is no folder or cannot be written to, a name is too long, or what stands
 * there is not an empty folder, is a link, or is where a drive is mounted.
 */
bool output_check_folder(const char *folder, const struct output_item *items,
	size_t count, struct err *err);

/*
 * Write all files into a new folder beside the target and rename the folder
 * into place: the target must not exist, or be an empty folder.  Names must
 * differ and have no slash.  *out and errors as above.
 */
bool output_directory(const char *folder, const struct output_item *items,
	size_t count, struct output **out, struct err *err);

/* The name of the file that was in the way, borrowed; NULL: none was. */
const char *output_kept(const struct output *output);

/*
 * Put back what was there before, because something failed after all.
 * Errors: ERR_OUTPUT.
 */
bool output_undo(struct output *output, struct err *err);

void output_free(struct output *output);

/*
 * Is the path the same file as one of the inputs, so that writing it would
 * destroy what was asked?
 */
bool output_is_input(const char *path, const char *const *inputs, size_t count);

#endif
