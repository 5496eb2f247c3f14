/* SPDX-License-Identifier: ISC */
#include "sign/prover.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/*
 * A thread that unpacks the keys once more costs what a few dozen signatures
 * do: a quarter of nine bundles is done by one thread alone.
 */
#define WORTH_A_THREAD ((size_t)32)

/* Bundles of a document, of which so many are left to look at. */
struct work {
	const struct ksr *ksr;
	size_t from;
	size_t left;
};

struct prover {
	struct crypto_cache *cache; /* the thread's own */
	pthread_t thread;
	bool started;         /* and not yet joined */
	pthread_mutex_t lock; /* of all below */
	bool running;         /* will look for work again */
	struct work *work;
	size_t count;
};

bool prover_new(
	const struct crypto_cache *cache, struct prover **out, struct err *err)
{
	struct prover *prover = calloc(1, sizeof(*prover));

	if (prover == NULL)
		return err_nomem(err);
	if (!crypto_cache_new_beside(cache, &prover->cache, err)) {
		free(prover);
		return false;
	}
	pthread_mutex_init(&prover->lock, NULL); /* cannot fail on Linux */
	*out = prover;
	return true;
}

static void prove_bundle(struct prover *prover, const struct ksr *ksr,
	const struct ksr_bundle *bundle)
{
	struct buf data = BUF_EMPTY;
	struct err ignored = ERR_EMPTY;

	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksr_key *key = ksr_signature_key(bundle, sig);

		buf_clear(&data);
		if (key != NULL && ksr_signed_data(bundle, sig, ksr->domain,
					   &data, &ignored))
			crypto_verify(prover->cache, &key->dnskey, &data,
				&sig->signature, &ignored);
	}
	buf_free(&data);
}

/* The last bundle of the last document that is not done; or NULL. */
static const struct ksr_bundle *next_bundle(
	struct prover *prover, const struct ksr **ksr)
{
	const struct ksr_bundle *bundle = NULL;

	pthread_mutex_lock(&prover->lock);
	while (prover->count > 0 && prover->work[prover->count - 1].left == 0)
		prover->count--;
	if (prover->count > 0) {
		struct work *work = &prover->work[prover->count - 1];

		*ksr = work->ksr;
		bundle = &work->ksr->bundles[work->from + --work->left];
	}
	prover->running = bundle != NULL;
	pthread_mutex_unlock(&prover->lock);
	return bundle;
}

static void *run(void *argument)
{
	struct prover *prover = argument;
	const struct ksr_bundle *bundle;
	const struct ksr *ksr = NULL;

	while ((bundle = next_bundle(prover, &ksr)) != NULL)
		prove_bundle(prover, ksr, bundle);
	return NULL;
}

static void start(struct prover *prover)
{
	sigset_t all, before;

	if (prover->started)
		pthread_join(prover->thread, NULL);
	/* Signals are for the thread that waits for the operator. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	prover->running = true;
	prover->started =
		pthread_create(&prover->thread, NULL, run, prover) == 0;
	if (!prover->started)
		prover->running = false;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void prover_add(
	struct prover *prover, const struct ksr *ksr, size_t from, size_t count)
{
	struct err ignored = ERR_EMPTY;
	struct work *work;
	bool running;

	if (count < WORTH_A_THREAD)
		return;
	pthread_mutex_lock(&prover->lock);
	work = ksr_grow(&prover->work, &prover->count, sizeof(*work), &ignored);
	if (work != NULL)
		*work = (struct work){ksr, from, count};
	running = prover->running;
	pthread_mutex_unlock(&prover->lock);
	/* One that is not running will not look again. */
	if (!running)
		start(prover);
}

void prover_stop(struct prover *prover)
{
	if (prover == NULL)
		return;
	pthread_mutex_lock(&prover->lock);
	prover->count = 0;
	pthread_mutex_unlock(&prover->lock);
	if (prover->started)
		pthread_join(prover->thread, NULL);
	prover->started = false;
}

void prover_free(struct prover *prover)
{
	if (prover == NULL)
		return;
	prover_stop(prover);
	pthread_mutex_destroy(&prover->lock);
	crypto_cache_free(prover->cache);
	free(prover->work);
	free(prover);
}
