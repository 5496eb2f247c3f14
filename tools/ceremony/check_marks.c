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
	size_t a = strlen(one), b = strlen(two);

	while (a > 0 && one[a - 1] == ' ')
		a--;
	while (b > 0 && two[b - 1] == ' ')
		b--;
	return a == b && memcmp(one, two, a) == 0;
}

/* Seconds in which bytes may be in a recording and not vouched for yet. */
#define UNVOUCHED 2

/* What of each log need not be in a recording. */
struct ends {
	/* The last command, with which the recording may end; or NULL. */
	const struct course_event *last;
	/* Where the power was cut, what came later. */
	int64_t cut;
};

/* Is it a command of the journal that must be in a recording of its log? */
static bool is_counted(
	const struct course_event *event, const struct ends *ends, size_t log)
{
	return is_command(event) && !event->line->early &&
	       event->line->log == log && event != ends[log].last &&
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

static void find_cuts(const struct course *course, struct ends *ends)
{
	for (size_t i = 0; i < course->log_count; i++)
		ends[i].cut = INT64_MAX;
	for (size_t i = 0; i < course->line_count; i++) {
		const struct course_line *line = &course->lines[i];

		if (!line->early && !course->logs[line->log].ended)
			ends[line->log].cut = line->time - UNVOUCHED;
	}
}

/* How many commands there are. */
static size_t find_ends(const struct course *course, struct ends *ends)
{
	size_t count = 0;

	find_cuts(course, ends);
	for (size_t s = 0; s < course->step_count; s++)
		for (size_t i = 0; i < course->steps[s].event_count; i++) {
			const struct course_event *event =
				&course->steps[s].events[i];
			struct ends *its = &ends[event->line->log];

			count += is_command(event);
			if (is_command(event) && !event->line->early &&
				(its->last == NULL ||
					its->last->line < event->line))
				its->last = event;
		}
	return count;
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
		for (size_t s = 0; s < course->step_count; s++)
			check_events(check, verdict, &course->steps[s], ends);
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

void check_ended(const struct check *check, struct check_verdict *verdict,
	const struct course_step *done, const char *command)
{
	const struct shown_part *part =
		last_ended(check, done->number, command);

	if (done->skipped || done->end == COURSE_NEVER || part == NULL ||
		part->status == done->status ||
		has_ended(check, part, done->status))
		return;
	check_fail(verdict,
		"step %u: the recording has exit status %d, and the journal %d",
		done->number, part->status, done->status);
}
