/* SPDX-License-Identifier: ISC */
/*
 * The second thread proves ahead and decides nothing: whatever it has come to,
 * a wrong signature is found, at its place, and right ones hold; and it can be
 * ended at any moment.  Matters: what a check says must not depend on which
 * thread was faster.  The sanitizers, thread sanitizer included, run this, too.
 */
#include "sample.h"
#include "sign/prover.h"

#include <unistd.h>

#define REPEATED 8
#define BUNDLES (SAMPLE_BUNDLES * REPEATED)

/* A request with many bundles: those of the sample, borrowed, many times. */
struct many {
	struct sample *sample;
	struct ksr ksr;
	struct ksr_bundle bundles[BUNDLES];
};

static void many_new(struct many *many)
{
	many->sample = sample_new();
	many->ksr = *many->sample->request;
	for (size_t b = 0; b < BUNDLES; b++)
		many->bundles[b] = many->ksr.bundles[b % SAMPLE_BUNDLES];
	many->ksr.bundles = many->bundles;
	many->ksr.bundle_count = BUNDLES;
}

/* How many bundles have a signature that does not hold. */
static size_t count_wrong(const struct many *many, struct crypto_cache *cache)
{
	size_t wrong = 0;

	for (size_t b = 0; b < BUNDLES; b++) {
		const struct ksr_bundle *bundle = &many->bundles[b];
		const struct ksr_signature *sig = &bundle->signatures[0];
		const struct ksr_key *key = ksr_signature_key(bundle, sig);
		struct buf data = BUF_EMPTY;
		struct err err = ERR_EMPTY;

		assert_true(ksr_signed_data(bundle, sig, ".", &data, &err));
		wrong += !crypto_verify(
			cache, &key->dnskey, &data, &sig->signature, &err);
		buf_free(&data);
	}
	return wrong;
}

/* With the thread at work, done, ended, or never begun. */
static size_t look(const struct many *many, size_t round)
{
	struct crypto_cache *cache = NULL;
	struct prover *prover = NULL;
	struct err err = ERR_EMPTY;
	size_t wrong;

	assert_true(crypto_cache_new(&cache, &err));
	assert_true(prover_new(cache, &prover, &err));
	if (round % 4 > 0)
		prover_add(prover, &many->ksr, 0, BUNDLES);
	if (round % 4 == 2)
		usleep((useconds_t)(round * 100));
	if (round % 4 == 3) {
		prover_stop(prover);
		prover_add(prover, &many->ksr, BUNDLES / 2, BUNDLES / 2);
		prover_add(prover, &many->ksr, 0, BUNDLES / 2);
	}
	wrong = count_wrong(many, cache);
	prover_free(prover);
	crypto_cache_free(cache);
	return wrong;
}

static void signatures_that_hold_are_right_at_any_speed(void **state)
{
	struct many many;

	(void)state;
	many_new(&many);
	for (size_t round = 0; round < 16; round++)
		assert_int_equal(look(&many, round), 0);
	sample_free(many.sample);
}

static void signature_that_does_not_hold_is_found_at_any_speed(void **state)
{
	struct many many;

	(void)state;
	many_new(&many);
	many.sample->request->bundles[4].signatures[0].signature.data[20] ^= 1;
	for (size_t round = 0; round < 16; round++)
		assert_int_equal(look(&many, round), REPEATED);
	sample_free(many.sample);
}

static void prover_without_work_ends(void **state)
{
	struct crypto_cache *cache = NULL;
	struct prover *prover = NULL;
	struct err err = ERR_EMPTY;

	(void)state;
	prover_stop(NULL);
	prover_free(NULL);
	assert_true(crypto_cache_new(&cache, &err));
	assert_true(prover_new(cache, &prover, &err));
	prover_stop(prover);
	prover_stop(prover);
	prover_free(prover);
	crypto_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_that_hold_are_right_at_any_speed),
		cmocka_unit_test(
			signature_that_does_not_hold_is_found_at_any_speed),
		cmocka_unit_test(prover_without_work_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
