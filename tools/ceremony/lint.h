/* SPDX-License-Identifier: ISC */
/* What is wrong with a script before anybody plays it. */
#ifndef TOOLS_CEREMONY_LINT_H
#define TOOLS_CEREMONY_LINT_H

#include "tools/ceremony/script.h"

#define LINT_PAGES "/usr/share/man"

struct lint_options {
	const char *path;  /* folders with programs, colons between: PATH */
	const char *pages; /* folder of manual pages, flat or with man1, man8 */
	const char *releases; /* text that lists discs by SHA-256; NULL: none */
};

/*
 * Append a line "FILE:LINE: what" for each finding, in the order of the file,
 * and count them.  Errors: ERR_INPUT where memory is exhausted.
 */
bool lint_script(const struct script *script,
	const struct lint_options *options, struct buf *out, size_t *count,
	struct err *err);

#endif
