/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include <string.h>

static void escape_byte(struct buf *out, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char hex[] = {'\\', 'x', digits[c >> 4], digits[c & 15]};

	buf_bytes(out, hex, sizeof(hex));
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

void text_escape(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\\')
			buf_text(out, "\\\\");
		else if (is_plain(c))
			buf_u8(out, c);
		else
			escape_byte(out, c);
	}
}

void text_escape_lines(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (is_plain(c) || c == '\n')
			buf_u8(out, c);
		else
			escape_byte(out, c);
	}
}

char *text_copy(const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (copy == NULL)
		err_nomem(err);
	return copy;
}
