/* SPDX-License-Identifier: ISC */
/* Bytes as hexadecimal digits, RFC 4648 §8. */
#ifndef LIB_BASE_HEX_H
#define LIB_BASE_HEX_H

#include "lib/base/buf.h"

/* Append lowercase (or uppercase) digits. */
void hex_encode(struct buf *out, const void *data, size_t len);
void hex_encode_upper(struct buf *out, const void *data, size_t len);

/*
 * Append the bytes of an even number of digits of either case, nothing
 * else between them.  On failure out is as it was.  Errors: ERR_INPUT.
 */
bool hex_decode(const char *text, struct buf *out, struct err *err);

#endif
