/* SPDX-License-Identifier: ISC */
/*
 * The policy checks: one table (check.c) with a name, a phase, a setting and
 * a function for each.
 *
 * A finding is not an error: every check of a phase runs and yields PASS,
 * FAIL or SKIP under its stable name.  One FAIL refuses the request.  A check
 * is refused by err only where memory is exhausted.
 */
#ifndef SIGNER_CHECKS_CHECK_H
#define SIGNER_CHECKS_CHECK_H

#include "lib/base/buf.h"
#include "lib/crypto/crypto.h"
#include "lib/ksr/ksr.h"
#include "signer/keyset/ksk.h"

/* When a check can run: what it looks at is there from then on. */
enum check_phase {
	CHECK_REQUEST,  /* request, previous response, configuration */
	CHECK_KEYS,     /* and the keys found in the HSM */
	CHECK_PLAN,     /* and the response, not yet signed */
	CHECK_RESPONSE, /* and signed, and read back */
	CHECK_PHASES,
};

enum check_result {
	CHECK_PASS,
	CHECK_FAIL,
	CHECK_SKIP,
};

/* What checks look at; all borrowed. */
struct check_context {
	const struct config *config;
	int64_t now; /* the clock */
	struct crypto_cache *cache;

	const struct ksr *request;      /* NULL: unreadable, see below */
	const struct err *request_err;  /* why */
	const struct ksr *previous;     /* NULL: none or unreadable */
	const struct err *previous_err; /* why it is unreadable, or NULL */
	bool previous_made_here; /* it answers the request before this one */
	/* ... and is not made yet: what stands there is that request */
	bool previous_is_request;
	bool previous_is_planned; /* or it is that response, not yet signed */
	const char *no_previous;  /* the reason why there is none */
	const struct config_schema *schema; /* NULL: not chosen */

	const struct ksk_set *ksks; /* of the schema; from CHECK_KEYS on */
	const struct ksk_set *previous_ksks; /* that signed last time */
	const struct ksr *response;          /* from CHECK_PLAN on */
	const struct buf *written;   /* from CHECK_RESPONSE on: its bytes */
	const struct ksr *read_back; /* and what reading them gives */
};

enum check_line_kind {
	CHECK_LINE_FAIL,
	CHECK_LINE_WARNING,
	CHECK_LINE_NOTE,
};

struct check_line {
	enum check_line_kind kind;
	char *text; /* not escaped */
};

struct finding {
	const char *name;
	enum check_result result;
	struct check_line *lines; /* why; at most CHECK_LINES_MAX */
	size_t count;
	size_t more;       /* lines beyond that */
	struct err *nomem; /* set where memory was exhausted */
};

/* One mistake in 900 bundles is not 900 lines. */
#define CHECK_LINES_MAX 10

/* For checks: add a line; the first makes the result FAIL. */
void finding_fail(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void finding_warn(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void finding_note(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

typedef void check_function(
	const struct check_context *context, struct finding *finding);

struct check {
	const char *name;
	enum check_phase phase;
	bool needs_previous;
	check_function *run;
	const char *setting;   /* that switches it off; NULL: always on */
	size_t setting_offset; /* of its bool in struct config */
};

/* The catalogue, in its order; ends with name NULL. */
extern const struct check check_table[];

struct report {
	struct finding *findings;
	size_t count;
	bool failed; /* one or more FAIL */
};

#define REPORT_EMPTY {.findings = NULL}

/* Run all checks of a phase and append their findings. */
bool checks_run(const struct check_context *context, enum check_phase phase,
	struct report *report, struct err *err);

/* Append SKIP with this reason for all checks of a phase. */
bool checks_skip(enum check_phase phase, const char *reason,
	struct report *report, struct err *err);

/* Put the findings into the order of the catalogue. */
void report_sort(struct report *report);

void report_clear(struct report *report);

/* "PASS", "FAIL", "SKIP" */
const char *check_result_name(enum check_result result);

#endif
