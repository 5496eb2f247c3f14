/* SPDX-License-Identifier: ISC */
/* Keys from the HSM, and signatures by them. */
#ifndef SIGNER_SIGN_SIGN_H
#define SIGNER_SIGN_SIGN_H

#include "lib/crypto/crypto.h"
#include "signer/keyset/ksk.h"
#include "signer/token/token.h"

/*
 * Find every key that the first count slots of a schema name and add it to
 * the set: one that is not there, is not to be used or cannot do what the
 * schema wants of it is added with the reason, for KSK-IDENTITY to say.  Those
 * that sign are tried as far as that goes without a signature; where the token
 * does not show that the halves of a key belong together, it signs a fixed
 * text that is no DNS record.  Errors: ERR_HSM where a token fails.
 */
bool sign_find_keys(struct token_set *tokens, const struct config *config,
	const struct config_schema *schema, size_t count, struct ksk_set *out,
	struct err *err);

/*
 * Look for the keys that signed the last bundle of the previous response, by
 * their identifiers, and for configured ones that signed any bundle of it
 * without being in it; one that is not there is added as not found.
 */
bool sign_find_previous(struct token_set *tokens, const struct config *config,
	const struct ksr *previous, struct ksk_set *out, struct err *err);

/*
 * Sign every bundle of a planned response, and prove each signature with
 * OpenSSL against the public key in its RRset before the next is made.
 * Between two signatures a signal ends the run (ERR_REFUSED).
 */
bool sign_response(const struct ksk_set *ksks, struct crypto_cache *cache,
	struct ksr *response, struct err *err);

#endif
