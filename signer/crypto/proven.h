/* SPDX-License-Identifier: ISC */
/*
 * Shared by the files of this folder only: which proofs are known to hold, by
 * their SHA-256.  Several threads may ask and tell at once; what is in here is
 * true whoever told it, so it does not matter in which order.
 */
#ifndef CRYPTO_PROVEN_H
#define CRYPTO_PROVEN_H

#include "crypto/crypto.h"

struct proven;

bool proven_new(struct proven **out, struct err *err);
void proven_free(struct proven *proven);

bool proven_has(struct proven *proven, const uint8_t hash[CRYPTO_SHA256_LEN]);

/* Without memory nothing is remembered, which is as good. */
void proven_add(struct proven *proven, const uint8_t hash[CRYPTO_SHA256_LEN]);

#endif
