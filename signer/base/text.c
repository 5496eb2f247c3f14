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

/* How many bytes at the start can be shown as they are. */
static size_t plain_run(const char *text, size_t len, char doubled)
{
	size_t run = 0;

	while (run < len && is_plain((unsigned char)text[run]) &&
		text[run] != doubled)
		run++;
	return run;
}

void text_escape(struct buf *out, const char *text, size_t len)
{
	while (len > 0) {
		size_t run = plain_run(text, len, '\\');

		buf_bytes(out, text, run);
		if (run == len)
			return;
		if (text[run] == '\\')
			buf_text(out, "\\\\");
		else
			escape_byte(out, (unsigned char)text[run]);
		text += run + 1;
		len -= run + 1;
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
