/* SPDX-License-Identifier: ISC */
/* The files of a public folder: copied, written, hashed, signed. */
#ifndef TOOLS_CEREMONY_GATHER_H
#define TOOLS_CEREMONY_GATHER_H

#include "lib/base/buf.h"

#define GATHER_FILE_MAX (UINT64_C(4) << 30) /* bytes of one file */

/*
 * A new, empty folder beside path, under a name of its own; the caller frees
 * *out and publishes it, or removes it.  Errors: ERR_OUTPUT: also where path is
 * there already.
 */
bool gather_new(const char *path, char **out, struct err *err);

/* It becomes path.  Errors: ERR_OUTPUT. */
bool gather_publish(const char *made, const char *path, struct err *err);

/* With all that is in it. */
void gather_remove(const char *made);

/*
 * Copy every file below from to the new folder to.  What is neither a file nor
 * a folder is refused: a link would publish what it points to.  Errors:
 * ERR_INPUT, ERR_REFUSED, ERR_OUTPUT.
 */
bool gather_copy(const char *from, const char *to, struct err *err);

/* DIR/NAME.  Errors: ERR_OUTPUT. */
bool gather_write(const char *dir, const char *name, const struct buf *bytes,
	struct err *err);

/*
 * SHA256SUMS, over every file that is there, and with a key (PEM; NULL: none)
 * its signature.  Errors: ERR_INPUT, ERR_OUTPUT.
 */
bool gather_seal(const char *dir, const struct buf *key, struct err *err);

#endif
