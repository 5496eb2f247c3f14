/* SPDX-License-Identifier: ISC */
/* Digests: what a token signs, DS. */
#include "lib/base/buf.h"
#include "lib/crypto/openssl.h"
#include "lib/dns/ds.h"

#include <openssl/rand.h>

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
