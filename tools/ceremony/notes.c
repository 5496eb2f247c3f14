/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/notes.h"

#include "lib/base/hex.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/say.h"

#include <inttypes.h>
#include <string.h>

struct notes {
	const struct account *account;
	struct buf *out;
	struct err *err;
};

/* "| name | text |", the text hostile. */
static void put_row(const struct notes *n, const char *name, const char *text)
{
	buf_format(n->out, "| %s | ", name);
	say_markdown(n->out, text);
	buf_text(n->out, " |\n");
}

static void put_table(const struct notes *n)
{
	const struct account *account = n->account;
	const struct course *course = account->course;
	struct buf text = BUF_EMPTY;

	buf_text(n->out, "| | |\n| --- | --- |\n");
	hex_encode(&text, account->hash, SHA256_LEN);
	put_row(n, "script, SHA-256", buf_string(&text));
	put_row(n, "release", account->release);
	if (account->script->disc != NULL) {
		put_row(n, "disc", account->script->disc);
		put_row(n, "disc, SHA-256", account->script->disc_sha256);
	}
	buf_clear(&text);
	say_time(&text, account->begin);
	buf_text(&text, " to ");
	say_time(&text, account->end);
	put_row(n, "time, UTC", buf_string(&text));
	buf_clear(&text);
	say_seconds(&text, (int64_t)account->planned * 60);
	put_row(n, "planned", buf_string(&text));
	buf_clear(&text);
	say_seconds(&text, account->begin != COURSE_NEVER
				   ? account->end - account->begin
				   : COURSE_NEVER);
	put_row(n, "taken", buf_string(&text));
	for (size_t i = 0; i < course->log_count; i++)
		put_row(n, "last line of the journal", course->logs[i].hash);
	buf_clear(&text);
	buf_format(&text, "%zu", course->exception_count);
	put_row(n, "exceptions", buf_string(&text));
	buf_free(&text);
}

static void put_problems(const struct notes *n)
{
	const struct course *course = n->account->course;

	for (size_t i = 0; i < course->problem_count; i++) {
		const struct course_problem *problem = &course->problems[i];

		buf_format(n->out,
			"\n**The log is not whole:** journal %zu, line %" PRIu64
			": ",
			problem->log + 1, problem->line);
		say_markdown(n->out, problem->text);
		buf_u8(n->out, '\n');
	}
}

static void put_finding(
	const struct notes *n, const struct account_finding *finding)
{
	buf_format(n->out, "\n> **%s", account_kind_name(finding->kind));
	if (finding->kind == ACCOUNT_EXCEPTION)
		buf_format(n->out, " %u", finding->number);
	buf_text(n->out, "**");
	if (finding->time != COURSE_NEVER) {
		buf_text(n->out, " (");
		say_clock(n->out, finding->time);
		buf_text(n->out, ")");
	}
	if (finding->text[0] != '\0') {
		buf_text(n->out, ": ");
		say_markdown(n->out, finding->text);
	}
	buf_u8(n->out, '\n');
}

static void put_findings(const struct notes *n, size_t step)
{
	for (size_t i = 0; i < n->account->finding_count; i++)
		if (n->account->findings[i].step == step)
			put_finding(n, &n->account->findings[i]);
}

/* Items */

static void put_line(
	const struct notes *n, const struct script_line *line, const char *text)
{
	static const char *const behind[] = {
		[LINE_TEXT] = "",
		[LINE_GLOB] = " (glob)",
		[LINE_REGEX] = " (re)",
		[LINE_ANSWER] = " ",
		[LINE_BREAK] = "",
	};

	buf_text(n->out, "    ");
	say_text(n->out, line->kind == LINE_BREAK ? "^C" : text);
	buf_text(n->out, behind[line->kind]);
	if (line->answer != NULL)
		say_text(n->out, line->answer);
	buf_u8(n->out, '\n');
}

static bool put_block(const struct notes *n, const struct script_item *item)
{
	const struct script *script = n->account->script;
	struct buf text = BUF_EMPTY;
	bool ok = true;

	if (item->kind == ITEM_COMMAND) {
		ok = script_expand(script, item->text, &text, n->err);
		buf_text(n->out, "    # ");
		say_text(n->out, buf_string(&text));
		buf_u8(n->out, '\n');
	}
	for (size_t i = 0; ok && i < item->line_count; i++) {
		buf_clear(&text);
		ok = item->lines[i].text == NULL ||
		     script_expand(script, item->lines[i].text, &text, n->err);
		put_line(n, &item->lines[i], buf_string(&text));
	}
	if (item->status != 0)
		buf_format(n->out, "    [%d]\n", item->status);
	buf_free(&text);
	return ok;
}

/* "(IW, 09:31:05)" */
static void put_who(const struct notes *n, const struct script_item *item,
	const struct course_event *event)
{
	buf_text(n->out, " (");
	say_markdown(n->out, item->role);
	if (event != NULL) {
		buf_text(n->out, ", ");
		say_clock(n->out, event->line->time);
	}
	buf_text(n->out, ")\n");
}

static void put_filled(const struct notes *n, const struct account_step *step,
	const struct script_item *item, const char *text)
{
	const struct course_event *event =
		step != NULL ? account_item(n->account, step, item) : NULL;

	if (item->kind == ITEM_CONFIRM) {
		buf_format(n->out, "- [%c] ", event != NULL ? 'x' : ' ');
		say_markdown(n->out, text);
	} else {
		buf_text(n->out, "- ");
		say_markdown(n->out, text);
		buf_text(n->out, ": ");
		if (event != NULL)
			say_markdown(n->out, event->text);
		else
			buf_text(n->out, "\\_\\_\\_\\_");
	}
	put_who(n, item, event);
}

static bool put_item(const struct notes *n, const struct account_step *step,
	const struct script_item *item)
{
	struct buf text = BUF_EMPTY;
	bool ok = true;

	buf_u8(n->out, '\n');
	if (item->kind == ITEM_COMMAND || item->kind == ITEM_SHOWN)
		return put_block(n, item);
	ok = script_expand(n->account->script, item->text, &text, n->err);
	if (ok && item->role != NULL) {
		put_filled(n, step, item, buf_string(&text));
	} else if (ok) {
		buf_text(n->out, item->kind == ITEM_NOTE ? "> " : "");
		say_paragraph(n->out, buf_string(&text));
	}
	buf_free(&text);
	return ok;
}

static bool put_items(const struct notes *n, const struct account_step *step,
	const struct script_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!put_item(n, step, &items[i]))
			return false;
	return true;
}

/* Steps */

static void put_times(const struct notes *n, const struct account_step *step)
{
	if (step->done == NULL) {
		if (step->after)
			buf_text(n->out, "\n> after the end of the log\n");
		return;
	}
	buf_text(n->out, "\n> ");
	say_time(n->out, step->done->begin);
	if (step->done->end == COURSE_NEVER) {
		buf_text(n->out, " UTC; no end of it is in the log");
	} else {
		buf_text(n->out, " to ");
		say_clock(n->out, step->done->end);
		buf_text(n->out, " UTC, ");
		say_seconds(n->out, step->taken);
	}
	if (step->step->minutes > 0)
		buf_format(n->out, " (planned %u min)", step->step->minutes);
	if (step->paused > 0) {
		buf_text(n->out, ", paused ");
		say_seconds(n->out, step->paused);
	}
	if (step->begun > 1)
		buf_format(n->out, ", begun %zu times", step->begun);
	buf_u8(n->out, '\n');
}

static void put_remarks(const struct notes *n, const struct account_step *step)
{
	for (size_t i = 0; step->done != NULL && i < step->done->event_count;
		i++) {
		const struct course_event *event = &step->done->events[i];

		if (event->event != STEPS_NOTE)
			continue;
		buf_text(n->out, "\n> **note** (");
		say_clock(n->out, event->line->time);
		buf_text(n->out, "): ");
		say_markdown(n->out, event->text);
		buf_u8(n->out, '\n');
	}
}

static bool put_step(const struct notes *n, size_t place)
{
	const struct account_step *step = &n->account->steps[place];

	buf_format(n->out, "\n## %u. ", step->step->number);
	say_markdown(n->out, step->step->title);
	buf_text(n->out, " {");
	for (size_t i = 0; i < step->step->role_count; i++) {
		buf_text(n->out, i > 0 ? " " : "");
		say_markdown(n->out, step->step->roles[i]);
	}
	if (step->step->minutes > 0)
		buf_format(n->out, ", %u min", step->step->minutes);
	buf_text(n->out, "}\n");
	put_times(n, step);
	if (!put_items(n, step, step->step->items, step->step->item_count))
		return false;
	put_remarks(n, step);
	put_findings(n, place);
	return true;
}

static bool put_acts(const struct notes *n)
{
	const struct account *account = n->account;
	const struct script_act *act = NULL;

	for (size_t i = 0; i < account->step_count; i++) {
		if (account->steps[i].act != act) {
			act = account->steps[i].act;
			buf_text(n->out, "\n# ");
			say_markdown(n->out, act->title);
			buf_u8(n->out, '\n');
			if (!put_items(n, NULL, act->items, act->item_count))
				return false;
		}
		if (!put_step(n, i))
			return false;
	}
	return true;
}

bool notes_write(
	const struct account *account, struct buf *out, struct err *err)
{
	struct notes n = {.account = account, .out = out, .err = err};
	const struct script *script = account->script;

	buf_text(out, "# ");
	if (script->ceremony != NULL) {
		buf_text(out, "Ceremony ");
		say_markdown(out, script->ceremony);
		buf_text(out, script->title != NULL ? ": " : "");
	}
	say_markdown(out, script->title != NULL ? script->title : "");
	buf_text(out, "\n\nAnnotated: what was done, and when.\n\n");
	put_table(&n);
	put_problems(&n);
	put_findings(&n, SIZE_MAX);
	return put_items(&n, NULL, script->items, script->item_count) &&
	       put_acts(&n) && buf_ok(out, err);
}
