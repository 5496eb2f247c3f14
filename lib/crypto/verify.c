/* SPDX-License-Identifier: ISC */
/* Verifying signatures. */
#include "lib/base/buf.h"
#include "lib/crypto/openssl.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* More distinct keys than any ceremony has; the rest is not remembered. */
#define CACHE_MAX 32

/*
 * A key made ready.  Setting up a verification costs half as much as the
 * verification itself, so it is done once for each key; what signs the message
 * itself has no such form.
 */
struct cached {
	struct dnskey key;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ready; /* verifies digests; NULL where there is none */
	EVP_MD *digest;      /* makes them; NULL likewise */
};

struct crypto_cache {
	struct cached entries[CACHE_MAX];
	size_t count;
};

bool crypto_cache_new(struct crypto_cache **out, struct err *err)
{
	struct crypto_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return err_nomem(err);
	openssl_ready();
	*out = cache;
	return true;
}

static void cached_clear(struct cached *entry)
{
	dnskey_free(&entry->key);
	EVP_MD_free(entry->digest);
	EVP_PKEY_CTX_free(entry->ready);
	EVP_PKEY_free(entry->pkey);
}

void crypto_cache_free(struct crypto_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->count; i++)
		cached_clear(&cache->entries[i]);
	free(cache);
}

/* Unpack a key.  On success the caller clears *out. */
static bool cached_new(const struct algorithm *alg, const struct dnskey *key,
	struct cached *out, struct err *err)
{
	struct cached entry = {.pkey = openssl_public(key, err)};

	if (entry.pkey == NULL)
		return false;
	if (!dnskey_copy(key, &entry.key, err))
		goto refused;
	if (alg->digest != ALGORITHM_PURE) {
		const EVP_MD *md = openssl_md(alg);

		entry.digest = EVP_MD_fetch(NULL, EVP_MD_get0_name(md), NULL);
		entry.ready = EVP_PKEY_CTX_new(entry.pkey, NULL);
		if (entry.digest == NULL || entry.ready == NULL ||
			EVP_PKEY_verify_init(entry.ready) <= 0 ||
			EVP_PKEY_CTX_set_signature_md(entry.ready, md) <= 0) {
			openssl_err(err, "public key");
			goto refused;
		}
	}
	*out = entry;
	return true;
refused:
	cached_clear(&entry);
	return false;
}

/* The key as it is remembered; NULL where it is not. */
static const struct cached *cache_find(
	const struct crypto_cache *cache, const struct dnskey *key)
{
	for (size_t i = 0; cache != NULL && i < cache->count; i++)
		if (dnskey_same_public(&cache->entries[i].key, key))
			return &cache->entries[i];
	return NULL;
}

bool crypto_ecdsa_to_der(
	const struct buf *signature, struct buf *out, struct err *err)
{
	int half = (int)(signature->len / 2);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature->data, half, NULL);
	BIGNUM *s = BN_bin2bn(signature->data + half, half, NULL);
	unsigned char *der = NULL;
	int len = -1;

	if (sig != NULL && r != NULL && s != NULL &&
		ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* sig owns them now */
		len = i2d_ECDSA_SIG(sig, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	if (len <= 0)
		return openssl_err(err, "ECDSA signature");
	buf_bytes(out, der, (size_t)len);
	OPENSSL_free(der);
	return buf_ok(out, err);
}

/* Signature in the form EVP wants, borrowed from it or from *der. */
static bool evp_signature(const struct algorithm *alg,
	const struct buf *signature, struct buf *der, struct buf *out,
	struct err *err)
{
	if (alg->signature_len != 0 && signature->len != alg->signature_len)
		return err_set(err, ERR_INPUT,
			"%s signature of %zu bytes, expected %zu", alg->name,
			signature->len, alg->signature_len);
	if (!algorithm_body(alg, signature, out))
		return err_set(err, ERR_INPUT,
			"%s signature that does not begin with the algorithm's identifier (RFC 4034 appendix A.1.1)",
			alg->name);
	if (alg->family != ALGORITHM_ECDSA)
		return true;
	if (!crypto_ecdsa_to_der(signature, der, err))
		return false;
	*out = *der;
	return true;
}

static bool evp_verify_message(
	EVP_PKEY *pkey, const struct buf *data, const struct buf *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx != NULL &&
	     EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	     EVP_DigestVerify(ctx, signature->data, signature->len, data->data,
		     data->len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static bool evp_verify(const struct cached *entry, const struct buf *data,
	const struct buf *signature, struct err *err)
{
	uint8_t digest[CRYPTO_DIGEST_MAX];
	unsigned len = 0;
	bool ok;

	if (entry->ready == NULL)
		ok = evp_verify_message(entry->pkey, data, signature);
	else
		ok = EVP_Digest(data->data, data->len, digest, &len,
			     entry->digest, NULL) == 1 &&
		     EVP_PKEY_verify(entry->ready, signature->data,
			     signature->len, digest, len) == 1;
	ERR_clear_error();
	if (!ok)
		return err_set(err, ERR_INPUT, "the signature does not verify");
	return true;
}

bool crypto_verify(struct crypto_cache *cache, const struct dnskey *key,
	const struct buf *data, const struct buf *signature, struct err *err)
{
	const struct algorithm *alg = openssl_algorithm(key->algorithm, err);
	const struct cached *entry = cache_find(cache, key);
	struct buf form = BUF_EMPTY;
	struct cached made = {.pkey = NULL};
	struct buf der = BUF_EMPTY;
	bool ok = false;

	if (alg == NULL)
		return false;
	if (entry == NULL) {
		if (!cached_new(alg, key, &made, err))
			return false;
		entry = &made;
		if (cache != NULL && cache->count < CACHE_MAX) {
			cache->entries[cache->count] = made;
			made = (struct cached){.pkey = NULL};
			entry = &cache->entries[cache->count++];
		}
	}
	ok = evp_signature(alg, signature, &der, &form, err) &&
	     evp_verify(entry, data, &form, err);
	buf_free(&der);
	cached_clear(&made);
	return ok;
}
