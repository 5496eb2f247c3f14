/* SPDX-License-Identifier: ISC */
/* Points of the check: what was asked for, and what was signed. */
#include "tools/ceremony/check.h"
#include "tools/ceremony/signers.h"

#include <string.h>

static bool in_a_log(const struct signers *signers, enum signers_what what,
	const char *digits)
{
	for (size_t i = 0; i < signers->count; i++)
		if (signers_has(&signers->logs[i].hashes[what], digits))
			return true;
	return false;
}

/* Was a command that signs typed, and, if that is asked, did its step end well?
 * What was before the log is in no recording. */
static bool was_typed(const struct check *check, bool ended)
{
	const struct course *course = check->course;

	for (size_t s = 0; course != NULL && s < course->step_count; s++) {
		const struct course_step *step = &course->steps[s];

		for (size_t i = 0; i < step->event_count; i++) {
			const struct course_event *event = &step->events[i];
			bool own = event->event == STEPS_COMMAND;

			if ((own || event->event == STEPS_OTHERWISE) &&
				!event->line->early &&
				signers_is(event->text) &&
				(!ended || (own && !step->skipped &&
						   step->end != COURSE_NEVER &&
						   step->status == 0)))
				return true;
		}
	}
	return false;
}

/* Each on the screen is in a log of the signer's, and the other way round. */
static size_t compare(const struct signers *signers, enum signers_what what,
	struct check_verdict *verdict)
{
	const struct signers_hashes *screen = &signers->screen[what];
	size_t count = screen->count;

	for (size_t i = 0; i < screen->count; i++)
		if (!in_a_log(signers, what, screen->all[i].digits))
			check_fail(verdict,
				"step %u: the screen has %s, and no log of " SIGNERS_PROGRAM
				" does",
				screen->all[i].step, screen->all[i].digits);
	for (size_t l = 0; l < signers->count; l++) {
		const struct signers_log *log = &signers->logs[l];

		if (log->why.kind != ERR_NONE)
			check_fail(verdict, "%s", log->why.text);
		for (size_t i = 0; i < log->hashes[what].count; i++)
			if (!signers_has(
				    screen, log->hashes[what].all[i].digits))
				check_fail(verdict,
					"%s has %s, and no recording shows it",
					log->file->path,
					log->hashes[what].all[i].digits);
		count += log->hashes[what].count;
	}
	return count;
}

static void look_for(const struct check *check,
	const struct signers_hashes *hashes, struct buf *missing, size_t *there)
{
	for (size_t i = 0; i < hashes->count; i++) {
		const char *digits = hashes->all[i].digits;

		if (signers_file(check, digits) != NULL)
			(*there)++;
		else if (strstr(buf_string(missing), digits) == NULL)
			buf_format(missing, "%s\n", digits);
	}
}

/* A response may be withheld, and a request that was refused is not kept. */
static void find_files(const struct check *check, const struct signers *signers,
	enum signers_what what, struct check_verdict *verdict)
{
	struct buf missing = BUF_EMPTY;
	size_t there = 0;

	look_for(check, &signers->screen[what], &missing, &there);
	for (size_t i = 0; i < signers->count; i++)
		look_for(check, &signers->logs[i].hashes[what], &missing,
			&there);
	for (const char *p = buf_string(&missing); *p != '\0';
		p += SIGNERS_DIGITS + 1) {
		if (there == 0)
			check_fail(verdict, "no file of the folder is %.*s",
				SIGNERS_DIGITS, p);
		else
			check_skip(verdict, "not in the folder: %.*s",
				SIGNERS_DIGITS, p);
	}
	buf_free(&missing);
}

/* Screen, signer's log and file have the same ones. */
static bool agree(const struct check *check, struct check_verdict *verdict,
	enum signers_what what, struct err *err)
{
	struct signers signers;
	bool ok = signers_read(check, &signers, err);

	if (ok && compare(&signers, what, verdict) > 0) {
		find_files(check, &signers, what, verdict);
		if (signers.screen[what].count > SIGNERS_HASHES_MAX)
			check_fail(verdict, "there are more than %d hashes",
				SIGNERS_HASHES_MAX);
	} else if (ok && was_typed(check, what == SIGNERS_RESPONSES)) {
		check_fail(verdict,
			"the journal has " SIGNERS_PROGRAM
			", and neither a recording nor a log of it has the hash");
	} else if (ok) {
		check_skip(verdict, "nothing was signed by " SIGNERS_PROGRAM);
	}
	signers_free(&signers);
	return ok;
}

bool check_request(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	return agree(check, verdict, SIGNERS_REQUESTS, err);
}

bool check_response(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	return agree(check, verdict, SIGNERS_RESPONSES, err);
}
