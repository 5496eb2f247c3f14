/* SPDX-License-Identifier: ISC */
#include "postcheck/say.h"

#include "lib/base/experiment.h"
#include "lib/base/text.h"
#include "lib/cli/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of what goes on: deeper than any line begins. */
#define INDENT 8

/* How much of the text fits: to a blank, or cut where there is none. */
static size_t fits(const char *text, size_t len, size_t room)
{
	size_t first = strspn(text, " ");

	if (len <= room)
		return len;
	for (size_t at = room; at > first; at--)
		if (text[at] == ' ')
			return at;
	return room;
}

void say_lines(
	struct buf *out, const char *text, const char *mark, size_t width)
{
	struct buf escaped = BUF_EMPTY;
	size_t room, len;

	text_escape(&escaped, text, strlen(text));
	text = buf_string(&escaped);
	len = strlen(text);
	/* A terminal that is narrower than that shows what it can. */
	room = width > strlen(mark) + 2 * INDENT ? width - strlen(mark) : 0;
	for (bool first = true; first || len > 0; first = false) {
		size_t indent = first ? 0 : INDENT;
		size_t part = room > 0 ? fits(text, len, room - indent) : len;

		buf_format(out, "%s%*s", mark, (int)indent, "");
		buf_bytes(out, text, part);
		buf_u8(out, '\n');
		text += part;
		len -= part;
		while (len > 0 && *text == ' ') {
			text++;
			len--;
		}
	}
	out->failed |= escaped.failed;
	buf_free(&escaped);
}

void say(bool zone, const char *fmt, ...)
{
	struct buf lines = BUF_EMPTY, mark = BUF_EMPTY;
	char *text = NULL;
	va_list arguments;

	va_start(arguments, fmt);
	if (vasprintf(&text, fmt, arguments) < 0)
		text = NULL;
	va_end(arguments);
	buf_format(&mark, "%s%s", zone ? "; " : "", experiment_mark());
	if (text != NULL)
		say_lines(&lines, text, buf_string(&mark),
			screen_width(fileno(stdout)));
	/* What was not written shows in ferror(), which ends the program. */
	if (lines.len > 0)
		fwrite(lines.data, 1, lines.len, stdout);
	free(text);
	buf_free(&mark);
	buf_free(&lines);
}
