/* SPDX-License-Identifier: ISC */
/* What paper shows of a text or a log. */
#ifndef TOOLS_PAPER_PLAIN_H
#define TOOLS_PAPER_PLAIN_H

#include "lib/base/buf.h"

/*
 * Append text as lines of UTF-8 without control characters: tabs become blanks
 * up to the next multiple of eight, a carriage return before a newline goes,
 * every other byte that is no text becomes \xNN.  Of a log, "TIME: [LEVEL] "
 * before each line goes.
 */
void plain_text(bool log, const struct buf *in, struct buf *out);

#endif
