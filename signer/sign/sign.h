/* SPDX-License-Identifier: ISC */
/* Keys from the HSM, and signatures by them. */
#ifndef SIGN_SIGN_H
#define SIGN_SIGN_H

#include "crypto/crypto.h"
#include "ksr/ksk.h"
#include "sign/prover.h"
#include "token/token.h"

/*
 * Find every key that the first count slots of a schema name and add it to
 * the set.  Errors: ERR_HSM for a key that is not there or that the token
 * module refuses; ERR_REFUSED for one that is not of the configured
 * algorithm's kind.
 */
bool sign_find_keys(struct token_set *tokens, const struct config *config,
	const struct config_schema *schema, size_t count, struct ksk_set *out,
	struct err *err);

/*
 * Look for the keys that signed the last bundle of the previous response, by
 * their identifiers; one that is not there is added as not found.
 */
bool sign_find_previous(struct token_set *tokens, const struct ksr *previous,
	struct ksk_set *out, struct err *err);

/*
 * Sign every bundle of a planned response, and prove each signature with
 * OpenSSL against the public key in its RRset: each bundle before the next is
 * signed; from SIGN_BATCH bundles on in batches of so many, the prover's thread
 * at work beside, so that one batch more is made at most after a wrong
 * signature.  On success all are proven.  Between two signatures a signal ends
 * the run (ERR_REFUSED).
 */
#define SIGN_BATCH ((size_t)32)
bool sign_response(const struct ksk_set *ksks, struct crypto_cache *cache,
	struct prover *prover, struct ksr *response, struct err *err);

#endif
