/* SPDX-License-Identifier: ISC */
#include "keys/der.h"

#include <stdlib.h>
#include <string.h>

void der_put(struct buf *out, enum der_tag tag, const void *content, size_t len)
{
	buf_u8(out, (uint8_t)tag);
	if (len < 0x80) {
		buf_u8(out, (uint8_t)len);
	} else if (len <= UINT8_MAX) {
		buf_u8(out, 0x81);
		buf_u8(out, (uint8_t)len);
	} else if (len <= UINT16_MAX) {
		buf_u8(out, 0x82);
		buf_u16(out, (uint16_t)len);
	} else {
		out->failed = true; /* nothing here is that long */
	}
	buf_bytes(out, content, len);
}

void der_wrap(struct buf *out, enum der_tag tag, const struct buf *content)
{
	der_put(out, tag, content->data, content->len);
	if (content->failed)
		out->failed = true;
}

void der_bits(struct buf *out, const struct buf *bytes)
{
	struct buf content = BUF_EMPTY;

	buf_u8(&content, 0); /* unused bits at the end */
	buf_bytes(&content, bytes->data, bytes->len);
	content.failed = content.failed || bytes->failed;
	der_wrap(out, DER_BIT_STRING, &content);
	buf_free(&content);
}

void der_text(struct buf *out, const char *text)
{
	static const char printable[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"abcdefghijklmnopqrstuvwxyz"
					"0123456789 '()+,-./:=?";
	bool fits = text[strspn(text, printable)] == '\0';

	der_put(out, fits ? DER_PRINTABLE_STRING : DER_UTF8_STRING, text,
		strlen(text));
}

/* Base 128, most significant first, high bit on all but the last. */
static void put_arc(struct buf *out, unsigned long arc)
{
	uint8_t digits[10];
	size_t count = 0;

	do {
		digits[count++] = (uint8_t)(arc & 0x7f);
		arc >>= 7;
	} while (arc > 0);
	while (count-- > 1)
		buf_u8(out, digits[count] | 0x80);
	buf_u8(out, digits[0]);
}

void der_oid(struct buf *out, const char *dotted)
{
	struct buf content = BUF_EMPTY;
	unsigned long first = 0;
	char *rest = NULL;

	for (size_t i = 0; *dotted != '\0'; i++) {
		unsigned long arc = strtoul(dotted, &rest, 10);

		if (i == 0)
			first = arc;
		else
			put_arc(&content, i == 1 ? first * 40 + arc : arc);
		dotted = *rest == '.' ? rest + 1 : rest;
	}
	der_wrap(out, DER_OID, &content);
	buf_free(&content);
}
