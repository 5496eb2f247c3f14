/* SPDX-License-Identifier: ISC */
/*
 * The door to OpenSSL: no other module includes its headers.
 *
 * Errors are ERR_INPUT where the material is bad, and where OpenSSL refuses
 * or fails for another reason.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/buf.h"
#include "dns/dnskey.h"

#define CRYPTO_SHA256_LEN 32
#define CRYPTO_DIGEST_MAX 64

/* A SHA-256 that is fed piece by piece. */
struct crypto_sha256;
bool crypto_sha256_new(struct crypto_sha256 **out, struct err *err);
bool crypto_sha256_update(struct crypto_sha256 *hash, const void *data,
	size_t len, struct err *err);
/* Ends the hash; it can only be freed afterwards. */
bool crypto_sha256_final(struct crypto_sha256 *hash,
	uint8_t out[CRYPTO_SHA256_LEN], struct err *err);
void crypto_sha256_free(struct crypto_sha256 *hash);

/* SHA-256 of what is in memory. */
bool crypto_sha256(const void *data, size_t len, uint8_t out[CRYPTO_SHA256_LEN],
	struct err *err);

/*
 * The digest that a DNSSEC algorithm signs (SHA-256 for 8 and 13, SHA-384
 * for 14, SHA-512 for 10), for a token that signs digests.  ERR_INPUT for
 * EdDSA, which signs the message itself, and for unsupported ones.
 */
bool crypto_digest(uint8_t algorithm, const struct buf *data,
	uint8_t out[CRYPTO_DIGEST_MAX], size_t *out_len, struct err *err);

/*
 * The DS digest of a key: type DS_SHA256 (32 bytes) or DS_SHA384 (48).
 * owner is the zone's name in canonical wire form.
 */
bool crypto_ds(const struct dnskey *key, const struct buf *owner, int type,
	uint8_t out[CRYPTO_DIGEST_MAX], size_t *out_len, struct err *err);

/*
 * What a run need not do twice: public keys already unpacked, so that a key
 * which signs 900 bundles is unpacked once; and which signatures have proven
 * good, as the SHA-256 of key, data and signature, so that looking at the
 * same three again costs a hash.  Failures are not remembered.  One thread
 * uses one cache.
 */
struct crypto_cache;
bool crypto_cache_new(struct crypto_cache **out, struct err *err);
/*
 * A cache for another thread: with keys of its own, and what either has
 * proven is known to both.  It must be freed first.
 */
bool crypto_cache_new_beside(const struct crypto_cache *cache,
	struct crypto_cache **out, struct err *err);
void crypto_cache_free(struct crypto_cache *cache);

/*
 * Is signature, in DNSSEC form (RSA PKCS#1 v1.5; ECDSA r | s; EdDSA), a
 * valid signature by key over data?  False with ERR_INPUT for a wrong
 * signature and for a key that is not one.  cache may be NULL.
 */
bool crypto_verify(struct crypto_cache *cache, const struct dnskey *key,
	const struct buf *data, const struct buf *signature, struct err *err);

/* The public key as DER SubjectPublicKeyInfo, appended (CSR, PEM). */
bool crypto_spki(const struct dnskey *key, struct buf *out, struct err *err);

/*
 * ECDSA signatures between r | s, as tokens and DNSSEC have them, and DER,
 * as X.509 has them; appended.
 */
bool crypto_ecdsa_to_der(
	const struct buf *signature, struct buf *out, struct err *err);

/*
 * A key pair in memory: for ksrgen, rehearsals and tests; the ceremony's
 * keys live in the HSM.
 */
struct crypto_key;

/*
 * algorithm: a supported DNSSEC number.  bits: 1024 to 4096 for RSA
 * (exponent 65537), ignored otherwise.
 */
bool crypto_key_generate(uint8_t algorithm, unsigned bits,
	struct crypto_key **out, struct err *err);

/*
 * From DER PKCS#8 bytes.  The algorithm tells RSASHA256 from RSASHA512; the
 * key must be of its family and curve.
 */
bool crypto_key_read(uint8_t algorithm, const struct buf *pkcs8,
	struct crypto_key **out, struct err *err);

/* Append the DER PKCS#8 form, unencrypted. */
bool crypto_key_write(
	const struct crypto_key *key, struct buf *out, struct err *err);

/* Its DNSKEY with these flags, protocol 3; *out must be empty. */
bool crypto_key_dnskey(const struct crypto_key *key, uint16_t flags,
	struct dnskey *out, struct err *err);

/* Append the signature over data in DNSSEC form. */
bool crypto_key_sign(const struct crypto_key *key, const struct buf *data,
	struct buf *out, struct err *err);

void crypto_key_free(struct crypto_key *key);

/* Random bytes, for ids. */
bool crypto_random(void *out, size_t len, struct err *err);

#endif
