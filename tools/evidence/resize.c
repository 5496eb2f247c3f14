/* SPDX-License-Identifier: ISC */
#include "tools/evidence/resize.h"

#include <stdint.h>

#define ESC 0x1b
#define CAN 0x18
#define SUB 0x1a
#define FIRST_MAX 100000 /* more than any size */
#define RESIZE_COMMAND 8

static const char header[] = "Script started";

/* One byte behind ESC [: true where it ends the command. */
static bool in_control(struct resize *resize, uint8_t c)
{
	if (c >= '0' && c <= '9') {
		if (!resize->first_over && resize->first < FIRST_MAX)
			resize->first = resize->first * 10 + (c - '0');
		return false;
	}
	resize->first_over = true;
	if (c < 0x40)
		return false;
	resize->state = RESIZE_TEXT;
	return c == 't' && resize->first == RESIZE_COMMAND;
}

static bool in_sequence(struct resize *resize, uint8_t c)
{
	bool escape = resize->state == RESIZE_ESCAPE;

	if (c == ESC) {
		resize->state = RESIZE_ESCAPE;
	} else if (escape && c == '[') {
		resize->state = RESIZE_CONTROL;
		resize->first = 0;
		resize->first_over = false;
	} else if (c == CAN || c == SUB || (escape && c >= 0x20 && c < 0x7f)) {
		resize->state = RESIZE_TEXT;
	} else if (resize->state == RESIZE_CONTROL) {
		/* A control character acts in the middle, and it goes on. */
		return c >= 0x20 && c != 0x7f && in_control(resize, c);
	}
	return false;
}

/* True at the end of a line that reads as a header. */
static bool in_line(struct resize *resize, uint8_t c)
{
	bool whole = resize->line == sizeof(header) - 1;

	if (c == '\n') {
		whole = whole && resize->later;
		resize->later = true;
		resize->line_differs = false;
		resize->line = 0;
		return whole && resize->state == RESIZE_TEXT;
	}
	if (whole || resize->line_differs)
		return false;
	if (c == (uint8_t)header[resize->line])
		resize->line++;
	else
		resize->line_differs = true;
	return false;
}

size_t resize_next(
	struct resize *resize, const char *data, size_t len, bool *found)
{
	*found = false;
	for (size_t i = 0; i < len; i++) {
		bool by_line = in_line(resize, (uint8_t)data[i]);

		*found = in_sequence(resize, (uint8_t)data[i]) || by_line;
		if (*found)
			return i + 1;
	}
	return len;
}
