/* SPDX-License-Identifier: ISC */
/* The terminal that people read from. */
#ifndef LIB_CLI_SCREEN_H
#define LIB_CLI_SCREEN_H

#include "lib/base/buf.h"

#include <stddef.h>

/*
 * Columns of the terminal that fd is; 80 where it does not say (a serial
 * line); 0 where fd is no terminal: nothing is broken into lines there.
 */
size_t screen_width(int fd);

/* What goes on in the next row begins with so many blanks. */
#define SCREEN_INDENT 4

/*
 * Append one line for the terminal that fd is: escaped (base/text.h), and
 * broken into rows of which none but the first can begin with what text says.
 * Where fd is no terminal it stays one line.  Errors: those of out.
 */
void screen_line(struct buf *out, int fd, const char *text);

#endif
