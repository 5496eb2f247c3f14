/* SPDX-License-Identifier: ISC */
/* What the second opinion says of one question: PASS, FAIL or SKIP, and why. */
#ifndef SECOND_VERDICT_H
#define SECOND_VERDICT_H

#include "base/buf.h"

enum verdict_result {
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_SKIP,
};

struct verdict {
	const char *name; /* stable */
	enum verdict_result result;
	const char *reason; /* of a SKIP, borrowed */
	struct buf lines; /* not escaped but for newlines; each ends with one */
	size_t count;
	bool nomem;
};

/* One mistake in 900 bundles is not 900 lines. */
#define VERDICT_LINES_MAX 10

/* Add a line; the result is FAIL from then on. */
void verdict_fail(struct verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Add a line that says what was not looked at, or is worth knowing. */
void verdict_note(struct verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void verdict_clear(struct verdict *verdict);

/* "PASS", "FAIL", "SKIP" */
const char *verdict_result_name(enum verdict_result result);

#endif
