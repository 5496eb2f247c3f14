/* SPDX-License-Identifier: ISC */
/*
 * The door to OpenSSL: no other module includes its headers.
 *
 * Errors are ERR_INPUT where the material is bad, and where OpenSSL refuses
 * or fails for another reason.
 */
#ifndef LIB_CRYPTO_CRYPTO_H
#define LIB_CRYPTO_CRYPTO_H

#include "lib/base/buf.h"
#include "lib/dns/dnskey.h"

#define CRYPTO_DIGEST_MAX 64

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
 * which signs many bundles is unpacked once.
 */
struct crypto_cache;
bool crypto_cache_new(struct crypto_cache **out, struct err *err);
void crypto_cache_free(struct crypto_cache *cache);

/*
 * Is signature, in DNSSEC form (RSA PKCS#1 v1.5; ECDSA r | s; EdDSA), a
 * valid signature by key over data?  False with ERR_INPUT for a wrong
 * signature and for a key that is not one.  cache may be NULL.
 */
bool crypto_verify(struct crypto_cache *cache, const struct dnskey *key,
	const struct buf *data, const struct buf *signature, struct err *err);

/*
 * Is it a public key of its algorithm: well-formed, of a size, and for a curve
 * a point on it?  ERR_INPUT where not.
 */
bool crypto_check_public(const struct dnskey *key, struct err *err);

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
 * From DER bytes: PKCS#8, PKCS#1 or SEC1.  The algorithm tells RSASHA256 from
 * RSASHA512; the key must be of its family and curve.
 */
bool crypto_key_read(uint8_t algorithm, const struct buf *pkcs8,
	struct crypto_key **out, struct err *err);

/*
 * From the numbers of an RSA key, as bytes: modulus, exponents (public,
 * private), primes, exponents for these, coefficient; or from the private
 * bytes of a key on a curve.
 */
#define CRYPTO_RSA_NUMBERS 8
bool crypto_key_of_numbers(uint8_t algorithm,
	const struct buf numbers[CRYPTO_RSA_NUMBERS], struct crypto_key **out,
	struct err *err);
bool crypto_key_of_bytes(uint8_t algorithm, const struct buf *bytes,
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
