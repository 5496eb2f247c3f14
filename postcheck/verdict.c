/* SPDX-License-Identifier: ISC */
#include "postcheck/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void add_line(struct verdict *verdict, const char *kind, const char *fmt,
	va_list arguments) __attribute__((format(printf, 3, 0)));

static void add_line(struct verdict *verdict, const char *kind, const char *fmt,
	va_list arguments)
{
	char *text = NULL, *line = NULL;

	verdict->count++;
	if (verdict->line_count == VERDICT_LINES_MAX)
		return;
	if (vasprintf(&text, fmt, arguments) < 0) {
		verdict->nomem = true;
		return;
	}
	if (asprintf(&line, "%s%s", kind, text) < 0)
		verdict->nomem = true;
	else
		verdict->lines[verdict->line_count++] = line;
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
