/* SPDX-License-Identifier: ISC */
/* One ceremony among others: what history compares. */
#ifndef TOOLS_CEREMONY_SUMMARY_H
#define TOOLS_CEREMONY_SUMMARY_H

#include "tools/ceremony/account.h"

struct summary_act {
	const char *title; /* borrowed from the account */
	size_t steps;
	unsigned planned; /* minutes */
	int64_t taken;    /* seconds, of the steps whose time is known */
	size_t counts[ACCOUNT_KINDS];
};

struct summary {
	struct account *account;
	struct buf name;                 /* "61"; that of the folder without */
	struct buf hsms, keys, releases; /* "A, B", each once; hostile */
	struct summary_act *acts;
	size_t act_count;
	size_t exceptions, others; /* in all, of no act too */
};

/*
 * Read a public folder, or the ceremony's own; script as for account_read(),
 * and NULL for a public folder, which has its own.  summary_free() in any
 * case.  Errors: ERR_INPUT, ERR_REFUSED.
 */
bool summary_read(const char *folder, struct summary *out, struct err *err);
void summary_free(struct summary *summary);

/* From the begin of its first step to the end of the last, or COURSE_NEVER. */
int64_t summary_taken(const struct summary *summary);

#endif
