/* SPDX-License-Identifier: ISC */
/*
 * What the journal says of a ceremony's steps: the texts of the kinds "step",
 * "except", "script", "after" and "early", as ceremony-log(1) has them.
 *
 * The texts are those of requests (feed.h): the journal escapes them.
 */
#ifndef TOOLS_EVIDENCE_STEPS_H
#define TOOLS_EVIDENCE_STEPS_H

#include "lib/base/err.h"

#include <stdint.h>

#define STEPS_NUMBER_MAX 9999 /* of a step, of an exception */
#define STEPS_HASH_LEN 64

enum steps_event {
	STEPS_BEGIN,
	STEPS_COMMAND,   /* text: the script's own command */
	STEPS_OTHERWISE, /* text: another command: a deviation */
	STEPS_CONFIRM,   /* name: the role; text: what it confirms */
	STEPS_VALUE,     /* name: of the value; text: the value */
	STEPS_NOTE,      /* text */
	STEPS_PAUSE,
	STEPS_RESUME,
	STEPS_SKIP,
	STEPS_END, /* status: of the last command, 0 where there is none */
	STEPS_EVENT_COUNT,
};

/* "begin", "command" and so on. */
const char *steps_event_name(enum steps_event event);

struct steps_line {
	unsigned step;
	enum steps_event event;
	const char *name; /* borrowed from the text, name_len of it, or NULL */
	size_t name_len;
	const char *text; /* borrowed; "" where there is none */
	int status;
};

/* "N EVENT ...".  Errors: ERR_INPUT, what would have been right. */
bool steps_parse(const char *text, struct steps_line *out, struct err *err);

struct steps_exception {
	unsigned number, step;
	const char *text; /* borrowed */
};

/* "K N TEXT". */
bool steps_parse_exception(
	const char *text, struct steps_exception *out, struct err *err);

/*
 * "SHA256 TEXT", of "script SHA256 NAME" and "after SHA256 FOLDER": *rest is
 * borrowed.
 */
bool steps_parse_hash(const char *text, char hash[STEPS_HASH_LEN + 1],
	const char **rest, struct err *err);

/* "TIME KIND TEXT": *rest begins with the kind. */
bool steps_parse_early(
	const char *text, int64_t *time, const char **rest, struct err *err);

/*
 * Is the text one of that kind?  True for every kind that is not of this file.
 * Errors: ERR_INPUT.
 */
bool steps_check(const char *kind, const char *text, struct err *err);

#endif
