/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 (FIPS 180-4), by OpenSSL; knows nothing of DNS.  It fails only where
 * memory or OpenSSL does (ERR_INPUT).
 */
#ifndef LIB_HASH_SHA256_H
#define LIB_HASH_SHA256_H

#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

/* A SHA-256 that is fed piece by piece. */
struct sha256;
bool sha256_new(struct sha256 **out, struct err *err);
bool sha256_update(
	struct sha256 *hash, const void *data, size_t len, struct err *err);
/* Ends the hash; it can only be freed afterwards. */
bool sha256_final(
	struct sha256 *hash, uint8_t out[SHA256_LEN], struct err *err);
void sha256_free(struct sha256 *hash);

/*
 * Feed all that is left to be read of a descriptor, to its end.  seen, which
 * may be NULL, is called with each piece once it is hashed, and may end it with
 * an error of its own.  Errors: ERR_INPUT, "cannot read: why".
 */
typedef bool sha256_seen(
	void *context, const void *data, size_t len, struct err *err);
bool sha256_feed(struct sha256 *hash, int fd, sha256_seen *seen, void *context,
	struct err *err);

/* SHA-256 of what is in memory. */
bool sha256_of(
	const void *data, size_t len, uint8_t out[SHA256_LEN], struct err *err);

#endif
