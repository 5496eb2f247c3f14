/* SPDX-License-Identifier: ISC */
/* The annotated script, and what went otherwise. */
#include "tools/ceremony/say.h"
#include "tools/ceremony/sitepart.h"

#include <string.h>

/* Exceptions and deviations */

static void put_step_cell(
	struct markup *m, const struct account *account, size_t place)
{
	struct buf text = BUF_EMPTY, address = BUF_EMPTY;

	markup_open(m, "td");
	if (place < account->step_count) {
		const struct script_step *step = account->steps[place].step;

		buf_format(&address, "#step-%u", step->number);
		buf_format(&text, "%u. %s", step->number, step->title);
		markup_open(m, "a");
		markup_attribute(m, "href", buf_string(&address));
		part_text(m, buf_string(&text));
		markup_close(m);
	}
	markup_close(m);
	buf_free(&address);
	buf_free(&text);
}

static void put_finding(struct markup *m, const struct account *account,
	const struct account_finding *found)
{
	struct buf text = BUF_EMPTY;

	buf_text(&text, account_kind_name(found->kind));
	if (found->kind == ACCOUNT_EXCEPTION)
		buf_format(&text, " %u", found->number);
	markup_open(m, "tr");
	markup_open(m, "th");
	markup_attribute(m, "scope", "row");
	markup_text(m, buf_string(&text));
	markup_close(m);
	put_step_cell(m, account, found->step);
	buf_clear(&text);
	say_clock(&text, found->time);
	part_put(m, "td", "time", buf_string(&text));
	part_put(m, "td", NULL, found->text);
	markup_close(m);
	buf_free(&text);
}

bool part_findings(const struct site *site, struct markup *m, struct err *err)
{
	static const char *const heads[] = {
		"What", "Step", "Time (UTC)", "Text"};
	const struct account *account = site->account;

	(void)err;
	if (account->finding_count == 0) {
		part_put(m, "p", "good",
			"None: everything was done as it is written.");
		return true;
	}
	part_table(m, "What went otherwise", heads,
		sizeof(heads) / sizeof(*heads));
	for (size_t i = 0; i < account->finding_count; i++)
		put_finding(m, account, &account->findings[i]);
	part_table_end(m);
	return true;
}

/* The annotated script */

struct steps {
	const struct account *account;
	struct markup *m;
	struct err *err;
};

static bool put_expanded(const struct steps *s, const char *name,
	const char *class, const char *before, const char *text)
{
	struct buf line = BUF_EMPTY;
	bool ok;

	buf_text(&line, before);
	ok = script_expand(s->account->script, text, &line, s->err);
	if (ok)
		part_put(s->m, name, class, buf_string(&line));
	buf_free(&line);
	return ok;
}

static bool put_block(const struct steps *s, const struct script_item *item)
{
	const struct script *script = s->account->script;
	struct buf text = BUF_EMPTY;
	bool ok = true;

	if (item->kind == ITEM_COMMAND) {
		buf_text(&text, "# ");
		ok = script_expand(script, item->text, &text, s->err);
		buf_u8(&text, '\n');
	}
	for (size_t i = 0; ok && i < item->line_count; i++) {
		const struct script_line *line = &item->lines[i];

		ok = line->text == NULL ||
		     script_expand(script, line->text, &text, s->err);
		if (line->kind == LINE_BREAK)
			buf_text(&text, "^C");
		if (line->answer != NULL)
			buf_format(&text, " %s", line->answer);
		buf_u8(&text, '\n');
	}
	if (item->status != 0)
		buf_format(&text, "[%d]\n", item->status);
	if (ok) {
		markup_open(s->m, "pre");
		part_lines(s->m, buf_string(&text));
		markup_close(s->m);
	}
	buf_free(&text);
	return ok;
}

/* "IW, 09:31:05: text", or what is missing. */
static bool put_filled(const struct steps *s, const struct account_step *step,
	const struct script_item *item)
{
	const struct course_event *event =
		step != NULL ? account_item(s->account, step, item) : NULL;
	struct buf text = BUF_EMPTY;
	bool ok;

	buf_text(&text, event == NULL                ? "\342\230\220 "
			: item->kind == ITEM_CONFIRM ? "\342\230\221 "
						     : "");
	buf_format(&text, "%s: ", item->role);
	ok = script_expand(s->account->script, item->text, &text, s->err);
	if (ok && item->kind == ITEM_VALUE)
		buf_format(&text, ": %s", event != NULL ? event->text : "____");
	if (ok && event != NULL) {
		buf_text(&text, " (");
		say_clock(&text, event->line->time);
		buf_text(&text, ")");
	}
	if (ok)
		part_put(s->m, "p", NULL, buf_string(&text));
	buf_free(&text);
	return ok;
}

static bool put_item(const struct steps *s, const struct account_step *step,
	const struct script_item *item)
{
	switch (item->kind) {
	case ITEM_TEXT:
		return put_expanded(s, "p", NULL, "", item->text);
	case ITEM_NOTE:
		return put_expanded(s, "p", "note", "", item->text);
	case ITEM_COMMAND:
	case ITEM_SHOWN:
		return put_block(s, item);
	case ITEM_CONFIRM:
	case ITEM_VALUE:
		return put_filled(s, step, item);
	}
	return true;
}

static bool put_items(const struct steps *s, const struct account_step *step,
	const struct script_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!put_item(s, step, &items[i]))
			return false;
	return true;
}

static void put_remark(const struct steps *s, const char *kind,
	const char *class, int64_t time, const char *text)
{
	struct buf line = BUF_EMPTY;

	buf_text(&line, kind);
	if (time != COURSE_NEVER) {
		buf_text(&line, " (");
		say_clock(&line, time);
		buf_text(&line, ")");
	}
	if (text[0] != '\0')
		buf_format(&line, ": %s", text);
	part_put(s->m, "p", class, buf_string(&line));
	buf_free(&line);
}

static void put_otherwise(
	const struct steps *s, const struct account_finding *found)
{
	struct buf kind = BUF_EMPTY;

	buf_text(&kind, account_kind_name(found->kind));
	if (found->kind == ACCOUNT_EXCEPTION)
		buf_format(&kind, " %u", found->number);
	put_remark(s, buf_string(&kind), "otherwise", found->time, found->text);
	buf_free(&kind);
}

static void put_remarks(const struct steps *s, size_t place)
{
	const struct course_step *done = s->account->steps[place].done;

	for (size_t i = 0; done != NULL && i < done->event_count; i++)
		if (done->events[i].event == STEPS_NOTE)
			put_remark(s, "note", "note",
				done->events[i].line->time,
				done->events[i].text);
	for (size_t i = 0; i < s->account->finding_count; i++) {
		const struct account_finding *found = &s->account->findings[i];

		if (found->step == place)
			put_otherwise(s, found);
	}
}

static void put_initials(const struct steps *s, const struct script_step *step)
{
	struct buf text = BUF_EMPTY;

	for (size_t i = 0; i < step->role_count; i++)
		buf_format(&text, "%s%s", i > 0 ? ", " : "", step->roles[i]);
	part_put(s->m, "td", NULL, buf_string(&text));
	buf_free(&text);
}

static void put_times(const struct steps *s, const struct account_step *step)
{
	struct buf text = BUF_EMPTY;

	markup_open(s->m, "td");
	markup_attribute(s->m, "class", "time");
	if (step->done != NULL) {
		say_clock(&text, step->done->begin);
		part_text(s->m, buf_string(&text));
		markup_open(s->m, "br");
		markup_close(s->m);
		buf_clear(&text);
		say_clock(&text, step->done->end);
		part_text(s->m, buf_string(&text));
	} else if (step->after) {
		markup_text(s->m, "after the log");
	}
	markup_close(s->m);
	buf_free(&text);
}

static bool put_step(const struct steps *s, size_t place)
{
	const struct account_step *step = &s->account->steps[place];
	struct buf text = BUF_EMPTY;
	bool ok;

	buf_format(&text, "step-%u", step->step->number);
	markup_open(s->m, "tr");
	markup_attribute(s->m, "id", buf_string(&text));
	buf_clear(&text);
	buf_format(&text, "%u", step->step->number);
	markup_open(s->m, "th");
	markup_attribute(s->m, "scope", "row");
	markup_text(s->m, buf_string(&text));
	markup_close(s->m);
	markup_open(s->m, "td");
	part_put(s->m, "strong", NULL, step->step->title);
	ok = put_items(s, step, step->step->items, step->step->item_count);
	put_remarks(s, place);
	markup_close(s->m);
	put_initials(s, step->step);
	put_times(s, step);
	markup_close(s->m);
	buf_free(&text);
	return ok;
}

/* The steps of one act, from the one at *place on. */
static bool put_act(const struct steps *s, size_t *place)
{
	static const char *const heads[] = {
		"Step", "Activity", "Who", "Time (UTC)"};
	const struct script_act *act = s->account->steps[*place].act;
	bool ok;

	part_put(s->m, "h3", NULL, act->title);
	ok = put_items(s, NULL, act->items, act->item_count);
	part_table(s->m, "Steps of this act", heads,
		sizeof(heads) / sizeof(*heads));
	while (ok && *place < s->account->step_count &&
		s->account->steps[*place].act == act)
		ok = put_step(s, (*place)++);
	part_table_end(s->m);
	return ok;
}

static void put_roles(const struct steps *s)
{
	static const char *const heads[] = {"Role", "Name of the role"};
	const struct script *script = s->account->script;

	part_table(s->m, "Roles", heads, 2);
	for (size_t i = 0; i < script->role_count; i++) {
		markup_open(s->m, "tr");
		markup_open(s->m, "th");
		markup_attribute(s->m, "scope", "row");
		part_text(s->m, script->roles[i].name);
		markup_close(s->m);
		part_put(s->m, "td", NULL, script->roles[i].text);
		markup_close(s->m);
	}
	part_table_end(s->m);
}

bool part_steps(const struct site *site, struct markup *m, struct err *err)
{
	struct steps s = {.account = site->account, .m = m, .err = err};
	const struct script *script = site->account->script;
	size_t place = 0;
	bool ok;

	put_roles(&s);
	ok = put_items(&s, NULL, script->items, script->item_count);
	while (ok && place < site->account->step_count)
		ok = put_act(&s, &place);
	return ok;
}
