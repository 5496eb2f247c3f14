/* SPDX-License-Identifier: ISC */
/*
 * The journal and the recordings, one against the other: what run says of each
 * command stands in both (run.c, start()).
 */
#include "tools/ceremony/check.h"

#include <stdlib.h>
#include <string.h>

static bool is_command(const struct course_event *event)
{
	return event->event == STEPS_COMMAND || event->event == STEPS_OTHERWISE;
}

/* On a screen nobody sees where a line ends. */
static bool is_same(const char *one, const char *two)
{
	for (; *one != '\0' && *one == *two; one++)
		two++;
	return one[strspn(one, " ")] == '\0' && two[strspn(two, " ")] == '\0';
}

/* Seconds in which bytes may be in a recording and not vouched for yet. */
#define UNVOUCHED 2
#define STARTS "ceremony-log start" /* a command that begins a log */

/* What of each log need not be in a recording. */
struct ends {
	/* Its first line; what was before that is early.  Times are cut off,
	 * to the second. */
	int64_t start;
	/* The step in which the log was started, by its early lines; or 0. */
	unsigned starter;
	/* The last command, with which the recording may end; or NULL. */
	const struct course_event *last;
	/* Where the power was cut, what came later. */
	int64_t cut;
};

/* Was it typed before there was that log? */
static bool is_before(const struct course_line *line, const struct ends *ends)
{
	return line->early && line->time <= ends[line->log].start + 1;
}

/* Is it a command of the journal that must be in a recording of its log? */
static bool is_counted(
	const struct course_event *event, const struct ends *ends, size_t log)
{
	return is_command(event) && event->line->log == log &&
	       !is_before(event->line, ends) && event != ends[log].last &&
	       event->line->time <= ends[log].cut;
}

static size_t count_events(const struct course_step *step, const char *command,
	const struct ends *ends, size_t log)
{
	size_t count = 0;

	for (size_t i = 0; i < step->event_count; i++)
		count += is_counted(&step->events[i], ends, log) &&
			 is_same(step->events[i].text, command);
	return count;
}

static size_t count_parts(const struct check *check, unsigned step,
	const char *command, size_t log)
{
	size_t count = 0;

	for (size_t i = 0; i < check->shown.count; i++) {
		const struct shown_part *part = &check->shown.parts[i];

		count += part->step == step && part->open->log == log &&
			 is_same(part->command, command);
	}
	return count;
}

/* The first of its kind alone is told. */
static bool is_first(const struct course_step *step, size_t at,
	const struct ends *ends, size_t log)
{
	for (size_t i = 0; i < at; i++)
		if (is_counted(&step->events[i], ends, log) &&
			is_same(step->events[i].text, step->events[at].text))
			return false;
	return true;
}

/* What the journal says was typed must be in a recording, as often. */
static void check_events(const struct check *check,
	struct check_verdict *verdict, const struct course_step *step,
	const struct ends *ends)
{
	for (size_t i = 0; i < step->event_count; i++) {
		const struct course_event *event = &step->events[i];
		size_t log = event->line->log, told, shown;

		if (!is_counted(event, ends, log) ||
			!is_first(step, i, ends, log))
			continue;
		told = count_events(step, event->text, ends, log);
		shown = count_parts(check, step->number, event->text, log);
		if (shown == 0)
			check_fail(verdict,
				"step %u: the journal has %s, and no recording does",
				step->number, event->text);
		else if (shown < told)
			check_fail(verdict,
				"step %u: the journal has %s %zu times, and the recordings %zu times",
				step->number, event->text, told, shown);
	}
}

/* How often all journals have it, what was before a log, too. */
static size_t count_told(
	const struct check *check, unsigned number, const char *command)
{
	const struct course_step *step = course_step(check->course, number);
	size_t count = 0;

	for (size_t i = 0; step != NULL && i < step->event_count; i++)
		count += is_command(&step->events[i]) &&
			 is_same(step->events[i].text, command);
	return count;
}

/* What the recordings have between run's marks, against the journal. */
static void check_parts(
	const struct check *check, struct check_verdict *verdict)
{
	for (size_t i = 0; i < check->shown.count; i++) {
		const struct shown_part *part = &check->shown.parts[i];
		size_t before = 0,
		       told = count_told(check, part->step, part->command);

		for (size_t k = 0; k < i; k++)
			before += check->shown.parts[k].step == part->step &&
				  is_same(check->shown.parts[k].command,
					  part->command);
		if (told == 0)
			check_fail(verdict,
				"step %u: the recording has %s, and the journal does not",
				part->step, part->command);
		else if (before == told)
			check_fail(verdict,
				"step %u: the recordings have %s more often than the journal",
				part->step, part->command);
	}
}

static void find_times(const struct course *course, struct ends *ends)
{
	for (size_t i = 0; i < course->log_count; i++) {
		const struct course_log *log = &course->logs[i];

		ends[i].cut = INT64_MAX;
		if (log->count > 0)
			ends[i].start = course->lines[log->first].time;
	}
	for (size_t i = 0; i < course->line_count; i++) {
		const struct course_line *line = &course->lines[i];

		if (!line->early && !course->logs[line->log].ended)
			ends[line->log].cut = line->time - UNVOUCHED;
	}
}

static void take_end(const struct course_event *event,
	const struct course_step *step, struct ends *ends)
{
	struct ends *its = &ends[event->line->log];

	if (!is_before(event->line, ends)) {
		if (its->last == NULL || its->last->line < event->line)
			its->last = event;
	} else if (strncmp(event->text, STARTS, strlen(STARTS)) == 0 &&
		   step->status == 0 && step->number > its->starter) {
		its->starter = step->number;
	}
}

/* How many commands there are. */
static size_t find_ends(const struct course *course, struct ends *ends)
{
	size_t count = 0;

	find_times(course, ends);
	for (size_t s = 0; s < course->step_count; s++) {
		const struct course_step *step = &course->steps[s];

		for (size_t i = 0; i < step->event_count; i++) {
			if (!is_command(&step->events[i]))
				continue;
			count++;
			take_end(&step->events[i], step, ends);
		}
	}
	return count;
}

/* What is said to have been before the log was before it was started. */
static void check_early(struct check_verdict *verdict,
	const struct course_step *step, const struct ends *ends)
{
	for (size_t i = 0; i < step->event_count; i++) {
		const struct course_event *event = &step->events[i];
		unsigned starter = ends[event->line->log].starter;

		if (is_command(event) && is_before(event->line, ends) &&
			starter > 0 && step->number > starter)
			check_fail(verdict,
				"step %u: is said to have been before the log, which step %u began: %s",
				step->number, starter, event->text);
	}
}

bool check_marks(const struct check *check, struct check_verdict *verdict,
	struct err *err)
{
	const struct course *course = check->course;
	struct ends *ends = calloc(course->log_count, sizeof(*ends));

	if (ends == NULL)
		return err_nomem(err);
	if (find_ends(course, ends) > SHOWN_PARTS_MAX) {
		check_fail(verdict, "the journal has more than %d commands",
			SHOWN_PARTS_MAX);
	} else {
		for (size_t s = 0; s < course->step_count; s++) {
			check_early(verdict, &course->steps[s], ends);
			check_events(check, verdict, &course->steps[s], ends);
		}
		check_parts(check, verdict);
	}
	free(ends);
	return true;
}

/* The last time that the step's command came to its end. */
static const struct shown_part *last_ended(
	const struct check *check, unsigned step, const char *command)
{
	const struct shown_part *found = NULL;

	for (size_t i = 0; i < check->shown.count; i++) {
		const struct shown_part *part = &check->shown.parts[i];

		if (part->step == step && part->ended &&
			is_same(part->command, command))
			found = part;
	}
	return found;
}

/* Terminals are in no order: did it end so on another one? */
static bool has_ended(
	const struct check *check, const struct shown_part *beside, int status)
{
	for (size_t i = 0; i < check->shown.count; i++) {
		const struct shown_part *part = &check->shown.parts[i];

		if (part->open != beside->open && part->ended &&
			part->step == beside->step && part->status == status &&
			is_same(part->command, beside->command))
			return true;
	}
	return false;
}

/* Must a recording have the end of the step's command? */
static bool is_needed(const struct course_step *done, const char *command,
	const struct ends *ends)
{
	for (size_t i = 0; i < done->event_count; i++)
		if (is_counted(&done->events[i], ends,
			    done->events[i].line->log) &&
			done->events[i].event == STEPS_COMMAND &&
			is_same(done->events[i].text, command))
			return true;
	return false;
}

static void judge_ended(const struct check *check,
	struct check_verdict *verdict, const struct course_step *done,
	const char *command, const struct ends *ends)
{
	const struct shown_part *part =
		last_ended(check, done->number, command);

	if (done->skipped || done->end == COURSE_NEVER)
		return;
	if (part == NULL && is_needed(done, command, ends))
		check_fail(verdict,
			"step %u: no recording has the end of its command",
			done->number);
	if (part != NULL && part->status != done->status &&
		!has_ended(check, part, done->status))
		check_fail(verdict,
			"step %u: the recording has exit status %d, and the journal %d",
			done->number, part->status, done->status);
}

bool check_ended(const struct check *check, struct check_verdict *verdict,
	struct err *err)
{
	const struct account *account = check->account;
	struct ends *ends = calloc(check->course->log_count, sizeof(*ends));
	bool ok = true;

	if (ends == NULL)
		return err_nomem(err);
	/* More than that fail elsewhere. */
	if (find_ends(check->course, ends) > SHOWN_PARTS_MAX) {
		free(ends);
		return true;
	}
	for (size_t i = 0; ok && i < account->step_count; i++) {
		const struct account_step *step = &account->steps[i];
		struct buf command = BUF_EMPTY;

		ok = check_command(check, step->step, &command, err);
		if (ok && step->done != NULL && command.len > 0)
			judge_ended(check, verdict, step->done,
				buf_string(&command), ends);
		buf_free(&command);
	}
	free(ends);
	return ok;
}
