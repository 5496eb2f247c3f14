/* SPDX-License-Identifier: ISC */
/* Bytes as PGP words (the list of Juola and Zimmermann, 1995), and back. */
#ifndef LIB_CLI_WORDS_H
#define LIB_CLI_WORDS_H

#include "lib/base/buf.h"

/*
 * Append len words separated by a blank; per_line of them on each line, or
 * all on one with 0.  No newline at the end.
 */
void words_write(
	struct buf *out, const uint8_t *data, size_t len, size_t per_line);

/*
 * Append the bytes of what a person typed: words, or hexadecimal digits with
 * blanks or colons anywhere; case does not matter.  On failure out is as it
 * was.  Errors: ERR_INPUT, saying which word and what is wrong with it.
 */
bool words_read(const char *text, struct buf *out, struct err *err);

#endif
