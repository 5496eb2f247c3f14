/* SPDX-License-Identifier: ISC */
#include "second/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_LENGTH 1024

static void add_line(struct verdict *verdict, const char *kind, char *line)
{
	verdict->count++;
	if (verdict->count > VERDICT_LINES_MAX)
		return;
	/* What was read must not make a line of its own. */
	for (char *p = line; *p != '\0'; p++)
		if (*p == '\n')
			*p = '?';
	buf_format(&verdict->lines, "%s%s\n", kind, line);
	verdict->nomem |= verdict->lines.failed;
}

void verdict_fail(struct verdict *verdict, const char *fmt, ...)
{
	char line[LINE_MAX_LENGTH];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(line, sizeof(line), fmt, arguments);
	va_end(arguments);
	verdict->result = VERDICT_FAIL;
	add_line(verdict, "", line);
}

void verdict_note(struct verdict *verdict, const char *fmt, ...)
{
	char line[LINE_MAX_LENGTH];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(line, sizeof(line), fmt, arguments);
	va_end(arguments);
	add_line(verdict, "note: ", line);
}

void verdict_clear(struct verdict *verdict)
{
	buf_free(&verdict->lines);
}

const char *verdict_result_name(enum verdict_result result)
{
	static const char *const names[] = {"PASS", "FAIL", "SKIP"};

	return names[result];
}
