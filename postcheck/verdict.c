/* SPDX-License-Identifier: ISC */
#include "postcheck/verdict.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_line(struct verdict *verdict, const char *kind, const char *fmt,
	va_list arguments) __attribute__((format(printf, 3, 0)));

/* The last line that is no reason goes; false where there is none. */
static bool drop_note(struct verdict *verdict)
{
	size_t i = verdict->line_count;

	while (i-- > 0)
		if (!verdict->is_reason[i])
			break;
	if (i == SIZE_MAX)
		return false;
	free(verdict->lines[i]);
	verdict->line_count--;
	memmove(&verdict->lines[i], &verdict->lines[i + 1],
		(verdict->line_count - i) * sizeof(*verdict->lines));
	memmove(&verdict->is_reason[i], &verdict->is_reason[i + 1],
		(verdict->line_count - i) * sizeof(*verdict->is_reason));
	return true;
}

/*
 * The place of one line more.  Once all are taken, a note makes room for a
 * reason, so that no FAIL goes without; NULL: no place.
 */
static char **find_place(struct verdict *verdict, bool reason)
{
	size_t at;

	if (verdict->line_count == VERDICT_LINES_MAX &&
		!(reason && drop_note(verdict)))
		return NULL;
	at = verdict->line_count++;
	verdict->is_reason[at] = reason;
	verdict->lines[at] = NULL;
	return &verdict->lines[at];
}

static void add_line(struct verdict *verdict, const char *kind, const char *fmt,
	va_list arguments)
{
	char **line = find_place(verdict, *kind == '\0');
	char *text = NULL;

	verdict->count++;
	if (line == NULL)
		return;
	if (vasprintf(&text, fmt, arguments) < 0) {
		verdict->nomem = true;
		return;
	}
	if (asprintf(line, "%s%s", kind, text) < 0) {
		verdict->nomem = true;
		*line = NULL;
	}
	free(text);
}

void verdict_fail(struct verdict *verdict, const char *fmt, ...)
{
	va_list arguments;

	verdict->result = VERDICT_FAIL;
	va_start(arguments, fmt);
	add_line(verdict, "", fmt, arguments);
	va_end(arguments);
}

void verdict_note(struct verdict *verdict, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	add_line(verdict, "note: ", fmt, arguments);
	va_end(arguments);
}

void verdict_unlooked(struct verdict *verdict, const char *fmt, ...)
{
	va_list arguments;

	verdict->unlooked++;
	va_start(arguments, fmt);
	add_line(verdict, "not looked at: ", fmt, arguments);
	va_end(arguments);
}

void verdict_clear(struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->line_count; i++)
		free(verdict->lines[i]);
	*verdict = (struct verdict){0};
}

const char *verdict_result_name(enum verdict_result result)
{
	static const char *const names[] = {"PASS", "FAIL", "SKIP"};

	return names[result];
}
