/* SPDX-License-Identifier: ISC */
#include "tools/paper/plain.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"

#include <ctype.h>
#include <string.h>

#define TAB 8
#define C1_LAST 0x9f /* of the control characters beyond ASCII */
#define BMP_LAST 0xffff

/* The length of "TIME: [LEVEL] " at the beginning of a line, or 0. */
static size_t log_prefix(const char *line, size_t len)
{
	static const char shape[] = "0000-00-00T00:00:00Z: [";
	size_t at = sizeof(shape) - 1;

	if (len < at)
		return 0;
	for (size_t i = 0; i < at; i++)
		if (shape[i] == '0' ? !isdigit((unsigned char)line[i])
				    : line[i] != shape[i])
			return 0;
	for (; at + 1 < len; at++) {
		if (line[at] == ']' && line[at + 1] == ' ')
			return at + 2;
		if (!isupper((unsigned char)line[at]))
			return 0;
	}
	return 0;
}

/*
 * What is text as it is; what is not seen, or turns around what is, by its
 * number; every other byte as \xNN.  *columns: how many it takes.
 */
static size_t add_character(
	const char *text, size_t len, struct buf *out, size_t *columns)
{
	size_t start = out->len;
	uint32_t character;
	size_t bytes = utf8_read(text, len, &character);

	*columns = 1;
	if (bytes > 1 && utf8_is_shown(character)) {
		buf_bytes(out, text, bytes);
		return bytes;
	}
	if (bytes > 1 && character > C1_LAST)
		buf_format(out, character > BMP_LAST ? "\\U%08lx" : "\\u%04lx",
			(unsigned long)character);
	else
		text_escape_lines(out, text, bytes = 1);
	*columns = out->len - start;
	return bytes;
}

static void add_line(const char *line, size_t len, struct buf *out)
{
	size_t column = 0;

	for (size_t i = 0; i < len;)
		if (line[i] == '\t') {
			do
				buf_u8(out, ' ');
			while (++column % TAB != 0);
			i++;
		} else {
			size_t columns;

			i += add_character(line + i, len - i, out, &columns);
			column += columns;
		}
	buf_u8(out, '\n');
}

void plain_text(bool log, const struct buf *in, struct buf *out)
{
	const char *text = (const char *)in->data;
	const char *end = text + in->len;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline != NULL ? newline : end) - text);
		size_t skip = log ? log_prefix(text, len) : 0;
		size_t show = len;

		if (show > skip && text[show - 1] == '\r')
			show--;
		add_line(text + skip, show - skip, out);
		text += len + (newline != NULL);
	}
}
