/* SPDX-License-Identifier: ISC */
#include "tools/evidence/timed.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#include <string.h>

static void both(struct buf *file, struct buf *view, const char *text)
{
	buf_text(file, text);
	buf_text(view, text);
}

/* The newline that ends a record but is not the line's. */
static void break_off(struct timed *timed, struct buf *file, struct buf *view)
{
	if (timed->cr)
		buf_text(view, "\\x0d");
	both(file, view, "\n");
	timed->open = timed->cr = false;
}

static void stamp(char mark, int64_t time, struct buf *file, struct buf *view)
{
	char text[TIME_TEXT_MAX];

	time_format(time, TIME_Z, text);
	both(file, view, text);
	buf_u8(file, (uint8_t)mark);
	buf_u8(view, (uint8_t)mark);
}

/* A record is open afterwards; data is not at its end. */
static void begin(struct timed *timed, uint8_t byte, int64_t time,
	int64_t clock, struct buf *file, struct buf *view)
{
	bool pause = clock - timed->last >= TIMED_PAUSE_MS;
	char mark = ' ';

	/* "\r\n" and "\r\r\n" are one end, whenever the rest comes. */
	if (timed->open && (timed->cr ? byte != '\n' && byte != '\r' : pause)) {
		break_off(timed, file, view);
		mark = '-';
	}
	if (!timed->open)
		stamp(mark, time, file, view);
	timed->open = true;
}

/* How many bytes belong to this record: up to and with its end. */
static size_t measure(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] == '\n' || data[i] == '\r')
			return i + 1;
	return len;
}

void timed_bytes(struct timed *timed, const uint8_t *data, size_t len,
	int64_t time, int64_t clock, struct buf *file, struct buf *view)
{
	while (len > 0) {
		size_t part = measure(data, len);
		uint8_t last = data[part - 1];
		bool ends = last == '\n' || last == '\r';

		begin(timed, data[0], time, clock, file, view);
		if (timed->cr && last == '\r')
			buf_text(view, "\\x0d");
		buf_bytes(file, data, part);
		text_escape(view, (const char *)data, part - (ends ? 1 : 0));
		if (last == '\n') {
			buf_u8(view, '\n');
			timed->open = false;
		}
		timed->cr = last == '\r';
		timed->last = clock;
		data += part;
		len -= part;
	}
}

void timed_remark(struct timed *timed, const char *text, int64_t time,
	struct buf *file, struct buf *view)
{
	bool open = timed->open;

	if (open)
		break_off(timed, file, view);
	stamp(open ? '+' : '#', time, file, view);
	both(file, view, " ");
	both(file, view, text);
	both(file, view, "\n");
}
