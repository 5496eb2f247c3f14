/* SPDX-License-Identifier: ISC */
/* As much of DER (X.690) as a certification request needs, for writing. */
#ifndef KEYS_DER_H
#define KEYS_DER_H

#include "base/buf.h"

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0, /* [0], constructed */
};

/* Append tag, length and content; content may be NULL when len is 0. */
void der_put(
	struct buf *out, enum der_tag tag, const void *content, size_t len);

/* The same with the content of another buffer, whose failure is taken over. */
void der_wrap(struct buf *out, enum der_tag tag, const struct buf *content);

/* Append a whole BIT STRING of these bytes. */
void der_bits(struct buf *out, const struct buf *bytes);

/* Append text: PrintableString where its characters allow, else UTF8String. */
void der_text(struct buf *out, const char *text);

/* Append an object identifier written as "1.2.840.113549.1.1.11". */
void der_oid(struct buf *out, const char *dotted);

#endif
