/* SPDX-License-Identifier: ISC */
/*
 * Text on its way to a terminal, a log or paper.
 *
 * What was read is hostile: an escape sequence in a bundle id could repaint
 * the screen that the witnesses look at.  Leaves keep text as it is; the
 * layer that shows it calls text_escape() once.
 */
#ifndef LIB_BASE_TEXT_H
#define LIB_BASE_TEXT_H

#include "lib/base/buf.h"

/*
 * Append len bytes of text: printable ASCII as it is, the backslash doubled,
 * every other byte (control characters, DEL, all beyond ASCII) as \xNN.
 */
void text_escape(struct buf *out, const char *text, size_t len);

/*
 * The same for whole lines that we composed: newlines stay, a backslash
 * stays one backslash, all else as above.
 */
void text_escape_lines(struct buf *out, const char *text, size_t len);

/*
 * Append text with each of its lines broken at blanks, so that none is longer
 * than width bytes (0: as it is); what goes on begins with indent blanks.  A
 * word that is longer is broken, too.  Errors: those of out.
 */
void text_fold(struct buf *out, const char *text, size_t width, size_t indent);

/*
 * Can the text be an id, an identifier, a label, a domain: 1 to TEXT_NAME_MAX
 * characters of printable ASCII, with no blank at either end and no two
 * blanks together?  Such a text cannot look like several, or like a line.
 */
#define TEXT_NAME_MAX 128
bool text_is_name(const char *text, size_t len);

/* A copy that the caller frees; NULL and err when memory is exhausted. */
char *text_copy(const char *text, struct err *err);

#endif
