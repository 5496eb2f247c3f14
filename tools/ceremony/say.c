/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/say.h"

#include "lib/base/time.h"
#include "lib/base/utf8.h"

#include <inttypes.h>
#include <string.h>

void say_text(struct buf *out, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t character = 0;
		size_t len = utf8_read(text, left, &character);

		if (len == 0)
			buf_format(out, "\\x%02x", (uint8_t)*text);
		else if (utf8_is_shown(character))
			buf_bytes(out, text, len);
		else if (character < 0x80)
			buf_format(out, "\\x%02x", (unsigned)character);
		else
			buf_format(out,
				character > 0xffff ? "\\U%08lx" : "\\u%04lx",
				(unsigned long)character);
		len = len > 0 ? len : 1;
		text += len;
		left -= len;
	}
}

void say_cut(struct buf *text, size_t most)
{
	size_t at = 0;

	for (size_t i = 0; i < most && at < text->len; i++)
		at += utf8_len(text->data[at]);
	if (at < text->len) {
		text->len = at;
		buf_text(text, "\342\200\246");
	}
}

void say_markdown(struct buf *out, const char *text)
{
	/* CommonMark §2.4; what would mean something amid a line. */
	static const char meaning[] = "\\`*_{}[]<>#+!|&~$@";
	struct buf shown = BUF_EMPTY;

	say_text(&shown, text);
	for (const char *p = buf_string(&shown); *p != '\0'; p++) {
		if (strchr(meaning, *p) != NULL)
			buf_u8(out, '\\');
		buf_u8(out, (uint8_t)*p);
	}
	out->failed = out->failed || shown.failed;
	buf_free(&shown);
}

void say_paragraph(struct buf *out, const char *text)
{
	size_t digits = strspn(text, "0123456789");

	/* A list, or what underlines a heading. */
	if (*text == '-' || *text == '=') {
		buf_u8(out, '\\');
	} else if (digits > 0 && (text[digits] == '.' || text[digits] == ')')) {
		buf_bytes(out, text, digits);
		buf_u8(out, '\\');
		text += digits;
	}
	say_markdown(out, text);
	buf_u8(out, '\n');
}

void say_time(struct buf *out, int64_t time)
{
	char text[TIME_TEXT_MAX];

	if (time < 0) {
		buf_text(out, "-");
		return;
	}
	time_format(time, TIME_BARE, text);
	if (strlen(text) > 10 && text[10] == 'T')
		text[10] = ' ';
	buf_text(out, text);
}

void say_clock(struct buf *out, int64_t time)
{
	struct buf whole = BUF_EMPTY;
	const char *text;

	say_time(&whole, time);
	text = strchr(buf_string(&whole), ' ');
	buf_text(out, text != NULL ? text + 1 : buf_string(&whole));
	buf_free(&whole);
}

void say_seconds(struct buf *out, int64_t seconds)
{
	int64_t minutes = seconds / 60;

	if (seconds < 0)
		buf_text(out, "-");
	else if (minutes >= 60)
		buf_format(out, "%" PRId64 " h %" PRId64 " min", minutes / 60,
			minutes % 60);
	else if (minutes > 0 && seconds % 60 > 0)
		buf_format(out, "%" PRId64 " min %" PRId64 " s", minutes,
			seconds % 60);
	else if (minutes > 0)
		buf_format(out, "%" PRId64 " min", minutes);
	else
		buf_format(out, "%" PRId64 " s", seconds);
}
