/* SPDX-License-Identifier: ISC */
/*
 * What happened at a ceremony, as its journal has it: the journals of one
 * folder, or of several where the power was cut, made steps with times.
 *
 * Everything read is hostile: texts are as they were typed (the journal's
 * escapes undone), and whoever shows them escapes them (lib/base/text.h).
 */
#ifndef TOOLS_CEREMONY_COURSE_H
#define TOOLS_CEREMONY_COURSE_H

#include "tools/evidence/journal.h"
#include "tools/evidence/steps.h"

#define COURSE_SIZE_MAX ((size_t)64 * 1024 * 1024) /* of a journal */
#define COURSE_NEVER INT64_C(-1)                   /* a time that is none */

/* A line of a journal, of any kind. */
struct course_line {
	size_t log;      /* which journal, from 0 */
	uint64_t number; /* in that journal, from 1 */
	int64_t time;    /* of an "early" line: the time that it tells */
	bool early;      /* written before there was a log */
	char *kind;      /* owned; of an "early" line: the kind behind it */
	char *text;      /* owned; without the journal's escapes */
};

struct course_event {
	enum steps_event event;
	const struct course_line *line; /* borrowed from the course */
	char *name;       /* owned: a role (confirm), a name (value); or NULL */
	const char *text; /* borrowed from the line; "" where there is none */
	int status;       /* STEPS_END */
};

struct course_step {
	unsigned number;
	int64_t begin, end; /* first begin, last end; or COURSE_NEVER */
	int status;         /* of its last end */
	bool skipped;
	struct course_event *events; /* in their order; a step that was
				      * begun once more has another begin */
	size_t event_count;
};

struct course_exception {
	unsigned number, step;
	const struct course_line *line;
	const char *text; /* borrowed from the line */
};

/* One journal. */
struct course_log {
	char *path;   /* of the journal; owned */
	size_t first; /* its first line in lines */
	size_t count; /* of its lines */
	bool ended;   /* the last line is the end */
	bool torn;    /* something without a newline stands behind it */
	char hash[JOURNAL_HASH_LEN + 1];  /* of its last line */
	char after[JOURNAL_HASH_LEN + 1]; /* what its "after" names, or "" */
};

/* What is wrong with a journal; it was read all the same. */
struct course_problem {
	size_t log;
	uint64_t line;
	char *text; /* owned */
};

struct course {
	struct course_log *logs;
	size_t log_count;
	struct course_line *lines; /* those of all journals */
	size_t line_count;
	struct course_step *steps; /* in the order in which they began */
	size_t step_count;
	uint16_t places[STEPS_NUMBER_MAX + 1]; /* in steps, from 1; 0: none */
	struct course_exception *exceptions;   /* in their order */
	size_t exception_count;
	char script_sha256[JOURNAL_HASH_LEN + 1]; /* "" where none is named */
	const char *script_name; /* borrowed from a line, or NULL */
	struct course_problem *problems;
	size_t problem_count;
};

/*
 * Read FOLDER/journal of each folder, in the order given.  *out is new; the
 * caller frees it.  What is broken in a journal that can still be read (the
 * chain, a number, a time that goes back, a malformed line, two scripts, a
 * journal that does not go on from the one before it) is a problem, and whoever
 * makes pages from a course with problems must say so or refuse.  A last line
 * without its newline, as a power cut leaves it, is none, whatever bytes it
 * has, unless the journal has ended before it; torn tells.
 * Errors: ERR_INPUT: a journal that cannot be read, or bytes that it never
 * holds; ERR_REFUSED where it is larger than COURSE_SIZE_MAX.
 */
bool course_read(const char *const *folders, size_t count, struct course **out,
	struct err *err);

/* NULL is allowed. */
void course_free(struct course *course);

/* The step of that number, or NULL. */
const struct course_step *course_step(
	const struct course *course, unsigned number);

#endif
