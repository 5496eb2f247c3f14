/* SPDX-License-Identifier: ISC */
/* Points of the check: the script and what was done. */
#include "lib/base/text.h"
#include "tools/ceremony/check.h"
#include "tools/ceremony/folder.h"

#include <inttypes.h>
#include <string.h>

static bool is_there(struct check *check, struct check_verdict *verdict)
{
	if (check->account == NULL)
		check_skip(verdict,
			"the script and the log could not be compared");
	return check->account != NULL;
}

/* The beginnings of exceptions that run writes by itself (run.c). */
#define BY_STATUS "exit status "
#define BY_COMMAND "another command: "
#define BY_CUT "the log in " /* play.c */
#define BY_CUT_MIDDLE " was cut after line "

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/*
 * Does this exception stand for a finding of that kind?  What run writes by
 * itself is for that one thing; what people wrote is for any, but for a
 * confirmation: it cannot be missing where the step was not left out.
 */
static bool stands_for(
	const char *exception, enum account_kind kind, const char *text)
{
	bool by_people = !begins(exception, BY_STATUS) &&
			 !begins(exception, BY_COMMAND) &&
			 (!begins(exception, BY_CUT) ||
				 strstr(exception, BY_CUT_MIDDLE) == NULL);

	switch (kind) {
	case ACCOUNT_UNCONFIRMED:
	case ACCOUNT_OPEN:
		return false;
	case ACCOUNT_OTHERWISE:
		return begins(exception, BY_COMMAND) &&
		       strcmp(exception + strlen(BY_COMMAND), text) == 0;
	case ACCOUNT_STATUS:
		return begins(exception, BY_STATUS);
	default:
		return by_people;
	}
}

static bool is_excepted(const struct check *check, unsigned step,
	enum account_kind kind, const char *text)
{
	const struct course *course = check->account->course;

	for (size_t i = 0; i < course->exception_count; i++)
		if (course->exceptions[i].step == step &&
			stands_for(course->exceptions[i].text, kind, text))
			return true;
	return false;
}

bool check_script(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	(void)err;
	if (check->account == NULL)
		check_fail(verdict, "%s", check->account_why.text);
	return true;
}

/* Findings of a kind that no exception stands for. */
static void judge(struct check *check, struct check_verdict *verdict,
	enum account_kind kind, const char *what)
{
	const struct account *account = check->account;

	for (size_t i = 0; i < account->finding_count; i++) {
		const struct account_finding *found = &account->findings[i];
		unsigned number;

		if (found->kind != kind || found->step >= account->step_count)
			continue;
		number = account->steps[found->step].step->number;
		if (!is_excepted(check, number, kind, found->text))
			check_fail(verdict,
				"step %u: %s, and no exception for it: %s",
				number, what, found->text);
	}
}

/* Steps that have a place in the script are begun in its order. */
static void check_order(struct check *check, struct check_verdict *verdict)
{
	const struct course *course = check->account->course;
	unsigned last = 0;

	for (size_t i = 0; i < course->step_count; i++) {
		unsigned number = course->steps[i].number;
		bool known = false;

		for (size_t s = 0; s < check->account->step_count; s++)
			known = known ||
				check->account->steps[s].step->number == number;
		if (!known)
			check_fail(verdict,
				"step %u: the script has no such step", number);
		else if (number < last)
			check_fail(verdict, "step %u was begun after step %u",
				number, last);
		else
			last = number;
	}
}

/* Where the log ends, the step that ends it must be the one. */
static void check_after(struct check *check, struct check_verdict *verdict)
{
	const struct account *account = check->account;
	static const char ends[] = "ceremony-log finish";

	for (size_t i = 0; i < account->step_count; i++) {
		const struct account_step *step = &account->steps[i];
		bool finishes = false;

		if (!step->after)
			continue;
		for (size_t k = 0;
			step->done != NULL && k < step->done->event_count; k++)
			finishes =
				finishes ||
				(step->done->events[k].event == STEPS_COMMAND &&
					strncmp(step->done->events[k].text,
						ends, strlen(ends)) == 0);
		if (!finishes)
			check_fail(verdict,
				"step %u: the log ends before it, and not by its command",
				step->step->number);
		break;
	}
}

bool check_steps(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	(void)err;
	if (!is_there(check, verdict))
		return true;
	judge(check, verdict, ACCOUNT_OPEN, "not done");
	judge(check, verdict, ACCOUNT_SKIPPED, "left out");
	check_order(check, verdict);
	check_after(check, verdict);
	return true;
}

bool check_command(const struct check *check, const struct script_step *step,
	struct buf *out, struct err *err)
{
	for (size_t i = 0; i < step->item_count; i++)
		if (step->items[i].kind == ITEM_COMMAND)
			return script_expand(check->account->script,
				step->items[i].text, out, err);
	return true;
}

static bool check_typed(struct check *check, struct check_verdict *verdict,
	const struct account_step *step, struct err *err)
{
	struct buf command = BUF_EMPTY;
	bool ok = check_command(check, step->step, &command, err);
	size_t ran = 0;

	for (size_t i = 0; ok && i < step->done->event_count; i++) {
		const struct course_event *event = &step->done->events[i];

		if (event->event != STEPS_COMMAND)
			continue;
		ran++;
		if (strcmp(event->text, buf_string(&command)) != 0)
			check_fail(verdict,
				"step %u: typed was %s, and the script has %s",
				step->step->number, event->text,
				command.len > 0 ? buf_string(&command)
						: "none");
	}
	if (ok && command.len > 0 && ran == 0 && !step->done->skipped)
		check_fail(verdict, "step %u: its command was never run",
			step->step->number);
	buf_free(&command);
	return ok;
}

bool check_commands(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	bool ok = true;

	if (!is_there(check, verdict))
		return true;
	judge(check, verdict, ACCOUNT_OTHERWISE, "another command");
	for (size_t i = 0; ok && i < check->account->step_count; i++)
		if (check->account->steps[i].done != NULL)
			ok = check_typed(
				check, verdict, &check->account->steps[i], err);
	return ok && check_marks(check, verdict, err);
}

bool check_status(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	if (!is_there(check, verdict))
		return true;
	judge(check, verdict, ACCOUNT_STATUS, "exit status");
	return check_ended(check, verdict, err);
}

bool check_seen(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	(void)err;
	if (!is_there(check, verdict))
		return true;
	judge(check, verdict, ACCOUNT_UNSEEN, "not seen");
	for (size_t i = 0; i < check->shown.loss_count; i++)
		check_fail(verdict, "%s", check->shown.losses[i].why.text);
	if (check->shown.full)
		check_fail(verdict, "the recordings have more than %d commands",
			SHOWN_PARTS_MAX);
	if (check->shown.count == 0)
		check_fail(verdict, "no recording shows a step");
	return true;
}

bool check_confirmed(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	(void)err;
	if (is_there(check, verdict))
		judge(check, verdict, ACCOUNT_UNCONFIRMED, "not confirmed");
	return true;
}

bool check_exceptions(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	const struct account *account = check->account;

	(void)err;
	if (!is_there(check, verdict))
		return true;
	for (size_t i = 0; i < account->finding_count; i++)
		if (account->findings[i].kind == ACCOUNT_EXCEPTION &&
			account->findings[i].step >= account->step_count)
			check_fail(verdict,
				"exception %u is at a step that the script does not have",
				account->findings[i].number);
	for (size_t i = 0; i < account->course->exception_count; i++)
		if (account->course->exceptions[i].number != i + 1)
			check_fail(verdict, "exception %zu is missing", i + 1);
	return true;
}
