/* SPDX-License-Identifier: ISC */
/* UTF-8, RFC 3629. */
#ifndef LIB_BASE_UTF8_H
#define LIB_BASE_UTF8_H

#include "lib/base/buf.h"

#define UTF8_MAX 4 /* bytes of a character */

/*
 * The character at the beginning of len bytes: its length, and *out; or 0 for
 * bytes that are none (cut off, too long a form, a surrogate).
 */
size_t utf8_read(const char *text, size_t len, uint32_t *out);

/* How many bytes a character that begins with this one has; 0: none does. */
size_t utf8_len(uint8_t first);

/* Append a character; what is none, as U+FFFD. */
void utf8_write(struct buf *out, uint32_t character);

/*
 * May it be shown?  No control, no mark that joins what stands before it, and
 * none that hides or turns around what stands beside it.
 */
bool utf8_is_shown(uint32_t character);

#endif
