/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/pages.h"

#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/cli/words.h"
#include "tools/ceremony/say.h"
#include "tools/paper/form.h"

#include <string.h>

#define SIGNED_ROW 27.0 /* high enough for a signature */
#define WORDS_A_LINE 8

static const struct form_table facts = {
	(const struct form_column[]){{"", 92}, {"", 0}}, 2};
static const struct form_table people = {
	(const struct form_column[]){{"Role", 118}, {"Name", 0},
		{"Signature", 138}, {"Date, time (UTC)", 92}},
	4};
static const struct form_table steps = {
	(const struct form_column[]){
		{"Step", 32}, {"Activity", 0}, {"Initials", 50}, {"Time", 50}},
	4};

struct paging {
	const struct pages *pages;
	const struct account_step *done; /* of this step; or NULL */
	struct form *form;
	struct err *err;
};

static void put_fact(const struct paging *p, const char *name, const char *text)
{
	form_row(p->form, &facts, 0);
	form_put(p->form, 0, FORM_STRONG, name);
	form_put(p->form, 1, FORM_TEXT, text);
}

/* As digits, and below as words in lines. */
static void put_hash(
	const struct paging *p, const char *name, const uint8_t *hash)
{
	struct buf text = BUF_EMPTY;

	hex_encode(&text, hash, SHA256_LEN);
	put_fact(p, name, buf_string(&text));
	for (size_t i = 0; i < SHA256_LEN; i += WORDS_A_LINE) {
		buf_clear(&text);
		words_write(&text, hash + i, WORDS_A_LINE, 0);
		form_put(p->form, 1, FORM_TEXT, buf_string(&text));
	}
	buf_free(&text);
}

static bool put_disc(const struct paging *p)
{
	const struct script *script = p->pages->script;
	struct buf hash = BUF_EMPTY;
	bool ok;

	if (script->disc == NULL)
		return true;
	put_fact(p, "Disc", script->disc);
	ok = hex_decode(script->disc_sha256, &hash, p->err);
	if (ok)
		put_hash(p, "its SHA-256", hash.data);
	buf_free(&hash);
	return ok;
}

static unsigned planned(const struct script *script, size_t *count)
{
	unsigned minutes = 0;

	*count = 0;
	for (size_t a = 0; a < script->act_count; a++)
		for (size_t s = 0; s < script->acts[a].step_count; s++) {
			minutes += script->acts[a].steps[s].minutes;
			(*count)++;
		}
	return minutes;
}

static void put_title(const struct paging *p)
{
	const struct script *script = p->pages->script;
	struct buf text = BUF_EMPTY;
	unsigned minutes;
	size_t count;

	if (script->ceremony != NULL) {
		buf_format(&text, "Ceremony %s", script->ceremony);
		form_title(p->form, buf_string(&text));
		buf_clear(&text);
	}
	if (script->title != NULL)
		form_title(p->form, script->title);
	minutes = planned(script, &count);
	buf_format(&text, "%zu acts, %zu steps, ", script->act_count, count);
	if (minutes >= 60)
		buf_format(&text, "%u h ", minutes / 60);
	buf_format(&text, "%u min", minutes % 60);
	put_fact(p, "Planned", buf_string(&text));
	buf_free(&text);
}

static void put_people(const struct paging *p)
{
	const struct script *script = p->pages->script;
	struct buf text = BUF_EMPTY;

	form_head(p->form, "Participants");
	for (size_t i = 0; i < script->role_count; i++) {
		form_row(p->form, &people, SIGNED_ROW);
		buf_clear(&text);
		buf_text(&text, script->roles[i].name);
		form_put(p->form, 0, FORM_STRONG, buf_string(&text));
		form_put(p->form, 0, FORM_FINE, script->roles[i].text);
	}
	form_text(p->form, FORM_FINE,
		"Who signs has been there, and has seen that the steps were done as they are initialled. Every deviation is on an exception sheet.");
	buf_free(&text);
}

/* Activity */

static bool put_expanded(const struct paging *p, enum form_style style,
	const char *before, const char *text, const char *behind)
{
	struct buf line = BUF_EMPTY;
	bool ok;

	buf_text(&line, before);
	ok = script_expand(p->pages->script, text, &line, p->err);
	if (ok) {
		buf_text(&line, behind);
		form_put(p->form, 1, style, buf_string(&line));
	}
	buf_free(&line);
	return ok;
}

static bool put_line(const struct paging *p, const struct script_line *line)
{
	switch (line->kind) {
	case LINE_TEXT:
	case LINE_GLOB:
		return put_expanded(p, FORM_SHOWN, "", line->text, "");
	case LINE_REGEX:
		return put_expanded(
			p, FORM_SHOWN, "", line->text, "  (pattern)");
	case LINE_ANSWER:
		return put_expanded(p, FORM_SHOWN, "", line->text, "") &&
		       put_expanded(
			       p, FORM_COMMAND, "type: ", line->answer, "");
	case LINE_BREAK:
		form_put(p->form, 1, FORM_COMMAND, "press Ctrl-C");
		return true;
	}
	return true;
}

static bool put_block(const struct paging *p, const struct script_item *item)
{
	struct buf status = BUF_EMPTY;
	bool ok = true;

	if (item->kind == ITEM_COMMAND)
		ok = put_expanded(p, FORM_COMMAND, "# ", item->text, "");
	else
		form_put(p->form, 1, FORM_FINE, "The screen says:");
	for (size_t i = 0; ok && i < item->line_count; i++)
		ok = put_line(p, &item->lines[i]);
	if (ok && item->status != 0) {
		buf_format(&status, "ends with exit status %d", item->status);
		form_put(p->form, 1, FORM_FINE, buf_string(&status));
	}
	buf_free(&status);
	return ok;
}

/* With its text; of hostile text, what can be seen. */
static void put_written(const struct paging *p, size_t column,
	const char *before, const char *text)
{
	struct buf line = BUF_EMPTY;

	buf_text(&line, before);
	say_text(&line, text);
	form_put(p->form, column, FORM_WRITTEN, buf_string(&line));
	buf_free(&line);
}

static void put_clock(const struct paging *p, size_t column, int64_t time)
{
	struct buf text = BUF_EMPTY;

	say_clock(&text, time);
	form_put(p->form, column, FORM_WRITTEN, buf_string(&text));
	buf_free(&text);
}

/* A confirmation or a value: blank, or as it was filled in. */
static bool put_filled(const struct paging *p, const struct script_item *item)
{
	const struct course_event *event =
		p->done != NULL ? account_item(p->pages->account, p->done, item)
				: NULL;
	struct buf role = BUF_EMPTY;
	bool ok;

	if (item->kind == ITEM_CONFIRM) {
		buf_format(&role, "%s: ", item->role);
		ok = put_expanded(p, event != NULL ? FORM_TICKED : FORM_BOX,
			buf_string(&role), item->text, "");
	} else if (event == NULL) {
		ok = put_expanded(p, FORM_BLANK, "", item->text, ":");
	} else {
		ok = put_expanded(p, FORM_TEXT, "", item->text, ":");
		put_written(p, 1, "", event->text);
	}
	buf_free(&role);
	form_put(p->form, 2, event != NULL ? FORM_WRITTEN : FORM_INITIAL,
		item->role);
	if (event != NULL)
		put_clock(p, 3, event->line->time);
	return ok;
}

static bool put_item(const struct paging *p, const struct script_item *item)
{
	form_band(p->form);
	switch (item->kind) {
	case ITEM_TEXT:
		return put_expanded(p, FORM_TEXT, "", item->text, "");
	case ITEM_NOTE:
		return put_expanded(p, FORM_NOTE, "", item->text, "");
	case ITEM_COMMAND:
	case ITEM_SHOWN:
		return put_block(p, item);
	case ITEM_CONFIRM:
	case ITEM_VALUE:
		return put_filled(p, item);
	}
	return true;
}

static bool put_items(
	const struct paging *p, const struct script_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!put_item(p, &items[i]))
			return err_prefix(p->err, "%s:%zu",
				p->pages->script->path, items[i].line);
	return true;
}

static void put_finding(
	const struct paging *p, const struct account_finding *finding)
{
	struct buf text = BUF_EMPTY;

	form_band(p->form);
	buf_text(&text, account_kind_name(finding->kind));
	if (finding->kind == ACCOUNT_EXCEPTION)
		buf_format(&text, " %u", finding->number);
	buf_text(&text, finding->text[0] != '\0' ? ": " : "");
	put_written(p, 1, buf_string(&text), finding->text);
	if (finding->time != COURSE_NEVER)
		put_clock(p, 3, finding->time);
	buf_free(&text);
}

/* What was written beside the step. */
static void put_remarks(const struct paging *p)
{
	const struct account *account = p->pages->account;
	const struct course_step *done = p->done->done;

	for (size_t i = 0; done != NULL && i < done->event_count; i++)
		if (done->events[i].event == STEPS_NOTE) {
			form_band(p->form);
			put_written(p, 1, "note: ", done->events[i].text);
			put_clock(p, 3, done->events[i].line->time);
		}
	for (size_t i = 0; i < account->finding_count; i++)
		if (account->findings[i].step ==
			(size_t)(p->done - account->steps))
			put_finding(p, &account->findings[i]);
}

/* Roles and minutes, those that it took behind them. */
static void put_plan(const struct paging *p, const struct script_step *step)
{
	struct buf text = BUF_EMPTY;

	for (size_t i = 0; i < step->role_count; i++)
		buf_format(&text, "%s%s", i > 0 ? ", " : "", step->roles[i]);
	if (step->minutes > 0)
		buf_format(&text, "   %u min", step->minutes);
	if (p->done != NULL && p->done->taken >= 0) {
		buf_text(&text, "; taken: ");
		say_seconds(&text, p->done->taken);
	}
	if (p->done != NULL && p->done->paused > 0) {
		buf_text(&text, ", paused ");
		say_seconds(&text, p->done->paused);
	}
	form_put(p->form, 1, FORM_FINE, buf_string(&text));
	buf_free(&text);
}

static bool put_step(struct paging *p, const struct script_step *step)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	form_row(p->form, &steps, 30);
	buf_format(&text, "%u", step->number);
	form_put(p->form, 0, FORM_STRONG, buf_string(&text));
	form_put(p->form, 1, FORM_STRONG, step->title);
	if (p->done != NULL && p->done->done != NULL) {
		put_clock(p, 3, p->done->done->begin);
		put_clock(p, 3, p->done->done->end);
	}
	put_plan(p, step);
	ok = buf_ok(&text, p->err) &&
	     put_items(p, step->items, step->item_count);
	if (ok && p->done != NULL)
		put_remarks(p);
	buf_free(&text);
	return ok;
}

/* Before the first step of a script or an act: a row without a number. */
static bool put_before(
	const struct paging *p, const struct script_item *items, size_t count)
{
	if (count == 0)
		return true;
	form_row(p->form, &steps, 0);
	return put_items(p, items, count);
}

/* What is read before the day, across the page. */
static bool put_preface(const struct paging *p)
{
	const struct script *script = p->pages->script;

	for (size_t i = 0; i < script->item_count; i++)
		if (script->items[i].kind != ITEM_TEXT &&
			script->items[i].kind != ITEM_NOTE)
			return put_before(
				p, script->items + i, script->item_count - i);
		else
			form_text(p->form, FORM_TEXT, script->items[i].text);
	return true;
}

static bool put_acts(struct paging *p)
{
	const struct script *script = p->pages->script;

	const struct account *account = p->pages->account;
	size_t place = 0;

	form_page(p->form);
	if (!put_preface(p))
		return false;
	for (size_t a = 0; a < script->act_count; a++) {
		const struct script_act *act = &script->acts[a];

		form_head(p->form, act->title);
		if (!put_before(p, act->items, act->item_count))
			return false;
		for (size_t s = 0; s < act->step_count; s++, place++) {
			p->done =
				account != NULL ? &account->steps[place] : NULL;
			if (!put_step(p, &act->steps[s]))
				return false;
		}
		p->done = NULL;
	}
	return true;
}

/* Blank, or what is known of one exception. */
static void put_sheet(
	const struct paging *p, const struct course_exception *exception)
{
	static const struct {
		const char *name;
		double height;
	} parts[] = {
		{"Exception number", 28},
		{"At step", 28},
		{"Time (UTC)", 28},
		{"Expected", 100},
		{"Happened", 118},
		{"Decided", 100},
		{"By whom", 40},
	};
	struct buf texts[sizeof(parts) / sizeof(*parts)] = {BUF_EMPTY};

	form_page(p->form);
	form_title(p->form, "Exception");
	if (exception != NULL) {
		buf_format(&texts[0], "%u", exception->number);
		buf_format(&texts[1], "%u", exception->step);
		say_time(&texts[2], exception->line->time);
		buf_text(&texts[4], exception->text);
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		form_row(p->form, &facts, parts[i].height);
		form_put(p->form, 0, FORM_STRONG, parts[i].name);
		if (texts[i].len > 0)
			put_written(p, 1, "", buf_string(&texts[i]));
		buf_free(&texts[i]);
	}
	form_head(p->form, "Seen and signed");
	for (size_t i = 0; i < 2; i++)
		form_row(p->form, &people, SIGNED_ROW);
}

/* When it was, and what is wrong with the log. */
static void put_course(const struct paging *p)
{
	const struct account *account = p->pages->account;
	const struct course *course = account->course;
	struct buf text = BUF_EMPTY;

	say_time(&text, account->begin);
	buf_text(&text, " to ");
	say_time(&text, account->end);
	buf_text(&text, " UTC");
	put_fact(p, "Done", buf_string(&text));
	for (size_t i = 0; i < course->log_count; i++)
		put_fact(p, "Log's last line", course->logs[i].hash);
	for (size_t i = 0; i < course->problem_count; i++) {
		buf_clear(&text);
		buf_format(&text, "line %llu ",
			(unsigned long long)course->problems[i].line);
		say_text(&text, course->problems[i].text);
		put_fact(p, "LOG NOT WHOLE", buf_string(&text));
	}
	buf_free(&text);
}

static bool fill(struct paging *p)
{
	const struct account *account = p->pages->account;

	put_title(p);
	if (!put_disc(p))
		return false;
	put_hash(p, "This script", p->pages->hash);
	if (account != NULL)
		put_course(p);
	put_people(p);
	if (!put_acts(p))
		return false;
	for (size_t i = 0;
		account != NULL && i < account->course->exception_count; i++)
		put_sheet(p, &account->course->exceptions[i]);
	for (size_t i = 0; i < p->pages->sheets; i++)
		put_sheet(p, NULL);
	return true;
}

bool pages_pdf(const struct pages *pages, struct buf *out, struct err *err)
{
	const struct script *script = pages->script;
	struct paging p = {.pages = pages, .err = err};
	struct buf title = BUF_EMPTY;
	struct sheet_about about = {
		.release = pages->release, .hash = pages->hash};
	bool ok;

	if (pages->account != NULL)
		buf_text(&title, "Annotated: ");
	if (script->ceremony != NULL)
		buf_format(&title, "Ceremony %s%s", script->ceremony,
			script->title != NULL ? ": " : "");
	buf_text(&title, script->title != NULL ? script->title : "");
	about.title = buf_string(&title);
	ok = buf_ok(&title, err) &&
	     form_new(&about, pages->paper, &p.form, err) && fill(&p) &&
	     form_end(p.form, out, err);
	form_free(p.form);
	buf_free(&title);
	return ok;
}
