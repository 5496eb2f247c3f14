/* SPDX-License-Identifier: ISC */
/*
 * What skrcheck prints.  Each line begins with words of our own; what goes on
 * after a fold, or is cut where a word is longer than the terminal, is
 * indented.  So nothing that was read begins a line.
 */
#ifndef POSTCHECK_SAY_H
#define POSTCHECK_SAY_H

#include "lib/base/buf.h"

/* zone: standard output is a zone file, and all lines here are comments.  In an
 * experiment each line begins with its mark. */
void say(bool zone, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * For say(), and for tests: append text, escaped, as lines of at most width
 * bytes (0: one line, whatever its length), each behind the mark.
 */
void say_lines(
	struct buf *out, const char *text, const char *mark, size_t width);

#endif
