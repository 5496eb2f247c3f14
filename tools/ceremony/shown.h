/* SPDX-License-Identifier: ISC */
/* What the commands of a ceremony showed, by the recordings of its terminals.
 */
#ifndef TOOLS_CEREMONY_SHOWN_H
#define TOOLS_CEREMONY_SHOWN_H

#include "tools/ceremony/course.h"
#include "tools/ceremony/script.h"

struct shown_part {
	const struct course_line *open; /* of its recording; borrowed */
	unsigned step;
	char *command;    /* owned */
	struct buf lines; /* below it, each with a newline */
	bool ended;       /* its end is there, too */
	int status;
};

/* A recording that is not there, or too large. */
struct shown_loss {
	const struct course_line *open; /* borrowed */
	struct err why;
};

#define SHOWN_PARTS_MAX 5000 /* more than any ceremony has */

struct shown {
	struct shown_part *parts; /* in their order */
	size_t count;
	bool full; /* there are more than that, which are not in it */
	struct shown_loss *losses;
	size_t loss_count;
};

#define SHOWN_EMPTY {.parts = NULL}

/*
 * Read the recordings of terminals that the journal of each folder names, as
 * far as it vouches for them (vouched.h).  "ceremony run" marks in them what
 * belongs to a step (shown.c).  What cannot be read is among the losses.
 * shown_free() in any case.  Errors: memory.
 */
bool shown_read(const char *const *folders, size_t count,
	const struct course *course, struct shown *out, struct err *err);
void shown_free(struct shown *shown);

#endif
