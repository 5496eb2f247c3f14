/* SPDX-License-Identifier: ISC */
/* What the second opinion says of one question: PASS, FAIL or SKIP, and why. */
#ifndef POSTCHECK_VERDICT_H
#define POSTCHECK_VERDICT_H

#include "lib/base/buf.h"

/* One mistake in 900 bundles is not 900 lines. */
#define VERDICT_LINES_MAX 10

enum verdict_result {
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_SKIP,
};

struct verdict {
	const char *name; /* stable */
	enum verdict_result result;
	const char *reason; /* of a SKIP, borrowed */
	/* Owned, and not escaped: whoever shows them does that, once. */
	char *lines[VERDICT_LINES_MAX];
	bool is_reason[VERDICT_LINES_MAX]; /* of a FAIL; the others are notes */
	size_t line_count;
	size_t count;    /* of all lines, those that are not kept too */
	size_t unlooked; /* parts of the question that were switched off */
	bool nomem;
};

/* Add a line; the result is FAIL from then on. */
void verdict_fail(struct verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Add a line that says what is worth knowing. */
void verdict_note(struct verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Add a line that says which part of the question was not looked at, and why.
 */
void verdict_unlooked(struct verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void verdict_clear(struct verdict *verdict);

/* "PASS", "FAIL", "SKIP" */
const char *verdict_result_name(enum verdict_result result);

#endif
