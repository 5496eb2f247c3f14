/* SPDX-License-Identifier: ISC */
/* Base64 with padding, RFC 4648 §4. */
#ifndef LIB_BASE_BASE64_H
#define LIB_BASE_BASE64_H

#include "lib/base/buf.h"

/* Append one unbroken line of text. */
void base64_encode(struct buf *out, const void *data, size_t len);

/*
 * Append the bytes.  Blanks, tabs, CR and LF between characters are skipped
 * (wrapped text); everything else is strict: padding complete, nothing after
 * it, unused bits zero.  On failure out is as it was.  Errors: ERR_INPUT.
 */
bool base64_decode(const char *text, struct buf *out, struct err *err);

#endif
