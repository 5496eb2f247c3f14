/* SPDX-License-Identifier: ISC */
/*
 * A point of the check: where a shell was that no script led.  What was typed
 * there is in its recording, and only people can say what it was for.
 */
#include "lib/base/buf.h"
#include "tools/ceremony/check.h"
#include "tools/ceremony/vouched.h"
#include "tools/evidence/record.h"
#include "tools/evidence/recorder.h"

#include <stdlib.h>
#include <string.h>

/*
 * Was it run that was recorded, and nothing else?  script(1) writes the command
 * into the first line.  A shell in which run was typed is a shell.
 */
static bool is_led(const struct buf *recording)
{
	return record_is_of(
		(const char *)recording->data, recording->len, COMMAND_AGAIN);
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

static void judge_recording(const struct check *check,
	const struct vouched *recording, struct check_verdict *verdict)
{
	const struct course_line *open = recording->open;
	struct buf bytes = BUF_EMPTY;
	struct err why = ERR_EMPTY;

	if (!vouched_read(check->logs[open->log], recording, &bytes, &why))
		check_fail(verdict, "%s", why.text);
	else if (!is_led(&bytes))
		check_skip(verdict,
			"%s: a shell; what was typed there is for people to read",
			open->text);
	buf_free(&bytes);
}

bool check_terminals(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	const struct course *course = check->course;
	struct vouched_list list;
	bool ok;

	if (course == NULL) {
		check_skip(verdict, "there is no journal");
		return true;
	}
	for (size_t i = 0; i < course->line_count; i++)
		if (strcmp(course->lines[i].kind, "unrecorded") == 0)
			judge_open(course, i, verdict);
	ok = vouched_find(course, &list, err);
	for (size_t i = 0; ok && i < list.count; i++)
		judge_recording(check, &list.all[i], verdict);
	free(list.all);
	return ok;
}
