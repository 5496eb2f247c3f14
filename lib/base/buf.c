/* SPDX-License-Identifier: ISC */
#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_reserve(struct buf *buf, size_t extra)
{
	/* What is written once has the size it needs; the rest doubles. */
	size_t cap = buf->cap > 0 ? buf->cap : extra > 64 ? extra : 64;
	uint8_t *data;

	if (buf->failed || extra <= buf->cap - buf->len)
		return;
	if (extra > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) {
		buf->failed = true;
		return;
	}
	while (cap < buf->len + extra)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (data == NULL) {
		buf->failed = true;
		return;
	}
	buf->data = data;
	buf->cap = cap;
}

void buf_bytes(struct buf *buf, const void *data, size_t len)
{
	buf_reserve(buf, len);
	if (buf->failed || len == 0)
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

uint8_t *buf_extend(struct buf *buf, size_t len)
{
	uint8_t *start;

	/* One more, so that there is a pointer for no bytes, too. */
	buf_reserve(buf, len + 1);
	if (buf->failed)
		return NULL;
	start = buf->data + buf->len;
	buf->len += len;
	return start;
}

void buf_u8(struct buf *buf, uint8_t value)
{
	buf_bytes(buf, &value, 1);
}

void buf_u16(struct buf *buf, uint16_t value)
{
	uint8_t wire[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	buf_bytes(buf, wire, sizeof(wire));
}

void buf_u32(struct buf *buf, uint32_t value)
{
	uint8_t wire[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
		(uint8_t)(value >> 8), (uint8_t)value};

	buf_bytes(buf, wire, sizeof(wire));
}

void buf_text(struct buf *buf, const char *text)
{
	buf_bytes(buf, text, strlen(text));
}

void buf_format(struct buf *buf, const char *fmt, ...)
{
	size_t room;
	va_list ap;
	int len;

	/* Most texts fit into what is there; the others are written twice. */
	buf_reserve(buf, 64);
	for (int round = 0; round < 2 && !buf->failed; round++) {
		room = buf->cap - buf->len;
		va_start(ap, fmt);
		len = vsnprintf((char *)buf->data + buf->len, room, fmt, ap);
		va_end(ap);
		if (len < 0) {
			buf->failed = true;
		} else if ((size_t)len < room) {
			buf->len += (size_t)len;
			return;
		} else {
			buf_reserve(buf, (size_t)len + 1);
		}
	}
}

bool buf_ok(const struct buf *buf, struct err *err)
{
	return buf->failed ? err_nomem(err) : true;
}

const char *buf_string(struct buf *buf)
{
	buf_reserve(buf, 1);
	if (buf->failed)
		return "";
	buf->data[buf->len] = '\0';
	return (const char *)buf->data;
}

bool buf_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf)BUF_EMPTY;
}

void buf_wipe(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->cap);
	buf_free(buf);
}
