/* SPDX-License-Identifier: ISC */
#include "crypto/proven.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Hashes in an open-addressed table, at most half full; zeros are free. */
struct proven {
	pthread_mutex_t lock; /* of all below */
	uint8_t (*hashes)[CRYPTO_SHA256_LEN];
	size_t room; /* a power of two, or 0 */
	size_t count;
};

bool proven_new(struct proven **out, struct err *err)
{
	struct proven *proven = calloc(1, sizeof(*proven));

	if (proven == NULL)
		return err_nomem(err);
	pthread_mutex_init(&proven->lock, NULL); /* cannot fail on Linux */
	*out = proven;
	return true;
}

void proven_free(struct proven *proven)
{
	if (proven == NULL)
		return;
	pthread_mutex_destroy(&proven->lock);
	free(proven->hashes);
	free(proven);
}

/* Where the hash is, or the free place where it belongs. */
static uint8_t *find_place(uint8_t (*hashes)[CRYPTO_SHA256_LEN], size_t room,
	const uint8_t hash[CRYPTO_SHA256_LEN])
{
	static const uint8_t empty[CRYPTO_SHA256_LEN];
	size_t place;

	memcpy(&place, hash, sizeof(place));
	for (;; place++) {
		uint8_t *slot = hashes[place & (room - 1)];

		if (memcmp(slot, hash, CRYPTO_SHA256_LEN) == 0 ||
			memcmp(slot, empty, CRYPTO_SHA256_LEN) == 0)
			return slot;
	}
}

static bool grow(struct proven *proven)
{
	size_t room = proven->room > 0 ? proven->room * 2 : 64;
	uint8_t(*hashes)[CRYPTO_SHA256_LEN] = calloc(room, sizeof(*hashes));

	if (hashes == NULL)
		return false;
	for (size_t i = 0; i < proven->room; i++)
		memcpy(find_place(hashes, room, proven->hashes[i]),
			proven->hashes[i], CRYPTO_SHA256_LEN);
	free(proven->hashes);
	proven->hashes = hashes;
	proven->room = room;
	return true;
}

bool proven_has(struct proven *proven, const uint8_t hash[CRYPTO_SHA256_LEN])
{
	bool found;

	pthread_mutex_lock(&proven->lock);
	found = proven->room > 0 &&
		memcmp(find_place(proven->hashes, proven->room, hash), hash,
			CRYPTO_SHA256_LEN) == 0;
	pthread_mutex_unlock(&proven->lock);
	return found;
}

void proven_add(struct proven *proven, const uint8_t hash[CRYPTO_SHA256_LEN])
{
	pthread_mutex_lock(&proven->lock);
	if (proven->count * 2 < proven->room || grow(proven)) {
		memcpy(find_place(proven->hashes, proven->room, hash), hash,
			CRYPTO_SHA256_LEN);
		proven->count++;
	}
	pthread_mutex_unlock(&proven->lock);
}
