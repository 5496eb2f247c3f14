/* SPDX-License-Identifier: ISC */
/* The door to libvterm: what a terminal shows.  No other module includes it. */
#ifndef TOOLS_PAPER_TERMINAL_H
#define TOOLS_PAPER_TERMINAL_H

#include "lib/base/buf.h"

struct terminal;

/* One row of it. */
struct terminal_row {
	struct buf text; /* UTF-8, without blanks at its end */
	size_t columns;  /* of text */
	bool goes_on;    /* the row above went on into it at the right edge */
};

/* Takes a row that scrolls off at the top; not kept after the call. */
typedef void terminal_scrolled(void *context, const struct terminal_row *row);

/* scrolled may be NULL.  Errors: ERR_INPUT, memory. */
bool terminal_new(int rows, int columns, terminal_scrolled *scrolled,
	void *context, struct terminal **out, struct err *err);
void terminal_free(struct terminal *terminal);

/*
 * One control character or one whole sequence.  Answers that a program would
 * get are dropped, and there is no alternate screen.
 */
void terminal_control(struct terminal *terminal, const void *bytes, size_t len);

/* One character of text. */
void terminal_put(struct terminal *terminal, const void *bytes, size_t len);

void terminal_cursor(const struct terminal *terminal, int *row, int *column);
void terminal_row(const struct terminal *terminal, int row,
	struct terminal_row *out); /* text is replaced */

/* Rows down to the last one that shows something. */
int terminal_used(const struct terminal *terminal);

#endif
