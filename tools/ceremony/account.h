/* SPDX-License-Identifier: ISC */
/*
 * The script and what was done, side by side: each step with its times, and
 * everything that went otherwise than it is written.
 *
 * Texts are as they were typed or shown, and hostile.
 */
#ifndef TOOLS_CEREMONY_ACCOUNT_H
#define TOOLS_CEREMONY_ACCOUNT_H

#include "lib/hash/sha256.h"
#include "tools/ceremony/course.h"
#include "tools/ceremony/script.h"

/* What can be otherwise. */
enum account_kind {
	ACCOUNT_EXCEPTION,   /* text: what was written */
	ACCOUNT_SKIPPED,     /* the step was left out */
	ACCOUNT_OTHERWISE,   /* text: another command */
	ACCOUNT_UNSEEN,      /* text: a line that had to appear and did not */
	ACCOUNT_STATUS,      /* text: the exit status, and the right one */
	ACCOUNT_UNCONFIRMED, /* text: "ROLE: what", or the value's name */
	ACCOUNT_OPEN,        /* without a begin, or without an end */
	ACCOUNT_KINDS,
};

/* "exception", "left out" and so on. */
const char *account_kind_name(enum account_kind kind);

struct account_finding {
	enum account_kind kind;
	size_t step;     /* in steps; SIZE_MAX: of none that the script has */
	unsigned number; /* of the exception */
	int64_t time;    /* or COURSE_NEVER */
	char *text;      /* owned */
};

struct account_step {
	const struct script_act *act;   /* borrowed */
	const struct script_step *step; /* borrowed */
	const struct course_step *done; /* borrowed; NULL: never begun */
	int64_t taken;  /* seconds from begin to end, pauses left out; or
			   COURSE_NEVER */
	int64_t paused; /* seconds */
	size_t begun;   /* how often */
	bool after;     /* not recorded, or not to its end: the log had ended */
};

struct account {
	struct script *script;
	struct buf bytes; /* of the script's file */
	uint8_t hash[SHA256_LEN];
	struct course *course;
	char *release; /* of the disc, by the log's first line; "" */
	struct account_step *steps; /* those of the script, in its order */
	size_t step_count;
	struct account_finding *findings; /* in the order of the steps */
	size_t finding_count;
	unsigned planned;   /* minutes */
	int64_t begin, end; /* of the first and the last step that was done */
};

/*
 * Append where the script is that the journal in folder names: in that folder,
 * or in the one above it.  Errors: ERR_INPUT: it names none.
 */
bool account_script(const struct course *course, const char *folder,
	struct buf *out, struct err *err);

/*
 * Read the ceremony's folders (several where the power was cut) and the script;
 * script NULL: the one of account_script() for the first folder.  *out is new;
 * the caller frees it.  Errors: ERR_INPUT: also where the script is another
 * than the journal's; ERR_REFUSED.
 */
bool account_read(const char *const *folders, size_t count, const char *script,
	struct account **out, struct err *err);
void account_free(struct account *account); /* NULL is allowed */

/*
 * Where the step confirms this item, or has its value: the last time; or NULL.
 * Errors of a variable count as NULL.
 */
const struct course_event *account_item(const struct account *account,
	const struct account_step *step, const struct script_item *item);

#endif
