/* SPDX-License-Identifier: ISC */
/* Is a key the one that the configuration means? */
#ifndef SIGNER_KEYSET_IDENTITY_H
#define SIGNER_KEYSET_IDENTITY_H

#include "lib/config/config.h"
#include "lib/dns/dnskey.h"

#define IDENTITY_TEXT_MAX 128
#define IDENTITY_DIFFERENCES_MAX 6

struct identity {
	uint8_t ds[CONFIG_SHA256_SIZE]; /* of the key as it is */
	/* what differs, the DS first of all: "tag 05017 is not the configured
	 * 05018" */
	char differences[IDENTITY_DIFFERENCES_MAX][IDENTITY_TEXT_MAX];
	size_t count;
};

/*
 * The zone that the keys are for: ksk_policy.signers_name, else the first of
 * the acceptable domains, else the root.  Borrowed.
 */
const char *identity_zone(const struct config *config);

/*
 * Compare a key (flags 257) of a zone with every property that is stated.
 * Errors: ERR_INPUT where the zone is no name, or memory or OpenSSL fails.
 */
bool identity_compare(const struct config_key *want, const struct dnskey *has,
	const char *zone, struct identity *out, struct err *err);

#endif
