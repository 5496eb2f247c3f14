/* SPDX-License-Identifier: ISC */
#include "tools/evidence/steps.h"

#include "lib/base/time.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define STATUS_MAX 255
#define TIME_LEN 20 /* 2026-11-22T13:05:00Z */

/* What follows the name of an event. */
enum shape {
	SHAPE_NOTHING,
	SHAPE_TEXT,
	SHAPE_ROLE,   /* a word, a blank, a text */
	SHAPE_NAMED,  /* a name, a colon and a blank, a text */
	SHAPE_STATUS, /* a number */
};

static const struct {
	const char *name;
	enum shape shape;
} events[STEPS_EVENT_COUNT] = {
	[STEPS_BEGIN] = {"begin", SHAPE_NOTHING},
	[STEPS_COMMAND] = {"command", SHAPE_TEXT},
	[STEPS_OTHERWISE] = {"otherwise", SHAPE_TEXT},
	[STEPS_CONFIRM] = {"confirm", SHAPE_ROLE},
	[STEPS_VALUE] = {"value", SHAPE_NAMED},
	[STEPS_NOTE] = {"note", SHAPE_TEXT},
	[STEPS_PAUSE] = {"pause", SHAPE_NOTHING},
	[STEPS_RESUME] = {"resume", SHAPE_NOTHING},
	[STEPS_SKIP] = {"skip", SHAPE_NOTHING},
	[STEPS_END] = {"end", SHAPE_STATUS},
};

const char *steps_event_name(enum steps_event event)
{
	return events[event].name;
}

/* Digits at *text, and a blank or the end behind them, which is passed. */
static bool take_number(const char **text, long least, long most, long *out)
{
	size_t len = strspn(*text, DIGITS);
	long number;

	if (len == 0 || len > 4 || ((*text)[len] != ' ' && (*text)[len] != 0))
		return false;
	number = strtol(*text, NULL, 10);
	if (number < least || number > most)
		return false;
	*out = number;
	*text += len + ((*text)[len] == ' ');
	return true;
}

static bool take_rest(
	const char *text, enum shape shape, struct steps_line *out)
{
	const char *colon;
	long status;

	switch (shape) {
	case SHAPE_NOTHING:
		return *text == '\0';
	case SHAPE_TEXT:
		out->text = text;
		return *text != '\0';
	case SHAPE_ROLE:
		out->name = text;
		out->name_len = strcspn(text, " ");
		out->text = text + out->name_len + 1;
		return out->name_len > 0 && text[out->name_len] != '\0';
	case SHAPE_NAMED:
		colon = strstr(text, ": ");
		if (colon == NULL || colon == text)
			return false;
		out->name = text;
		out->name_len = (size_t)(colon - text);
		out->text = colon + 2;
		return true;
	case SHAPE_STATUS:
		if (!take_number(&text, 0, STATUS_MAX, &status) || *text != 0)
			return false;
		out->status = (int)status;
		return true;
	}
	return false;
}

bool steps_parse(const char *text, struct steps_line *out, struct err *err)
{
	struct steps_line line = {.text = ""};
	size_t len;
	long step;

	if (!take_number(&text, 1, STEPS_NUMBER_MAX, &step))
		return err_set(err, ERR_INPUT,
			"a step's line begins with its number, 1 to %d",
			STEPS_NUMBER_MAX);
	line.step = (unsigned)step;
	len = strcspn(text, " ");
	for (int i = 0; i < STEPS_EVENT_COUNT; i++) {
		if (strlen(events[i].name) != len ||
			strncmp(events[i].name, text, len) != 0)
			continue;
		line.event = (enum steps_event)i;
		if (!take_rest(text + len + (text[len] == ' '), events[i].shape,
			    &line))
			break;
		*out = line;
		return true;
	}
	return err_set(err, ERR_INPUT,
		"expected begin, command TEXT, otherwise TEXT, confirm ROLE TEXT, value NAME: TEXT, note TEXT, pause, resume, skip or end STATUS");
}

bool steps_parse_exception(
	const char *text, struct steps_exception *out, struct err *err)
{
	long number, step;

	if (!take_number(&text, 1, STEPS_NUMBER_MAX, &number) ||
		!take_number(&text, 1, STEPS_NUMBER_MAX, &step) ||
		*text == '\0')
		return err_set(err, ERR_INPUT,
			"expected the number of the exception, that of the step and a text");
	*out = (struct steps_exception){.number = (unsigned)number,
		.step = (unsigned)step,
		.text = text};
	return true;
}

bool steps_parse_hash(const char *text, char hash[STEPS_HASH_LEN + 1],
	const char **rest, struct err *err)
{
	if (strspn(text, DIGITS "abcdef") != STEPS_HASH_LEN ||
		text[STEPS_HASH_LEN] != ' ' || text[STEPS_HASH_LEN + 1] == '\0')
		return err_set(err, ERR_INPUT,
			"expected 64 digits of a SHA-256 and a text");
	memcpy(hash, text, STEPS_HASH_LEN);
	hash[STEPS_HASH_LEN] = '\0';
	*rest = text + STEPS_HASH_LEN + 1;
	return true;
}

bool steps_parse_early(
	const char *text, int64_t *time, const char **rest, struct err *err)
{
	char copy[TIME_LEN + 1];

	if (strlen(text) <= TIME_LEN || text[TIME_LEN] != ' ')
		return err_set(
			err, ERR_INPUT, "expected a time, a kind and a text");
	memcpy(copy, text, TIME_LEN);
	copy[TIME_LEN] = '\0';
	if (!time_parse(copy, time, err))
		return false;
	*rest = text + TIME_LEN + 1;
	return true;
}

static bool check_step(const char *text, struct err *err)
{
	struct steps_line line;

	return steps_parse(text, &line, err);
}

static bool check_exception(const char *text, struct err *err)
{
	struct steps_exception exception;

	return steps_parse_exception(text, &exception, err);
}

static bool check_hash(const char *text, struct err *err)
{
	char hash[STEPS_HASH_LEN + 1];
	const char *rest;

	return steps_parse_hash(text, hash, &rest, err);
}

static bool check_early(const char *text, struct err *err);

static const struct {
	const char *kind;
	bool (*check)(const char *text, struct err *err);
} checks[] = {
	{"step", check_step},
	{"except", check_exception},
	{"script", check_hash},
	{"after", check_hash},
	{"early", check_early},
};

static bool check_early(const char *text, struct err *err)
{
	const char *rest, *blank;
	int64_t time;

	if (!steps_parse_early(text, &time, &rest, err))
		return false;
	blank = strchr(rest, ' ');
	for (size_t i = 0; blank != NULL && i < 3; i++)
		if (strlen(checks[i].kind) == (size_t)(blank - rest) &&
			strncmp(checks[i].kind, rest, (size_t)(blank - rest)) ==
				0)
			return checks[i].check(blank + 1, err);
	return err_set(err, ERR_INPUT,
		"expected step, except or script behind the time");
}

bool steps_check(const char *kind, const char *text, struct err *err)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (strcmp(checks[i].kind, kind) == 0)
			return checks[i].check(text, err);
	return true;
}
