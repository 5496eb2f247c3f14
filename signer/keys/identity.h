/* SPDX-License-Identifier: ISC */
/* Is a key in the HSM the one that the configuration means? */
#ifndef KEYS_IDENTITY_H
#define KEYS_IDENTITY_H

#include "config/config.h"
#include "token/token.h"

#define IDENTITY_TEXT_MAX 128

/*
 * The zone that the keys are for: ksk_policy.signers_name, else the first of
 * the acceptable domains, else the root.  Borrowed.
 */
const char *identity_zone(const struct config *config);

/*
 * Compare with every property that is stated, the DS first of all.  text gets
 * what differs ("DS is not the configured ds_sha256"), or "" where nothing
 * does.  On success *dnskey is the key with flags 257 and the configured
 * algorithm; it stays empty where the key is of another kind.  False only
 * where memory or OpenSSL fails.
 */
bool identity_compare(const struct config *config,
	const struct config_key *want, const struct token_key *key,
	struct dnskey *dnskey, char text[IDENTITY_TEXT_MAX], struct err *err);

#endif
