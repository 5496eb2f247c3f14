/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/course.h"

#include "lib/base/array.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct course *course;
	struct course_log *log; /* the one being read */
	uint64_t number;        /* of its line */
	int64_t before;         /* the time of the last line, of any journal */
	struct err *err;
};

static bool problem(const struct reading *r, const char *text)
{
	struct course *course = r->course;
	struct course_problem *added = array_grow(&course->problems,
		&course->problem_count, sizeof(*added), r->err);

	if (added == NULL)
		return false;
	added->log = (size_t)(r->log - course->logs);
	added->line = r->number;
	added->text = text_copy(text, r->err);
	return added->text != NULL;
}

/* The journal's escapes undone: \xNN, and \\ for a backslash. */
static char *unescape(const char *text, struct err *err)
{
	char *copy = text_copy(text, err), *out = copy;

	if (copy == NULL)
		return NULL;
	for (const char *p = copy; *p != '\0'; p++) {
		char digits[3] = {0};
		long byte;

		if (*p == '\\' && p[1] == 'x' &&
			isxdigit((unsigned char)p[2]) &&
			isxdigit((unsigned char)p[3])) {
			memcpy(digits, p + 2, 2);
			byte = strtol(digits, NULL, 16);
			/* A journal never has this one. */
			*out++ = byte == 0 ? '?' : (char)byte;
			p += 3;
		} else {
			*out++ = *p;
			p += *p == '\\' && p[1] == '\\';
		}
	}
	*out = '\0';
	return copy;
}

/* Cut the word at *text off; *text goes behind the blank after it, or "". */
static char *cut_word(char **text)
{
	char *word = *text;
	size_t len = strcspn(word, " ");

	*text = word + len + (word[len] == ' ');
	word[len] = '\0';
	return word;
}

/* What an "early" line tells is a line of its own. */
static bool take_early(
	const struct reading *r, struct course_line *line, const char **text)
{
	struct err why = ERR_EMPTY;
	const char *rest, *blank;
	int64_t time;

	if (!steps_check("early", *text, &why) ||
		!steps_parse_early(*text, &time, &rest, &why))
		return problem(r, why.text);
	blank = strchr(rest, ' ');
	free(line->kind);
	line->kind = strndup(rest, (size_t)(blank - rest));
	if (line->kind == NULL)
		return err_nomem(r->err);
	line->time = time;
	line->early = true;
	*text = blank + 1;
	return true;
}

static bool add_line(const struct reading *r, int64_t time, const char *kind,
	const char *said)
{
	struct course *course = r->course;
	struct course_line *line = array_grow(
		&course->lines, &course->line_count, sizeof(*line), r->err);
	char *text;
	const char *rest;

	if (line == NULL)
		return false;
	r->log->count++;
	line->log = (size_t)(r->log - course->logs);
	line->number = r->number;
	line->time = time;
	line->kind = text_copy(kind, r->err);
	text = unescape(said, r->err);
	rest = text;
	if (line->kind == NULL || text == NULL ||
		(strcmp(kind, "early") == 0 && !take_early(r, line, &rest))) {
		free(text);
		return false;
	}
	line->text = text_copy(rest, r->err);
	free(text);
	return line->text != NULL;
}

static bool check_chain(
	const struct reading *r, const char *hash, const char *rest)
{
	char wanted[JOURNAL_HASH_LEN + 1];

	if (!journal_chain(r->log->hash, rest, wanted, r->err))
		return false;
	if (strcmp(wanted, hash) != 0 &&
		!problem(r,
			"the line, or one before it, was changed, cut or put in"))
		return false;
	snprintf(r->log->hash, sizeof(r->log->hash), "%s", hash);
	return true;
}

/* Behind the hash: "NUMBER TIME KIND TEXT". */
static bool read_rest(struct reading *r, char *rest)
{
	struct err why = ERR_EMPTY;
	int64_t number = 0, time = 0;
	const char *kind;

	if (!number_parse(cut_word(&rest), 1, INT64_MAX, &number, &why) ||
		(uint64_t)number != r->number) {
		if (!problem(r, "has another number"))
			return false;
	}
	if (!time_parse(cut_word(&rest), &time, &why))
		return problem(r, "has no time");
	if (time < r->before &&
		!problem(r, "is earlier than the line before it"))
		return false;
	kind = cut_word(&rest);
	if (r->log->ended && !problem(r, "comes after the end"))
		return false;
	if (strcmp(kind, "end") == 0)
		r->log->ended = true;
	if ((r->number == 1) != (strcmp(kind, "start") == 0) &&
		!problem(r, "line 1, and no other, is the start"))
		return false;
	if (!add_line(r, time, kind, rest))
		return false;
	/* Of an early line: its time is not that of the line. */
	if (!r->course->lines[r->course->line_count - 1].early)
		r->before = time;
	return true;
}

static bool read_line(struct reading *r, char *line)
{
	char *rest = line;
	const char *hash = cut_word(&rest);

	if (strlen(hash) != JOURNAL_HASH_LEN ||
		strspn(hash, "0123456789abcdef") != JOURNAL_HASH_LEN ||
		*rest == '\0')
		return problem(r, "is no line of a journal");
	return check_chain(r, hash, rest) && read_rest(r, rest);
}

/* A whole line ends with a newline. */
static bool read_lines(struct reading *r, char *text)
{
	char *end;

	memset(r->log->hash, '0', JOURNAL_HASH_LEN);
	while ((end = strchr(text, '\n')) != NULL) {
		*end = '\0';
		r->number++;
		if (!read_line(r, text))
			return false;
		text = end + 1;
	}
	if (r->number == 0)
		return err_set(r->err, ERR_INPUT, "%s: no line", r->log->path);
	r->number++;
	return !r->log->torn || !r->log->ended ||
	       problem(r, "the last line is cut off");
}

/* Of whole lines: what the power has cut off may be anything. */
static bool check_bytes(
	const char *path, const struct buf *bytes, struct err *err)
{
	const uint8_t *last =
		bytes->len > 0 ? memrchr(bytes->data, '\n', bytes->len) : NULL;
	size_t len = last != NULL ? (size_t)(last - bytes->data) + 1 : 0;
	size_t line = 1;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = bytes->data[i];

		if (byte != '\n' && (byte < ' ' || byte > '~'))
			return err_set(err, ERR_INPUT,
				"%s:%zu: byte 0x%02x, which a journal never holds",
				path, line, byte);
		line += byte == '\n';
	}
	return true;
}

static bool read_log(struct reading *r, const char *folder, struct err *err)
{
	struct course *course = r->course;
	struct course_log *log = array_grow(
		&course->logs, &course->log_count, sizeof(*log), err);
	struct buf path = BUF_EMPTY, bytes = BUF_EMPTY;
	bool ok = log != NULL;

	buf_format(&path, "%s/journal", folder);
	ok = ok && buf_ok(&path, err);
	if (ok) {
		r->log = log;
		r->number = 0;
		log->first = course->line_count;
		log->path = text_copy(buf_string(&path), err);
		ok = log->path != NULL;
	}
	ok = ok && file_read(log->path, COURSE_SIZE_MAX, &bytes, err);
	if (ok)
		log->torn = bytes.len > 0 && bytes.data[bytes.len - 1] != '\n';
	ok = ok && check_bytes(log->path, &bytes, err) &&
	     read_lines(r, (char *)(uintptr_t)buf_string(&bytes));
	buf_free(&bytes);
	buf_free(&path);
	return ok;
}

/* From lines to steps. */

static struct course_step *need_step(
	struct course *course, unsigned number, struct err *err)
{
	uint16_t *place = &course->places[number];
	struct course_step *step;

	if (*place != 0)
		return &course->steps[*place - 1];
	step = array_grow(
		&course->steps, &course->step_count, sizeof(*step), err);
	if (step == NULL)
		return NULL;
	*place = (uint16_t)course->step_count;
	*step = (struct course_step){
		.number = number, .begin = COURSE_NEVER, .end = COURSE_NEVER};
	return step;
}

static bool add_event(const struct reading *r, const struct course_line *line,
	const struct steps_line *said)
{
	struct course_step *step = need_step(r->course, said->step, r->err);
	struct course_event *event;

	if (step == NULL)
		return false;
	event = array_grow(
		&step->events, &step->event_count, sizeof(*event), r->err);
	if (event == NULL)
		return false;
	event->event = said->event;
	event->line = line;
	event->text = said->text;
	event->status = said->status;
	if (said->event == STEPS_BEGIN && step->begin == COURSE_NEVER)
		step->begin = line->time;
	if (said->event == STEPS_END) {
		step->end = line->time;
		step->status = said->status;
	}
	step->skipped = step->skipped || said->event == STEPS_SKIP;
	if (said->name != NULL) {
		event->name = strndup(said->name, said->name_len);
		if (event->name == NULL)
			return err_nomem(r->err);
	}
	return true;
}

static bool take_step(const struct reading *r, const struct course_line *line)
{
	struct steps_line said;
	struct err why = ERR_EMPTY;

	if (!steps_parse(line->text, &said, &why))
		return problem(r, why.text);
	return add_event(r, line, &said);
}

static bool take_exception(
	const struct reading *r, const struct course_line *line)
{
	struct course *course = r->course;
	struct course_exception *added;
	struct steps_exception said;
	struct err why = ERR_EMPTY;

	if (!steps_parse_exception(line->text, &said, &why))
		return problem(r, why.text);
	if (said.number != course->exception_count + 1 &&
		!problem(r, "exceptions are not numbered one after the other"))
		return false;
	added = array_grow(&course->exceptions, &course->exception_count,
		sizeof(*added), r->err);
	if (added == NULL)
		return false;
	*added = (struct course_exception){.number = said.number,
		.step = said.step,
		.line = line,
		.text = said.text};
	return true;
}

static bool take_script(const struct reading *r, const struct course_line *line)
{
	struct course *course = r->course;
	char hash[JOURNAL_HASH_LEN + 1];
	struct err why = ERR_EMPTY;
	const char *name;

	if (!steps_parse_hash(line->text, hash, &name, &why))
		return problem(r, why.text);
	if (course->script_name == NULL) {
		strcpy(course->script_sha256, hash);
		course->script_name = name;
		return true;
	}
	return strcmp(course->script_sha256, hash) == 0 ||
	       problem(r, "names another script than a line before it");
}

/* The journal before this one ends with the line that it names. */
static bool take_after(const struct reading *r, const struct course_line *line)
{
	struct err why = ERR_EMPTY;
	const char *folder;

	if (!steps_parse_hash(line->text, r->log->after, &folder, &why))
		return problem(r, why.text);
	if (line->log == 0 ||
		strcmp(r->course->logs[line->log - 1].hash, r->log->after) == 0)
		return true;
	return problem(r,
		"names another journal, or another end of it, than the one before");
}

static const struct {
	const char *kind;
	bool (*take)(const struct reading *r, const struct course_line *line);
} takes[] = {
	{"step", take_step},
	{"except", take_exception},
	{"script", take_script},
	{"after", take_after},
};

static bool make_steps(struct course *course, struct err *err)
{
	struct reading r = {.course = course, .err = err};

	for (size_t i = 0; i < course->line_count; i++) {
		const struct course_line *line = &course->lines[i];

		r.log = &course->logs[line->log];
		r.number = line->number;
		for (size_t k = 0; k < sizeof(takes) / sizeof(*takes); k++)
			if (strcmp(takes[k].kind, line->kind) == 0 &&
				!takes[k].take(&r, line))
				return false;
	}
	for (size_t i = 1; i < course->log_count; i++) {
		r.log = &course->logs[i];
		r.number = 1;
		if (r.log->after[0] == '\0' &&
			!problem(&r,
				"the journal does not go on from the one before"))
			return false;
	}
	return true;
}

bool course_read(const char *const *folders, size_t count, struct course **out,
	struct err *err)
{
	struct course *course = calloc(1, sizeof(*course));
	struct reading r = {.course = course, .err = err};
	bool ok = true;

	if (course == NULL)
		return err_nomem(err);
	for (size_t i = 0; ok && i < count; i++)
		ok = read_log(&r, folders[i], err);
	if (!ok || !make_steps(course, err)) {
		course_free(course);
		return false;
	}
	*out = course;
	return true;
}

static void steps_free(struct course *course)
{
	for (size_t i = 0; i < course->step_count; i++) {
		struct course_step *step = &course->steps[i];

		for (size_t k = 0; k < step->event_count; k++)
			free(step->events[k].name);
		free(step->events);
	}
	free(course->steps);
}

void course_free(struct course *course)
{
	if (course == NULL)
		return;
	steps_free(course);
	for (size_t i = 0; i < course->log_count; i++)
		free(course->logs[i].path);
	for (size_t i = 0; i < course->line_count; i++) {
		free(course->lines[i].kind);
		free(course->lines[i].text);
	}
	for (size_t i = 0; i < course->problem_count; i++)
		free(course->problems[i].text);
	free(course->problems);
	free(course->exceptions);
	free(course->lines);
	free(course->logs);
	free(course);
}

const struct course_step *course_step(
	const struct course *course, unsigned number)
{
	if (number > STEPS_NUMBER_MAX || course->places[number] == 0)
		return NULL;
	return &course->steps[course->places[number] - 1];
}
