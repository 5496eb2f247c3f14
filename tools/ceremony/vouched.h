/* SPDX-License-Identifier: ISC */
/*
 * The recordings of terminals, as far as the journal vouches for them: the
 * bytes that its lines "data" name, from the first one on without a gap.
 * Where the power was cut a file may be longer; what is behind counts for
 * nothing, since anybody can have put it there.
 */
#ifndef TOOLS_CEREMONY_VOUCHED_H
#define TOOLS_CEREMONY_VOUCHED_H

#include "tools/ceremony/course.h"

#define VOUCHED_FILES_MAX 4096                       /* recordings */
#define VOUCHED_SIZE_MAX ((size_t)256 * 1024 * 1024) /* of one */

struct vouched {
	const struct course_line *open; /* borrowed: its text is the name */
	uint64_t size;
};

struct vouched_list {
	struct vouched *all; /* in the order in which they were opened */
	size_t count;
};

/*
 * All recordings of terminals of all logs; what the journal calls no name of
 * a file is left out.  The caller frees out->all.  Errors: memory.
 */
bool vouched_find(
	const struct course *course, struct vouched_list *out, struct err *err);

/*
 * Append what is vouched for of one, in the folder of its log.  Errors:
 * ERR_INPUT; ERR_REFUSED where the file is larger than VOUCHED_SIZE_MAX.
 */
bool vouched_read(const char *folder, const struct vouched *recording,
	struct buf *out, struct err *err);

/*
 * "OFFSET LENGTH SHA256", which stands behind the name in a line "data";
 * *digits is borrowed from the text.
 */
bool vouched_parse(
	const char *text, uint64_t *from, uint64_t *size, const char **digits);

#endif
