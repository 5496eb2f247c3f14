/* SPDX-License-Identifier: ISC */
/* The words of a command as a shell would see them, as far as a lint must know.
 */
#ifndef TOOLS_CEREMONY_TYPED_H
#define TOOLS_CEREMONY_TYPED_H

#include "lib/base/buf.h"

struct typed {
	char **list; /* owned, without their quotes */
	size_t count;
	bool joined; /* there is a ; && || or & outside quotes: two commands */
};

/* Split a command; what stands behind a | is not part of it.  Errors:
 * ERR_INPUT. */
bool typed_split(const char *command, struct typed *out, struct err *err);

void typed_free(struct typed *words);

#endif
