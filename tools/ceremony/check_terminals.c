/* SPDX-License-Identifier: ISC */
/*
 * A point of the check: where a shell was that no script led.  What was typed
 * there is in its recording, and only people can say what it was for.
 */
#include "lib/base/file.h"
#include "lib/cli/feed.h"
#include "tools/ceremony/check.h"
#include "tools/evidence/recorder.h"

#include <string.h>

#define RECORDING_MAX ((size_t)256 * 1024 * 1024)
#define MARK "=== step "

/* Whether cards were shown there (run.c). */
static bool is_led(const struct buf *recording)
{
	return memmem(recording->data, recording->len, MARK, strlen(MARK)) !=
	       NULL;
}

/* The name of a recording of "pts/1" begins with "terminal-pts1-". */
static bool is_later_recorded(
	const struct course *course, size_t from, const char *terminal)
{
	struct buf name = BUF_EMPTY;
	bool found = false;

	buf_text(&name, RECORDER_TERMINAL);
	for (const char *p = terminal; *p != '\0' && *p != ' '; p++)
		if (*p != '/')
			buf_u8(&name, (uint8_t)*p);
	buf_u8(&name, '-');
	for (size_t i = from; !found && i < course->line_count; i++)
		found = strcmp(course->lines[i].kind, "open") == 0 &&
			strncmp(course->lines[i].text, buf_string(&name),
				name.len) == 0;
	buf_free(&name);
	return found;
}

/* The log has raised an alarm; people may have heeded it. */
static void judge_open(
	const struct course *course, size_t at, struct check_verdict *verdict)
{
	const char *text = course->lines[at].text;

	if (is_later_recorded(course, at, text))
		check_skip(
			verdict, "was open before it was recorded: %s", text);
	else
		check_fail(verdict, "was open and not recorded: %s", text);
}

bool check_terminals(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	const struct course *course = check->course;

	(void)err;
	for (size_t i = 0; course != NULL && i < course->line_count; i++) {
		const struct course_line *line = &course->lines[i];
		struct buf path = BUF_EMPTY, bytes = BUF_EMPTY;
		struct err why = ERR_EMPTY;

		if (strcmp(line->kind, "unrecorded") == 0)
			judge_open(course, i, verdict);
		if (strcmp(line->kind, "open") != 0 ||
			!feed_is_name(line->text) ||
			strncmp(line->text, RECORDER_TERMINAL,
				strlen(RECORDER_TERMINAL)) != 0)
			continue;
		buf_format(&path, "%s/%s", check->logs[line->log], line->text);
		if (!file_read(buf_string(&path), RECORDING_MAX, &bytes, &why))
			check_fail(verdict, "%s", why.text);
		else if (!is_led(&bytes))
			check_skip(verdict,
				"%s: a shell; what was typed there is for people to read",
				line->text);
		buf_free(&path);
		buf_free(&bytes);
	}
	if (course == NULL)
		check_skip(verdict, "there is no journal");
	return true;
}
