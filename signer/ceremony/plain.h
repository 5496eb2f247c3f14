/* SPDX-License-Identifier: ISC */
/* What paper shows of a file: no times of a log, no tricks of a terminal. */
#ifndef CEREMONY_PLAIN_H
#define CEREMONY_PLAIN_H

#include "base/buf.h"

enum plain_kind {
	PLAIN_TEXT,   /* as it is */
	PLAIN_LOG,    /* without "2026-11-22T05:30:00Z: [INFO] " */
	PLAIN_SCRIPT, /* a terminal recording: what the lines looked like */
};

/*
 * Append text as lines of printable ASCII: tabs become blanks up to the next
 * multiple of eight, a carriage return before a newline goes, every other
 * byte becomes \xNN.  Of a recording, escape sequences go, and what was
 * overwritten or erased within a line is gone.
 */
void plain_text(enum plain_kind kind, const struct buf *in, struct buf *out);

#endif
