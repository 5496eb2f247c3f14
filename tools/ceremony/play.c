/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/play.h"

#include "lib/base/array.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/hash/sha256.h"
#include "tools/evidence/last.h"
#include "tools/evidence/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FOLDERS_MAX 8 /* logs of one ceremony, each after a power cut */

/* Does it ask for anything? */
static bool is_asked(const struct script_item *item)
{
	return item->kind == ITEM_COMMAND || item->kind == ITEM_CONFIRM ||
	       item->kind == ITEM_VALUE || item->kind == ITEM_SHOWN;
}

const struct script_step *play_step(const struct play *play)
{
	return play->at < play->count ? play->steps[play->at] : NULL;
}

const struct script_item *play_item(const struct play *play)
{
	const struct script_step *step = play_step(play);

	return step != NULL && play->item < step->item_count
		       ? &step->items[play->item]
		       : NULL;
}

const struct script_item *play_command(const struct play *play)
{
	const struct script_step *step = play_step(play);

	for (size_t i = 0; step != NULL && i < step->item_count; i++)
		if (step->items[i].kind == ITEM_COMMAND)
			return &step->items[i];
	return NULL;
}

static void pass_texts(struct play *play)
{
	const struct script_item *item;

	while ((item = play_item(play)) != NULL && !is_asked(item))
		play->item++;
}

void play_next_item(struct play *play)
{
	if (play_item(play) != NULL)
		play->item++;
	pass_texts(play);
}

static int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

long play_minutes(const struct play *play)
{
	return (long)((clock_now() - play->since) / 60);
}

static void go_to(struct play *play, size_t at)
{
	play->at = at;
	play->item = 0;
	play->begun = play->ran = false;
	play->status = 0;
	play->since = clock_now();
	pass_texts(play);
}

bool play_tell(struct play *play, enum steps_event event, const char *text,
	struct err *err)
{
	const struct script_step *step = play_step(play);

	assert(step != NULL);
	return teller_say(&play->teller, err, "step %u %s%s%s", step->number,
		steps_event_name(event), text != NULL ? " " : "",
		text != NULL ? text : "");
}

bool play_begin(struct play *play, struct err *err)
{
	if (play->begun || play_step(play) == NULL)
		return true;
	play->begun = true;
	return play_tell(play, STEPS_BEGIN, NULL, err);
}

bool play_end(struct play *play, struct err *err)
{
	char status[16];

	snprintf(status, sizeof(status), "%d", play->status);
	if (!play_tell(play, STEPS_END, status, err))
		return false;
	go_to(play, play->at + 1);
	return true;
}

bool play_except(struct play *play, const char *text, struct err *err)
{
	return teller_say(&play->teller, err, "except %u %u %s",
		++play->exceptions, play_step(play)->number, text);
}

/* Steps of all acts in one array. */
static bool gather(struct play *play, struct err *err)
{
	const struct script *script = play->script;
	size_t count = 0;

	for (size_t a = 0; a < script->act_count; a++)
		count += script->acts[a].step_count;
	play->steps = calloc(count + 1, sizeof(*play->steps));
	play->acts = calloc(count + 1, sizeof(*play->acts));
	if (play->steps == NULL || play->acts == NULL)
		return err_nomem(err);
	for (size_t a = 0; a < script->act_count; a++)
		for (size_t s = 0; s < script->acts[a].step_count; s++) {
			play->acts[play->count] = &script->acts[a];
			play->steps[play->count++] = &script->acts[a].steps[s];
		}
	return count > 0 ||
	       err_set(err, ERR_INPUT, "%s: no step", script->path);
}

/* A role of the head's, and variables that are set. */
static bool check_item(const struct script *script,
	const struct script_item *item, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = item->text == NULL ||
		  script_expand(script, item->text, &text, err);

	buf_free(&text);
	if (!ok)
		return err_prefix(err, "%s:%zu", script->path, item->line);
	return item->role == NULL ||
	       script_name(script->roles, script->role_count, item->role) !=
		       NULL ||
	       err_set(err, ERR_INPUT, "%s:%zu: no such role: %s", script->path,
		       item->line, item->role);
}

/* Every number is used once, and what check_item() asks for: what the lint
 * finds, but a script may be played that nobody has linted. */
static bool check_steps(const struct play *play, struct err *err)
{
	for (size_t i = 0; i < play->count; i++) {
		const struct script_step *step = play->steps[i];

		if (step->number != i + 1)
			return err_set(err, ERR_INPUT,
				"%s:%zu: step %u is the %zuth: steps are numbered from 1",
				play->script->path, step->line, step->number,
				i + 1);
		for (size_t k = 0; k < step->item_count; k++)
			if (!check_item(play->script, &step->items[k], err))
				return false;
	}
	return true;
}

/* "SHA256 NAME" of the script's file. */
static bool name_script(const char *path, struct buf *out, struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct buf bytes = BUF_EMPTY;
	uint8_t hash[SHA256_LEN];
	bool ok = file_read(path, SCRIPT_SIZE_MAX, &bytes, err) &&
		  sha256_of(bytes.data, bytes.len, hash, err);

	if (ok) {
		hex_encode(out, hash, sizeof(hash));
		buf_format(out, " %s", slash != NULL ? slash + 1 : path);
		ok = buf_ok(out, err);
	}
	buf_free(&bytes);
	return ok;
}

/* Where a log was */

/* Steps are in order; one that was begun and has not ended begins once more. */
static void take_step(
	struct play *play, unsigned number, enum steps_event event)
{
	size_t at = event == STEPS_BEGIN ? number - 1 : number;

	if ((event == STEPS_BEGIN || event == STEPS_END) && at > play->at &&
		at <= play->count)
		go_to(play, at);
}

static bool take_course(
	struct play *play, const struct course *course, struct err *err)
{
	if (course->problem_count > 0)
		return err_set(err, ERR_REFUSED, "%s:%llu: %s",
			course->logs[course->problems[0].log].path,
			(unsigned long long)course->problems[0].line,
			course->problems[0].text);
	if (course->script_name != NULL &&
		strncmp(course->script_sha256, play->teller.script,
			STEPS_HASH_LEN) != 0)
		return err_set(err, ERR_REFUSED,
			"%s: of another script, %s, or it was changed since",
			course->logs[course->log_count - 1].path,
			course->script_name);
	for (size_t i = 0; i < course->step_count; i++)
		if (course->steps[i].end != COURSE_NEVER)
			take_step(play, course->steps[i].number, STEPS_END);
	play->exceptions = (unsigned)course->exception_count;
	return true;
}

static void take_kept(struct play *play)
{
	struct err none = ERR_EMPTY;
	struct steps_line line;

	for (size_t i = 0; i < play->teller.kept_count; i++) {
		const char *text = play->teller.kept[i].text;

		if (strncmp(text, "except ", 7) == 0)
			play->exceptions++;
		if (strncmp(text, "step ", 5) == 0 &&
			steps_parse(text + 5, &line, &none))
			take_step(play, line.step, line.event);
	}
}

/* The folder that a log goes on from, of its line "after SHA256 FOLDER". */
static char *folder_before(const char *folder)
{
	struct course *course = NULL;
	struct err none = ERR_EMPTY;
	char *before = NULL;

	if (!course_read(&folder, 1, &course, &none))
		return NULL;
	for (size_t i = 0; i < course->line_count; i++)
		if (strcmp(course->lines[i].kind, "after") == 0 &&
			strlen(course->lines[i].text) > STEPS_HASH_LEN + 1) {
			free(before);
			before = strdup(
				course->lines[i].text + STEPS_HASH_LEN + 1);
		}
	course_free(course);
	return before;
}

/* The folder, and before it those that it goes on from. */
static bool read_course(
	const char *folder, struct course **out, struct err *err)
{
	char *owned[FOLDERS_MAX] = {NULL};
	const char *folders[FOLDERS_MAX] = {NULL};
	size_t first = FOLDERS_MAX - 1;
	bool ok;

	folders[first] = folder;
	while (first > 0) {
		owned[first] = folder_before(folders[first]);
		if (owned[first] == NULL)
			break;
		folders[first - 1] = owned[first];
		first--;
	}
	ok = course_read(folders + first, FOLDERS_MAX - first, out, err);
	for (size_t i = 0; i < FOLDERS_MAX; i++)
		free(owned[i]);
	return ok;
}

/* The log that is being kept, from the machine's memory. */
static bool take_log(struct play *play, struct err *err)
{
	struct course *course = NULL;
	struct last last;
	bool ok = last_read(&last, err) &&
		  read_course(last.spool, &course, err) &&
		  take_course(play, course, err);

	if (ok && course->script_name != NULL)
		teller_go_on(&play->teller);
	course_free(course);
	last_free(&last);
	return ok;
}

static bool is_log_kept(void)
{
	struct state state;
	struct err none = ERR_EMPTY;
	bool kept = state_ask("status", &state, &none);

	state_free(&state);
	return kept;
}

static bool open_teller(struct play *play, const char *path, const char *after,
	const struct course *course, struct err *err)
{
	struct buf script = BUF_EMPTY, before = BUF_EMPTY;
	bool ok = name_script(path, &script, err);

	if (course != NULL)
		buf_format(&before, "%s %s",
			course->logs[course->log_count - 1].hash, after);
	ok = ok && buf_ok(&before, err) &&
	     teller_open(buf_string(&script),
		     course != NULL ? buf_string(&before) : NULL, &play->teller,
		     err);
	buf_free(&script);
	buf_free(&before);
	return ok;
}

/* It is an exception, and not one that people may forget. */
static bool note_cut(struct play *play, const char *after,
	const struct course *course, struct err *err)
{
	const struct course_line *last = &course->lines[course->line_count - 1];
	struct buf text = BUF_EMPTY;
	bool ok;

	buf_format(&text,
		"the log in %s was cut after line %llu; this one goes on",
		after, (unsigned long long)last->number);
	ok = buf_ok(&text, err) && play_begin(play, err) &&
	     play_except(play, buf_string(&text), err);
	buf_free(&text);
	return ok;
}

bool play_open(const struct script *script, const char *path, const char *after,
	struct play *out, struct err *err)
{
	struct course *course = NULL;
	bool ok;

	*out = (struct play){.script = script};
	ok = gather(out, err) && check_steps(out, err) &&
	     (after == NULL || read_course(after, &course, err)) &&
	     open_teller(out, path, after, course, err);
	if (ok) {
		go_to(out, 0);
		if (course != NULL)
			ok = take_course(out, course, err);
		take_kept(out);
	}
	if (ok && is_log_kept())
		ok = take_log(out, err);
	if (ok && course != NULL && out->teller.state == TELLER_EARLY &&
		out->teller.kept_count == 0 && play_step(out) != NULL)
		ok = note_cut(out, after, course, err);
	course_free(course);
	return ok;
}

void play_free(struct play *play)
{
	teller_free(&play->teller);
	free(play->steps);
	free(play->acts);
}
