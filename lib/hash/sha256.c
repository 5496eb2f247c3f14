/* SPDX-License-Identifier: ISC */
#include "lib/hash/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)256 * 1024)

/* No openssl.cnf is read: the environment cannot change what a hash is. */
static void ready(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

static bool failed(struct err *err)
{
	ERR_clear_error();
	return err_set(err, ERR_INPUT, "SHA-256: refused by OpenSSL");
}

struct sha256 {
	EVP_MD_CTX *ctx;
};

bool sha256_new(struct sha256 **out, struct err *err)
{
	struct sha256 *hash = calloc(1, sizeof(*hash));

	if (hash == NULL)
		return err_nomem(err);
	ready();
	hash->ctx = EVP_MD_CTX_new();
	if (hash->ctx == NULL ||
		EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL) != 1) {
		sha256_free(hash);
		return failed(err);
	}
	*out = hash;
	return true;
}

bool sha256_update(
	struct sha256 *hash, const void *data, size_t len, struct err *err)
{
	if (EVP_DigestUpdate(hash->ctx, data, len) != 1)
		return failed(err);
	return true;
}

bool sha256_final(struct sha256 *hash, uint8_t out[SHA256_LEN], struct err *err)
{
	if (EVP_DigestFinal_ex(hash->ctx, out, NULL) != 1)
		return failed(err);
	return true;
}

void sha256_free(struct sha256 *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->ctx);
	free(hash);
}

static bool feed(struct sha256 *hash, int fd, uint8_t *chunk, sha256_seen *seen,
	void *context, struct err *err)
{
	ssize_t got;

	while ((got = read(fd, chunk, CHUNK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_INPUT, "cannot read: %s",
				strerror(errno));
		if (!sha256_update(hash, chunk, (size_t)got, err) ||
			(seen != NULL &&
				!seen(context, chunk, (size_t)got, err)))
			return false;
	}
	return true;
}

bool sha256_feed(struct sha256 *hash, int fd, sha256_seen *seen, void *context,
	struct err *err)
{
	uint8_t *chunk = malloc(CHUNK);
	bool ok;

	if (chunk == NULL)
		return err_nomem(err);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	ok = feed(hash, fd, chunk, seen, context, err);
	free(chunk);
	return ok;
}

bool sha256_of(
	const void *data, size_t len, uint8_t out[SHA256_LEN], struct err *err)
{
	ready();
	if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
		return failed(err);
	return true;
}
