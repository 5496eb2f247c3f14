/* SPDX-License-Identifier: ISC */
#include "lib/base/text.h"

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

/*
 * How much of a line of len bytes goes into room bytes: up to its last blank
 * there that has something before it.  A word that is longer is broken: left
 * to the terminal, its rest would begin a row of its own.
 */
static size_t fold_at(const char *line, size_t len, size_t room)
{
	size_t first = 0;

	if (len <= room)
		return len;
	while (first < len && line[first] == ' ')
		first++;
	for (size_t i = room; i > first; i--)
		if (line[i] == ' ' && line[i - 1] != ' ')
			return i;
	return room;
}

static void fold_line(struct buf *out, const char *line, size_t len,
	size_t width, size_t indent)
{
	size_t room = width;

	for (;;) {
		size_t part = fold_at(line, len, room);

		buf_bytes(out, line, part);
		while (part < len && line[part] == ' ')
			part++;
		line += part;
		len -= part;
		if (len == 0)
			return;
		buf_format(out, "\n%*s", (int)indent, "");
		room = width - indent;
	}
}

void text_fold(struct buf *out, const char *text, size_t width, size_t indent)
{
	if (width <= indent) {
		buf_text(out, text);
		return;
	}
	for (;;) {
		size_t len = strcspn(text, "\n");

		fold_line(out, text, len, width, indent);
		if (text[len] == '\0')
			return;
		buf_u8(out, '\n');
		text += len + 1;
	}
}

bool text_is_name(const char *text, size_t len)
{
	if (len == 0 || len > TEXT_NAME_MAX || text[0] == ' ' ||
		text[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_plain((unsigned char)text[i]) ||
			(text[i] == ' ' && text[i + 1] == ' '))
			return false;
	return true;
}

char *text_copy(const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (copy == NULL)
		err_nomem(err);
	return copy;
}
