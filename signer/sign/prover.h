/* SPDX-License-Identifier: ISC */
/*
 * A second thread that proves signatures while the first still reads.
 *
 * It decides nothing.  What it has proven, crypto_verify() finds in the cache;
 * what it could not prove, or has not come to, the checks look at themselves.
 * So findings, their order and the log are the same with it, without it, and
 * at any speed of either thread.
 */
#ifndef SIGN_PROVER_H
#define SIGN_PROVER_H

#include "crypto/crypto.h"
#include "ksr/ksr.h"

struct prover;

/* The cache outlives the prover.  *out is new. */
bool prover_new(
	const struct crypto_cache *cache, struct prover **out, struct err *err);

/*
 * Prove the signatures of count bundles from the given one on, too; last
 * things first, since the checks come from the other end.  They must stay as
 * they are until prover_stop().  Where no thread can be started, nothing is
 * done.
 */
void prover_add(struct prover *prover, const struct ksr *ksr, size_t from,
	size_t count);

/* End the thread, done or not.  NULL is allowed. */
void prover_stop(struct prover *prover);

/* The same, and release.  NULL is allowed. */
void prover_free(struct prover *prover);

#endif
