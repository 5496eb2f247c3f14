/* SPDX-License-Identifier: ISC */
/*
 * One quarter of a ceremony: from a request that was read to a response that
 * is proven but not yet published.  The steps are called in their order; each
 * shows what it finds through the log, and a step that fails ends the run.
 */
#ifndef SIGNER_SIGN_QUARTER_H
#define SIGNER_SIGN_QUARTER_H

#include "lib/base/buf.h"
#include "lib/cli/log.h"
#include "lib/crypto/crypto.h"
#include "lib/hash/sha256.h"
#include "lib/ksr/document.h"
#include "signer/checks/check.h"
#include "signer/token/token.h"

/* What all quarters of a run share; borrowed. */
struct quarter_run {
	const struct config *config;
	const struct xml_schema *xml_schema;
	struct crypto_cache *cache;
	struct token_set *tokens; /* NULL until the HSM is open */
	struct log *log;
	const char *no_previous; /* why there is no previous response */
	bool force;
	bool sizes; /* those of answers, NXDOMAIN too */
	bool asked; /* for all quarters, before the first of them */
};

struct quarter {
	const struct document *request; /* borrowed */
	const char *mark; /* of a family's member, borrowed; NULL: none */
	char *title;      /* what a page says of it, owned; or NULL */
	const struct config_schema *schema; /* borrowed */
	const struct ksr *previous;         /* borrowed; NULL: none */
	const struct err *previous_reason;  /* why unreadable, or NULL */
	const char *previous_name;          /* for the screen */
	const char *previous_mark;          /* of a family's member, or NULL */
	const uint8_t *previous_sha256;     /* borrowed; NULL: none */
	bool previous_made_here;            /* by this run: --chain */
	bool previous_is_request;           /* ... and is not made yet */
	bool previous_is_planned;           /* ... but is planned */
	struct ksk_set ksks;                /* owned from here on */
	struct ksk_set previous_ksks;
	struct ksr *planned; /* by a look ahead, or NULL */
	struct ksr *response;
	struct ksr *read_back;
	struct buf bytes; /* of the response as it is to be written */
	uint8_t sha256[SHA256_LEN];
	struct report report;
	bool keys_checked; /* quarter_check_keys() has been called */
};

void quarter_clear(struct quarter *quarter);

/*
 * Everything that needs no HSM; findings of a call before are dropped.
 * Errors: ERR_REFUSED naming the checks.
 */
bool quarter_check_request(const struct quarter_run *run,
	struct quarter *quarter, struct err *err);

/*
 * Find the keys, look at the previous response with them, plan the response
 * and check it; once, a further call does nothing.  What is wrong is in the
 * report; the errors are the HSM's.
 */
bool quarter_check_keys(const struct quarter_run *run, struct quarter *quarter,
	struct err *err);

/*
 * Show both tables and the findings.  Errors: ERR_REFUSED naming the checks
 * that failed.
 */
bool quarter_show(const struct quarter_run *run, const struct quarter *quarter,
	struct err *err);

/*
 * Of a quarter that continues what this run has yet to make: are the keys that
 * its schema names there, and those that are meant, and is its response safe
 * after the one before as that is planned?  Shown where not, ERR_REFUSED:
 * better before the first question than after the first quarter was signed.
 */
bool quarter_check_ahead(const struct quarter_run *run, struct quarter *quarter,
	struct err *err);

/* The response as it is planned so far; NULL: it is not. */
const struct ksr *quarter_planned(const struct quarter *quarter);

/*
 * Show what would be signed, as far as the schema and the request say it, and
 * the request's hash: for one question about all quarters.  What can be checked
 * before it is: all, or where this run makes the response before, what
 * quarter_check_ahead() does.
 * Errors: also ERR_REFUSED naming the checks that failed.
 */
bool quarter_preview(const struct quarter_run *run, struct quarter *quarter,
	struct err *err);

/*
 * Show the hashes of the previous response and of the request, and ask, unless
 * that was asked for all.  Errors: ERR_REFUSED.
 */
bool quarter_confirm(const struct quarter_run *run,
	const struct quarter *quarter, struct err *err);

/* Sign, serialise, read back and check the whole response once more. */
bool quarter_sign(const struct quarter_run *run, struct quarter *quarter,
	struct err *err);

/* What a check looks at, filled as far as the quarter has come. */
struct check_context quarter_context(
	const struct quarter_run *run, const struct quarter *quarter);

/*
 * False with ERR_REFUSED, naming the checks that failed, if one of the
 * report did.
 */
bool quarter_passed(const struct report *report, struct err *err);

#endif
