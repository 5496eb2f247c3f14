/* SPDX-License-Identifier: ISC */
/* What the commands of a ceremony showed, by the recordings of its terminals.
 */
#ifndef TOOLS_CEREMONY_SHOWN_H
#define TOOLS_CEREMONY_SHOWN_H

#include "tools/ceremony/course.h"
#include "tools/ceremony/script.h"

struct shown_part {
	unsigned step;
	char *command;    /* owned */
	struct buf lines; /* below it, each with a newline */
	bool ended;       /* its end is there, too */
	int status;
};

struct shown {
	struct shown_part *parts; /* in their order */
	size_t count;
};

#define SHOWN_EMPTY {.parts = NULL}

/*
 * Read the recordings of terminals that the journal of each folder names.
 * "ceremony run" marks in them what belongs to a step (shown.c).  One that is
 * not there is passed over: check says so.  shown_free() in any case.  Errors:
 * memory.
 */
bool shown_read(const char *const *folders, size_t count,
	const struct course *course, struct shown *out, struct err *err);
void shown_free(struct shown *shown);

#endif
