/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/account.h"

#include "lib/base/array.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "tools/ceremony/shown.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct making {
	struct account *account;
	const char *const *folders;
	size_t folder_count;
	struct shown shown;
	struct err *err;
};

const char *account_kind_name(enum account_kind kind)
{
	static const char *const names[ACCOUNT_KINDS] = {
		[ACCOUNT_EXCEPTION] = "exception",
		[ACCOUNT_SKIPPED] = "left out",
		[ACCOUNT_OTHERWISE] = "another command",
		[ACCOUNT_UNSEEN] = "not seen",
		[ACCOUNT_STATUS] = "exit status",
		[ACCOUNT_UNCONFIRMED] = "not confirmed",
		[ACCOUNT_OPEN] = "not done",
	};

	return names[kind];
}

static struct account_finding *find(const struct making *m,
	enum account_kind kind, size_t step, int64_t time, const char *text)
{
	struct account *account = m->account;
	struct account_finding *added = array_grow(&account->findings,
		&account->finding_count, sizeof(*added), m->err);

	if (added == NULL)
		return NULL;
	*added = (struct account_finding){
		.kind = kind, .step = step, .time = time};
	added->text = text_copy(text, m->err);
	return added->text != NULL ? added : NULL;
}

/* The script */

static bool read_script(const struct making *m, const char *path)
{
	struct account *account = m->account;
	struct buf digits = BUF_EMPTY;
	bool ok;

	ok = file_read(path, SCRIPT_SIZE_MAX, &account->bytes, m->err) &&
	     sha256_of(account->bytes.data, account->bytes.len, account->hash,
		     m->err);
	hex_encode(&digits, account->hash, SHA256_LEN);
	if (ok && account->course->script_name == NULL)
		ok = err_set(m->err, ERR_INPUT,
			"%s: no script was played: there is no line \"script\"",
			account->course->logs[0].path);
	if (ok && strcmp(buf_string(&digits), account->course->script_sha256) !=
			  0)
		ok = err_set(m->err, ERR_INPUT,
			"%s: is not the script that was played, whose SHA-256 is %s",
			path, account->course->script_sha256);
	buf_free(&digits);
	return ok && script_parse(path, account->bytes.data, account->bytes.len,
			     &account->script, m->err);
}

bool account_script(const struct course *course, const char *folder,
	struct buf *out, struct err *err)
{
	const char *name = course->script_name;
	const char *slash = name != NULL ? strrchr(name, '/') : NULL;
	size_t start = out->len;

	if (name == NULL)
		return err_set(err, ERR_INPUT,
			"%s: no script was played: there is no line \"script\"",
			course->logs[0].path);
	/* The name is hostile: it may not lead elsewhere. */
	name = slash != NULL ? slash + 1 : name;
	buf_format(out, "%s/%s", folder, name);
	if (access(buf_string(out) + start, F_OK) != 0) {
		out->len = start;
		buf_format(out, "%s/../%s", folder, name);
	}
	return buf_ok(out, err);
}

static bool find_script(const struct making *m)
{
	struct buf path = BUF_EMPTY;
	bool ok = account_script(
			  m->account->course, m->folders[0], &path, m->err) &&
		  read_script(m, buf_string(&path));

	buf_free(&path);
	return ok;
}

/* "release RELEASE (BUILD), FOLDER": the text up to the comma. */
static bool read_release(const struct making *m)
{
	static const char word[] = "release ";
	const struct course *course = m->account->course;
	const char *text = course->line_count > 0 ? course->lines[0].text : "";
	size_t len;

	text += strncmp(text, word, strlen(word)) == 0 ? strlen(word)
						       : strlen(text);
	len = strcspn(text, ",");
	m->account->release = strndup(text, len);
	return m->account->release != NULL || err_nomem(m->err);
}

/* Times */

static void count_time(struct account_step *step)
{
	const struct course_step *done = step->done;
	int64_t since = COURSE_NEVER;

	step->taken = COURSE_NEVER;
	if (done == NULL)
		return;
	for (size_t i = 0; i < done->event_count; i++) {
		const struct course_event *event = &done->events[i];

		step->begun += event->event == STEPS_BEGIN;
		if (event->event == STEPS_PAUSE && since == COURSE_NEVER)
			since = event->line->time;
		if (event->event == STEPS_RESUME && since != COURSE_NEVER) {
			step->paused += event->line->time - since;
			since = COURSE_NEVER;
		}
	}
	if (done->begin != COURSE_NEVER && done->end != COURSE_NEVER)
		step->taken = done->end - done->begin - step->paused;
	if (step->taken < 0)
		step->taken = COURSE_NEVER;
}

static bool add_steps(const struct making *m)
{
	struct account *account = m->account;

	for (size_t a = 0; a < account->script->act_count; a++) {
		const struct script_act *act = &account->script->acts[a];

		for (size_t s = 0; s < act->step_count; s++) {
			struct account_step *step = array_grow(&account->steps,
				&account->step_count, sizeof(*step), m->err);

			if (step == NULL)
				return false;
			step->act = act;
			step->step = &act->steps[s];
			step->done = course_step(
				account->course, step->step->number);
			count_time(step);
			account->planned += step->step->minutes;
		}
	}
	return true;
}

/* What is done once the log has been finished is in no log. */
static void find_after(struct account *account)
{
	const struct course *course = account->course;
	size_t from = account->step_count;

	if (!course->logs[course->log_count - 1].ended)
		return;
	while (from > 0 && account->steps[from - 1].done == NULL)
		from--;
	if (from > 0 && account->steps[from - 1].done->end == COURSE_NEVER)
		from--;
	for (size_t i = from; i < account->step_count; i++)
		account->steps[i].after = true;
}

static void count_all(struct account *account)
{
	account->begin = account->end = COURSE_NEVER;
	for (size_t i = 0; i < account->step_count; i++) {
		const struct course_step *done = account->steps[i].done;

		if (done == NULL)
			continue;
		if (done->begin != COURSE_NEVER &&
			(account->begin == COURSE_NEVER ||
				done->begin < account->begin))
			account->begin = done->begin;
		if (done->end > account->end)
			account->end = done->end;
	}
}

/* What went otherwise */

static bool is_confirmed(
	const struct course_event *event, const char *role, const char *text)
{
	return event->event == STEPS_CONFIRM &&
	       strcmp(event->name, role) == 0 && strcmp(event->text, text) == 0;
}

/* A value that is empty was not written down. */
static bool is_written(const struct course_event *event, const char *name)
{
	return event->event == STEPS_VALUE && strcmp(event->name, name) == 0 &&
	       event->text[strspn(event->text, " ")] != '\0';
}

const struct course_event *account_item(const struct account *account,
	const struct account_step *step, const struct script_item *item)
{
	const struct course_event *found = NULL;
	struct buf text = BUF_EMPTY;
	struct err ignored = ERR_EMPTY;
	bool confirm = item->kind == ITEM_CONFIRM;

	if (step->done == NULL || item->role == NULL ||
		!script_expand(account->script, item->text, &text, &ignored)) {
		buf_free(&text);
		return NULL;
	}
	for (size_t i = 0; i < step->done->event_count; i++) {
		const struct course_event *event = &step->done->events[i];

		if (confirm ? is_confirmed(event, item->role, buf_string(&text))
			    : is_written(event, buf_string(&text)))
			found = event;
	}
	buf_free(&text);
	return found;
}

static bool check_items(const struct making *m, size_t place)
{
	const struct account_step *step = &m->account->steps[place];

	for (size_t i = 0; i < step->step->item_count; i++) {
		const struct script_item *item = &step->step->items[i];
		struct buf text = BUF_EMPTY;
		bool ok = true;

		if (item->role == NULL ||
			account_item(m->account, step, item) != NULL)
			continue;
		buf_format(&text, "%s: ", item->role);
		ok = script_expand(
			     m->account->script, item->text, &text, m->err) &&
		     find(m, ACCOUNT_UNCONFIRMED, place, COURSE_NEVER,
			     buf_string(&text)) != NULL;
		buf_free(&text);
		if (!ok)
			return false;
	}
	return true;
}

static const struct script_item *command_of(const struct script_step *step)
{
	for (size_t i = 0; i < step->item_count; i++)
		if (step->items[i].kind == ITEM_COMMAND)
			return &step->items[i];
	return NULL;
}

/* How far the lines that must appear have, in what one command showed. */
static bool seen_in(const struct making *m, const struct script_item *item,
	struct shown_part *part, size_t *next)
{
	const char *line = buf_string(&part->lines);

	for (; *line != '\0' && *next < item->line_count;) {
		size_t len = strcspn(line, "\n");
		char *copy = strndup(line, len);
		bool ok;

		while (*next < item->line_count &&
			item->lines[*next].kind == LINE_BREAK)
			(*next)++;
		if (copy == NULL)
			return err_nomem(m->err);
		ok = script_seen(m->account->script, item, copy, next, m->err);
		free(copy);
		if (!ok)
			return false;
		line += len + (line[len] == '\n');
	}
	while (*next < item->line_count &&
		item->lines[*next].kind == LINE_BREAK)
		(*next)++;
	return true;
}

/* The best of all times that the script's command was run in this step. */
static bool check_shown(const struct making *m, size_t place)
{
	const struct script_step *step = m->account->steps[place].step;
	const struct script_item *item = command_of(step);
	struct buf text = BUF_EMPTY;
	size_t best = 0, ran = 0;
	bool ok = true;

	for (size_t i = 0; item != NULL && ok && i < m->shown.count; i++) {
		size_t next = 0;

		if (m->shown.parts[i].step != step->number)
			continue;
		ran++;
		ok = seen_in(m, item, &m->shown.parts[i], &next);
		best = next > best ? next : best;
	}
	if (ok && ran > 0 && best < item->line_count)
		ok = script_expand(m->account->script, item->lines[best].text,
			     &text, m->err) &&
		     find(m, ACCOUNT_UNSEEN, place, COURSE_NEVER,
			     buf_string(&text)) != NULL;
	buf_free(&text);
	return ok;
}

static bool check_status(const struct making *m, size_t place)
{
	const struct account_step *step = &m->account->steps[place];
	const struct script_item *item = command_of(step->step);
	struct buf text = BUF_EMPTY;
	bool ok = true;

	if (item != NULL && step->done->end != COURSE_NEVER &&
		step->done->status != item->status) {
		buf_format(&text, "%d, where %d is right", step->done->status,
			item->status);
		ok = buf_ok(&text, m->err) &&
		     find(m, ACCOUNT_STATUS, place, step->done->end,
			     buf_string(&text)) != NULL;
	}
	buf_free(&text);
	return ok;
}

static bool check_events(const struct making *m, size_t place)
{
	const struct course_step *done = m->account->steps[place].done;

	for (size_t i = 0; i < done->event_count; i++) {
		const struct course_event *event = &done->events[i];
		enum account_kind kind = event->event == STEPS_SKIP
						 ? ACCOUNT_SKIPPED
						 : ACCOUNT_OTHERWISE;

		if (event->event != STEPS_SKIP &&
			event->event != STEPS_OTHERWISE)
			continue;
		if (find(m, kind, place, event->line->time, event->text) ==
			NULL)
			return false;
	}
	return true;
}

static bool find_exception(const struct making *m, size_t place,
	const struct course_exception *exception)
{
	struct account_finding *found = find(m, ACCOUNT_EXCEPTION, place,
		exception->line->time, exception->text);

	if (found == NULL)
		return false;
	found->number = exception->number;
	return true;
}

static bool check_exceptions(
	const struct making *m, size_t place, unsigned step)
{
	const struct course *course = m->account->course;

	for (size_t i = 0; i < course->exception_count; i++)
		if (course->exceptions[i].step == step &&
			!find_exception(m, place, &course->exceptions[i]))
			return false;
	return true;
}

static bool check_step(const struct making *m, size_t place)
{
	const struct account_step *step = &m->account->steps[place];

	if (!check_exceptions(m, place, step->step->number))
		return false;
	if (step->after && step->done == NULL)
		return true;
	if (step->done == NULL)
		return find(m, ACCOUNT_OPEN, place, COURSE_NEVER,
			       "never begun") != NULL;
	if (!check_events(m, place))
		return false;
	if (step->done->begin == COURSE_NEVER &&
		find(m, ACCOUNT_OPEN, place, step->done->end,
			"never begun, and yet in the journal") == NULL)
		return false;
	if (step->done->skipped || step->after)
		return true;
	if (step->done->end == COURSE_NEVER &&
		find(m, ACCOUNT_OPEN, place, step->done->begin,
			"begun, and never ended") == NULL)
		return false;
	return check_status(m, place) && check_shown(m, place) &&
	       check_items(m, place);
}

/* Exceptions at steps that the script does not have. */
static bool check_others(const struct making *m)
{
	const struct course *course = m->account->course;

	for (size_t i = 0; i < course->exception_count; i++) {
		const struct course_exception *e = &course->exceptions[i];
		bool there = false;

		for (size_t s = 0; s < m->account->step_count; s++)
			there = there ||
				m->account->steps[s].step->number == e->step;
		if (!there && !find_exception(m, SIZE_MAX, e))
			return false;
	}
	return true;
}

bool account_read(const char *const *folders, size_t count, const char *script,
	struct account **out, struct err *err)
{
	struct account *account = calloc(1, sizeof(*account));
	struct making m = {.account = account,
		.folders = folders,
		.folder_count = count,
		.err = err};
	bool ok;

	if (account == NULL)
		return err_nomem(err);
	ok = course_read(folders, count, &account->course, err) &&
	     (script != NULL ? read_script(&m, script) : find_script(&m)) &&
	     read_release(&m) && add_steps(&m) &&
	     shown_read(folders, count, account->course, &m.shown, err);
	if (ok)
		find_after(account);
	for (size_t i = 0; ok && i < account->step_count; i++)
		ok = check_step(&m, i);
	ok = ok && check_others(&m);
	shown_free(&m.shown);
	if (!ok) {
		account_free(account);
		return false;
	}
	count_all(account);
	*out = account;
	return true;
}

void account_free(struct account *account)
{
	if (account == NULL)
		return;
	for (size_t i = 0; i < account->finding_count; i++)
		free(account->findings[i].text);
	free(account->findings);
	free(account->steps);
	free(account->release);
	course_free(account->course);
	script_free(account->script);
	buf_free(&account->bytes);
	free(account);
}
