/* SPDX-License-Identifier: ISC */
/* Key pairs in memory: generate, read, write, sign. */
#include "lib/crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 4096
/* Room for a point, and for an experiment's key and signature. */
#define PUBLIC_MAX 2048
#define SIGNATURE_MAX 4096

struct crypto_key {
	const struct algorithm *algorithm;
	EVP_PKEY *pkey;
};

/* Takes pkey over, NULL too (then err is OpenSSL's). */
static bool key_new(const struct algorithm *algorithm, EVP_PKEY *pkey,
	struct crypto_key **out, struct err *err)
{
	struct crypto_key *key;

	if (pkey == NULL)
		return openssl_err(err, "private key");
	key = calloc(1, sizeof(*key));
	if (key == NULL) {
		EVP_PKEY_free(pkey);
		return err_nomem(err);
	}
	key->algorithm = algorithm;
	key->pkey = pkey;
	*out = key;
	return true;
}

bool crypto_key_generate(uint8_t algorithm, unsigned bits,
	struct crypto_key **out, struct err *err)
{
	const struct algorithm *alg = openssl_algorithm(algorithm, err);
	EVP_PKEY *pkey;

	if (alg == NULL)
		return false;
	openssl_ready();
	if (alg->family == ALGORITHM_RSA &&
		(bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
		return err_set(err, ERR_INPUT,
			"RSA key of %u bits, expected %d to %d", bits,
			RSA_BITS_MIN, RSA_BITS_MAX);
	if (alg->family == ALGORITHM_RSA)
		pkey = EVP_RSA_gen(bits);
	else if (alg->family == ALGORITHM_ECDSA)
		pkey = EVP_EC_gen(openssl_curve(alg));
	else
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, openssl_curve(alg));
	return key_new(alg, pkey, out, err);
}

/* Is pkey of the algorithm's family and curve? */
static bool key_fits(const struct algorithm *alg, EVP_PKEY *pkey)
{
	char group[32] = "";

	if (alg->family == ALGORITHM_RSA)
		return EVP_PKEY_is_a(pkey, "RSA") == 1;
	if (alg->family != ALGORITHM_ECDSA)
		return EVP_PKEY_is_a(pkey, openssl_curve(alg)) == 1;
	return EVP_PKEY_is_a(pkey, "EC") == 1 &&
	       EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
		       group, sizeof(group), NULL) == 1 &&
	       EVP_PKEY_get_bits(pkey) == (int)alg->bits &&
	       (strcmp(group, alg->bits == 256 ? "prime256v1" : "secp384r1") ==
			       0 ||
		       strcmp(group, openssl_curve(alg)) == 0);
}

bool crypto_key_read(uint8_t algorithm, const struct buf *pkcs8,
	struct crypto_key **out, struct err *err)
{
	const struct algorithm *alg = openssl_algorithm(algorithm, err);
	const unsigned char *p = pkcs8->data;
	EVP_PKEY *pkey;

	if (alg == NULL)
		return false;
	openssl_ready();
	pkey = d2i_AutoPrivateKey(NULL, &p, (long)pkcs8->len);
	if (pkey != NULL && !key_fits(alg, pkey)) {
		EVP_PKEY_free(pkey);
		return err_set(err, ERR_INPUT, "the private key is not for %s",
			alg->name);
	}
	return key_new(alg, pkey, out, err);
}

static EVP_PKEY *pair_of(
	const char *type, OSSL_PARAM_BLD *builder, struct err *err)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) <= 0) {
		openssl_err(err, "private key");
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

/* The halves must belong together, whatever a file says. */
static bool take_pair(const struct algorithm *alg, EVP_PKEY *pkey,
	struct crypto_key **out, struct err *err)
{
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (pkey == NULL)
		return false;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	ok = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (ok)
		return key_new(alg, pkey, out, err);
	EVP_PKEY_free(pkey);
	return openssl_err(err, "private key");
}

bool crypto_key_of_numbers(uint8_t algorithm,
	const struct buf numbers[CRYPTO_RSA_NUMBERS], struct crypto_key **out,
	struct err *err)
{
	static const char *const names[CRYPTO_RSA_NUMBERS] = {
		OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
		OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
	const struct algorithm *alg = openssl_algorithm(algorithm, err);
	BIGNUM *values[CRYPTO_RSA_NUMBERS] = {NULL};
	OSSL_PARAM_BLD *builder;
	EVP_PKEY *pkey = NULL;
	bool ok = true;

	if (alg == NULL)
		return false;
	if (alg->family != ALGORITHM_RSA)
		return err_set(err, ERR_INPUT, "the private key is not for %s",
			alg->name);
	openssl_ready();
	builder = OSSL_PARAM_BLD_new();
	for (size_t i = 0; ok && i < CRYPTO_RSA_NUMBERS; i++) {
		values[i] =
			BN_bin2bn(numbers[i].data, (int)numbers[i].len, NULL);
		ok = builder != NULL && values[i] != NULL &&
		     numbers[i].len <= RSA_BITS_MAX / 8 &&
		     OSSL_PARAM_BLD_push_BN(builder, names[i], values[i]) == 1;
	}
	if (ok)
		pkey = pair_of("RSA", builder, err);
	else
		openssl_err(err, "private key");
	OSSL_PARAM_BLD_free(builder);
	for (size_t i = 0; i < CRYPTO_RSA_NUMBERS; i++)
		BN_clear_free(values[i]);
	return take_pair(alg, pkey, out, err);
}

/* The point that belongs to the private number, uncompressed; its length. */
static size_t public_point(
	const EC_GROUP *group, const BIGNUM *number, uint8_t *out, size_t size)
{
	EC_POINT *point = EC_POINT_new(group);
	size_t len = 0;

	if (point != NULL &&
		EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1)
		len = EC_POINT_point2oct(group, point,
			POINT_CONVERSION_UNCOMPRESSED, out, size, NULL);
	EC_POINT_free(point);
	return len;
}

static EVP_PKEY *ec_of_bytes(
	const struct algorithm *alg, const struct buf *bytes, struct err *err)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(
		alg->bits == 256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	BIGNUM *number = BN_bin2bn(bytes->data, (int)bytes->len, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	uint8_t point[256];
	size_t len = 0;

	if (group != NULL && number != NULL)
		len = public_point(group, number, point, sizeof(point));
	if (len > 0 && builder != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(builder,
			OSSL_PKEY_PARAM_GROUP_NAME, openssl_curve(alg),
			0) == 1 &&
		OSSL_PARAM_BLD_push_BN(
			builder, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point, len) == 1)
		pkey = pair_of("EC", builder, err);
	else
		openssl_err(err, "private key");
	OSSL_PARAM_BLD_free(builder);
	BN_clear_free(number);
	EC_GROUP_free(group);
	return pkey;
}

bool crypto_key_of_bytes(uint8_t algorithm, const struct buf *bytes,
	struct crypto_key **out, struct err *err)
{
	const struct algorithm *alg = openssl_algorithm(algorithm, err);
	EVP_PKEY *pkey;

	if (alg == NULL)
		return false;
	openssl_ready();
	if (alg->family == ALGORITHM_RSA)
		return err_set(err, ERR_INPUT, "the private key is not for %s",
			alg->name);
	if (alg->family == ALGORITHM_ECDSA)
		return take_pair(alg, ec_of_bytes(alg, bytes, err), out, err);
	pkey = EVP_PKEY_new_raw_private_key_ex(
		NULL, openssl_curve(alg), NULL, bytes->data, bytes->len);
	return key_new(alg, pkey, out, err);
}

bool crypto_key_write(
	const struct crypto_key *key, struct buf *out, struct err *err)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
	unsigned char *der = NULL;
	int len = -1;

	if (info != NULL)
		len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	PKCS8_PRIV_KEY_INFO_free(info);
	if (len <= 0)
		return openssl_err(err, "private key");
	buf_bytes(out, der, (size_t)len);
	OPENSSL_clear_free(der, (size_t)len);
	return buf_ok(out, err);
}

static bool rsa_field(EVP_PKEY *pkey, struct buf *out, struct err *err)
{
	uint8_t n_bytes[RSA_BITS_MAX / 8], e_bytes[RSA_BITS_MAX / 8];
	BIGNUM *n = NULL, *e = NULL;
	bool ok = false;
	int n_len, e_len;

	if (EVP_PKEY_get_bits(pkey) > RSA_BITS_MAX ||
		!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) ||
		!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) ||
		BN_num_bytes(e) > RSA_BITS_MAX / 8) {
		openssl_err(err, "public key");
		goto done;
	}
	n_len = BN_bn2bin(n, n_bytes);
	e_len = BN_bn2bin(e, e_bytes);
	dnskey_rsa_field(e_bytes, (size_t)e_len, n_bytes, (size_t)n_len, out);
	ok = buf_ok(out, err);
done:
	BN_free(n);
	BN_free(e);
	return ok;
}

static bool point_field(
	const struct crypto_key *key, struct buf *out, struct err *err)
{
	size_t prefix = algorithm_prefix(key->algorithm);
	uint8_t point[PUBLIC_MAX];
	size_t len = sizeof(point), skip = 0;

	if (key->algorithm->family == ALGORITHM_ECDSA) {
		skip = 1; /* the 0x04 that DNSSEC leaves out */
		if (EVP_PKEY_get_octet_string_param(key->pkey,
			    OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
			    &len) != 1)
			return openssl_err(err, "public key");
	} else if (EVP_PKEY_get_raw_public_key(key->pkey, point, &len) != 1) {
		return openssl_err(err, "public key");
	}
	if (len != key->algorithm->key_len - prefix + skip)
		return err_set(err, ERR_INPUT, "public key of %zu bytes", len);
	buf_bytes(out, key->algorithm->oid, prefix);
	buf_bytes(out, point + skip, len - skip);
	return buf_ok(out, err);
}

bool crypto_key_dnskey(const struct crypto_key *key, uint16_t flags,
	struct dnskey *out, struct err *err)
{
	struct dnskey dnskey = {.flags = flags,
		.protocol = DNSKEY_PROTOCOL,
		.algorithm = key->algorithm->number};
	bool ok;

	if (key->algorithm->family == ALGORITHM_RSA)
		ok = rsa_field(key->pkey, &dnskey.public_key, err);
	else
		ok = point_field(key, &dnskey.public_key, err);
	if (!ok) {
		dnskey_free(&dnskey);
		return false;
	}
	*out = dnskey;
	return true;
}

/* DER to r | s, each padded to half of the algorithm's signature length. */
static bool ecdsa_from_der(const struct algorithm *alg, const uint8_t *der,
	size_t len, struct buf *out, struct err *err)
{
	int half = (int)alg->signature_len / 2;
	const unsigned char *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	uint8_t fixed[CRYPTO_DIGEST_MAX * 2];
	bool ok;

	ok = sig != NULL &&
	     BN_bn2binpad(ECDSA_SIG_get0_r(sig), fixed, half) == half &&
	     BN_bn2binpad(ECDSA_SIG_get0_s(sig), fixed + half, half) == half;
	ECDSA_SIG_free(sig);
	if (!ok)
		return openssl_err(err, "ECDSA signature");
	buf_bytes(out, fixed, alg->signature_len);
	return buf_ok(out, err);
}

bool crypto_key_sign(const struct crypto_key *key, const struct buf *data,
	struct buf *out, struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	bool ok;

	ok = ctx != NULL &&
	     EVP_DigestSignInit(ctx, NULL, openssl_md(key->algorithm), NULL,
		     key->pkey) == 1 &&
	     EVP_DigestSign(ctx, signature, &len, data->data, data->len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return openssl_err(err, "signing");
	if (key->algorithm->family == ALGORITHM_ECDSA)
		return ecdsa_from_der(key->algorithm, signature, len, out, err);
	buf_bytes(out, key->algorithm->oid, algorithm_prefix(key->algorithm));
	buf_bytes(out, signature, len);
	return buf_ok(out, err);
}

void crypto_key_free(struct crypto_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}
