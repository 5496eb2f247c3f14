/* SPDX-License-Identifier: ISC */
/*
 * One quarter of a ceremony: from a request that was read to a response that
 * is proven but not yet published.  The steps are called in their order; each
 * shows what it finds through the log, and a step that fails ends the run.
 */
#ifndef SIGN_QUARTER_H
#define SIGN_QUARTER_H

#include "checks/check.h"
#include "crypto/crypto.h"
#include "show/log.h"
#include "sign/document.h"
#include "sign/prover.h"
#include "token/token.h"

/* What all quarters of a run share; borrowed. */
struct quarter_run {
	const struct config *config;
	const struct xml_schema *xml_schema;
	struct crypto_cache *cache;
	struct prover *prover;
	struct token_set *tokens; /* NULL until the HSM is open */
	struct log *log;
	const char *no_previous; /* why there is no previous response */
	bool force;
};

struct quarter {
	const struct document *request;     /* borrowed */
	const struct config_schema *schema; /* borrowed */
	const struct ksr *previous;         /* borrowed; NULL: none */
	const struct err *previous_reason;  /* why unreadable, or NULL */
	const char *previous_name;          /* for the screen */
	bool previous_made_here;            /* by this run: --chain */
	struct ksk_set ksks;                /* owned from here on */
	struct ksk_set previous_ksks;
	struct ksr *response;
	struct ksr *read_back;
	struct buf bytes; /* of the response as it is to be written */
	uint8_t sha256[CRYPTO_SHA256_LEN];
	struct report report;
};

void quarter_clear(struct quarter *quarter);

/* Everything that needs no HSM.  Errors: ERR_REFUSED naming the checks. */
bool quarter_check_request(const struct quarter_run *run,
	struct quarter *quarter, struct err *err);

/*
 * Find the keys, look at the previous response with them, plan the response
 * and check it; both tables are shown.
 */
bool quarter_check_keys(const struct quarter_run *run, struct quarter *quarter,
	struct err *err);

/* Show the request's hash and ask.  Errors: ERR_REFUSED. */
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
