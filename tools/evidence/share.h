/* SPDX-License-Identifier: ISC */
/* A file of one folder in another one: copied, or the same already. */
#ifndef TOOLS_EVIDENCE_SHARE_H
#define TOOLS_EVIDENCE_SHARE_H

#include "tools/evidence/tree.h"

/*
 * file, of the folder from, whole at its place below the folder to, or not at
 * all.  Nothing that stands there is replaced.  Errors: ERR_OUTPUT; also where
 * something else than a file of the same bytes stands there.
 */
bool share_file(const char *from, const char *to, const struct tree_file *file,
	struct err *err);

#endif
