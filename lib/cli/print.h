/* SPDX-License-Identifier: ISC */
/* What a program shows when it is done. */
#ifndef LIB_CLI_PRINT_H
#define LIB_CLI_PRINT_H

#include "lib/base/buf.h"

/* All of text on standard output.  Errors: ERR_OUTPUT. */
bool print_text(const struct buf *text, struct err *err);

/*
 * The same; on a screen, what is too long for a row goes on behind indent
 * blanks, so that no name of a file begins one.
 */
bool print_folded(struct buf *text, size_t indent, struct err *err);

#endif
