/* SPDX-License-Identifier: ISC */
/* What was typed and shown, and times, for people to read. */
#ifndef TOOLS_CEREMONY_SAY_H
#define TOOLS_CEREMONY_SAY_H

#include "lib/base/buf.h"

/*
 * Append hostile text as one line of UTF-8 in which everything can be seen:
 * bytes that are none, and characters that would hide or turn around what
 * stands beside them, as \xNN or \uNNNN.
 */
void say_text(struct buf *out, const char *text);

/* No more of such text than so many characters, and then an ellipsis. */
void say_cut(struct buf *text, size_t most);

/* The same as CommonMark that means nothing but that text. */
void say_markdown(struct buf *out, const char *text);

/* The same at the beginning of a line, which it ends. */
void say_paragraph(struct buf *out, const char *text);

/* "2026-11-29 09:31:05", "09:31:05"; "-" for COURSE_NEVER. */
void say_time(struct buf *out, int64_t time);
void say_clock(struct buf *out, int64_t time);

/* "1 h 4 min", "7 min 36 s", "36 s"; "-" for what is negative. */
void say_seconds(struct buf *out, int64_t seconds);

#endif
