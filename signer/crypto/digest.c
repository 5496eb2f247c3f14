/* SPDX-License-Identifier: ISC */
/* Digests: SHA-256 of files, what a token signs, DS. */
#include "crypto/openssl.h"
#include "dns/ds.h"

#include <openssl/rand.h>
#include <stdlib.h>

struct crypto_sha256 {
	EVP_MD_CTX *ctx;
};

bool crypto_sha256_new(struct crypto_sha256 **out, struct err *err)
{
	struct crypto_sha256 *hash = calloc(1, sizeof(*hash));

	if (hash == NULL)
		return err_nomem(err);
	openssl_ready();
	hash->ctx = EVP_MD_CTX_new();
	if (hash->ctx == NULL ||
		EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL) != 1) {
		crypto_sha256_free(hash);
		return openssl_err(err, "SHA-256");
	}
	*out = hash;
	return true;
}

bool crypto_sha256_update(struct crypto_sha256 *hash, const void *data,
	size_t len, struct err *err)
{
	if (EVP_DigestUpdate(hash->ctx, data, len) != 1)
		return openssl_err(err, "SHA-256");
	return true;
}

bool crypto_sha256_final(struct crypto_sha256 *hash,
	uint8_t out[CRYPTO_SHA256_LEN], struct err *err)
{
	if (EVP_DigestFinal_ex(hash->ctx, out, NULL) != 1)
		return openssl_err(err, "SHA-256");
	return true;
}

void crypto_sha256_free(struct crypto_sha256 *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->ctx);
	free(hash);
}

static bool digest(const EVP_MD *md, const void *data, size_t len, uint8_t *out,
	size_t *out_len, struct err *err)
{
	unsigned written = 0;

	openssl_ready();
	if (EVP_Digest(data, len, out, &written, md, NULL) != 1)
		return openssl_err(err, "digest");
	*out_len = written;
	return true;
}

bool crypto_sha256(const void *data, size_t len, uint8_t out[CRYPTO_SHA256_LEN],
	struct err *err)
{
	size_t written;

	return digest(EVP_sha256(), data, len, out, &written, err);
}

bool crypto_digest(uint8_t algorithm, const struct buf *data,
	uint8_t out[CRYPTO_DIGEST_MAX], size_t *out_len, struct err *err)
{
	const struct algorithm *alg = openssl_algorithm(algorithm, err);
	const EVP_MD *md;

	if (alg == NULL)
		return false;
	md = openssl_md(alg);
	if (md == NULL)
		return err_set(err, ERR_INPUT,
			"%s signs the message, not a digest", alg->name);
	return digest(md, data->data, data->len, out, out_len, err);
}

bool crypto_ds(const struct dnskey *key, const struct buf *owner, int type,
	uint8_t out[CRYPTO_DIGEST_MAX], size_t *out_len, struct err *err)
{
	struct buf input = BUF_EMPTY;
	bool ok;

	ds_digest_input(owner, key, &input);
	ok = buf_ok(&input, err) &&
	     digest(type == DS_SHA384 ? EVP_sha384() : EVP_sha256(), input.data,
		     input.len, out, out_len, err);
	buf_free(&input);
	return ok;
}

bool crypto_random(void *out, size_t len, struct err *err)
{
	openssl_ready();
	if (len > INT32_MAX || RAND_bytes(out, (int)len) != 1)
		return openssl_err(err, "random bytes");
	return true;
}
