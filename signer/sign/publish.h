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

/*
 * Write all files into a new folder beside the target and rename the folder
 * into place: the target must not exist, or be an empty folder.  Names must
 * differ and have no slash.  Errors: ERR_OUTPUT; then nothing is left behind.
 */
bool publish_folder(const char *folder, const struct publish_item *items,
	size_t count, struct err *err);

/*
 * Is the path the same file as one of the inputs, so that writing it would
 * destroy what was asked?
 */
bool publish_is_input(
	const char *path, const char *const *inputs, size_t count);

#endif
