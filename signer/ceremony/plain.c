/* SPDX-License-Identifier: ISC */
#include "ceremony/plain.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define TAB 8
#define ESC 0x1b
#define BEL 0x07

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
 * The length of the escape sequence at p: CSI to its final byte, OSC and its
 * relatives to BEL or ESC \, others by their intermediate bytes (ECMA-48 §5).
 */
static size_t sequence(const uint8_t *p, size_t len)
{
	size_t at = 2;

	if (len < 2)
		return len;
	if (p[1] == '[') {
		while (at < len && (p[at] < 0x40 || p[at] > 0x7e))
			at++;
	} else if (strchr("]PX^_", p[1]) != NULL && p[1] != '\0') {
		while (at < len && p[at] != BEL &&
			!(p[at] == '\\' && p[at - 1] == ESC))
			at++;
	} else {
		at = 1;
		while (at < len && p[at] >= 0x20 && p[at] <= 0x2f)
			at++;
	}
	return at < len ? at + 1 : len;
}

/* One line of a terminal, and where its cursor is. */
struct row {
	struct buf text;
	size_t cursor;
};

static void row_put(struct row *row, uint8_t c)
{
	while (row->text.len < row->cursor && !row->text.failed)
		buf_u8(&row->text, ' ');
	if (row->cursor < row->text.len)
		row->text.data[row->cursor] = c;
	else
		buf_u8(&row->text, c);
	row->cursor++;
}

/* The sequences with which shells redraw a line; the others only colour. */
static void row_control(struct row *row, const uint8_t *p, size_t len)
{
	size_t count = 0;

	if (p[1] != '[')
		return;
	for (size_t i = 2; i + 1 < len && isdigit(p[i]) && count < 10000; i++)
		count = count * 10 + (size_t)(p[i] - '0');
	switch (p[len - 1]) {
	case 'K':
		if (count == 0 && row->text.len > row->cursor)
			row->text.len = row->cursor;
		break;
	case 'P': /* characters deleted at the cursor */
		count = count > 0 ? count : 1;
		if (row->cursor + count < row->text.len) {
			memmove(row->text.data + row->cursor,
				row->text.data + row->cursor + count,
				row->text.len - row->cursor - count);
			row->text.len -= count;
		} else if (row->cursor < row->text.len) {
			row->text.len = row->cursor;
		}
		break;
	case 'C':
		row->cursor += count > 0 ? count : 1;
		break;
	case 'D':
		count = count > 0 ? count : 1;
		row->cursor -= count < row->cursor ? count : row->cursor;
		break;
	default:
		break;
	}
}

/* A recording's lines as they stood when the next one began. */
static void render(const struct buf *in, struct buf *out)
{
	struct row row = {.cursor = 0};

	for (size_t i = 0; i < in->len; i++) {
		uint8_t c = in->data[i];

		if (c == '\n') {
			buf_bytes(out, row.text.data, row.text.len);
			buf_u8(out, '\n');
			buf_clear(&row.text);
			row.cursor = 0;
		} else if (c == '\r') {
			row.cursor = 0;
		} else if (c == '\b') {
			row.cursor -= row.cursor > 0;
		} else if (c == ESC) {
			size_t len = sequence(in->data + i, in->len - i);

			if (len > 2)
				row_control(&row, in->data + i, len);
			i += len - 1;
		} else if (c != BEL) {
			row_put(&row, c);
		}
	}
	buf_bytes(out, row.text.data, row.text.len);
	out->failed = out->failed || row.text.failed;
	buf_free(&row.text);
}

static void add_line(const char *line, size_t len, struct buf *out)
{
	size_t start = out->len;

	for (size_t i = 0; i < len; i++)
		if (line[i] == '\t')
			do
				buf_u8(out, ' ');
			while ((out->len - start) % TAB != 0 && !out->failed);
		else
			text_escape_lines(out, line + i, 1);
	buf_u8(out, '\n');
}

void plain_text(enum plain_kind kind, const struct buf *in, struct buf *out)
{
	struct buf rendered = BUF_EMPTY;
	const char *text, *end;

	if (kind == PLAIN_SCRIPT)
		render(in, &rendered);
	else
		buf_bytes(&rendered, in->data, in->len);
	text = (const char *)rendered.data;
	end = text + rendered.len;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline != NULL ? newline : end) - text);
		size_t skip = kind == PLAIN_LOG ? log_prefix(text, len) : 0;
		size_t show = len;

		if (show > skip && text[show - 1] == '\r')
			show--;
		add_line(text + skip, show - skip, out);
		text += len + (newline != NULL);
	}
	out->failed = out->failed || rendered.failed;
	buf_free(&rendered);
}
