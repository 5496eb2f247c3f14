/* SPDX-License-Identifier: ISC */
#include "lib/crypto/openssl.h"
#include "lib/base/buf.h"
#include "lib/crypto/crypto.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

void openssl_ready(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

bool openssl_err(struct err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return err_set(err, ERR_INPUT, "%s: %s", what,
		reason != NULL ? reason : "refused by OpenSSL");
}

const EVP_MD *openssl_md(const struct algorithm *algorithm)
{
	switch (algorithm->digest) {
	case ALGORITHM_SHA256:
		return EVP_sha256();
	case ALGORITHM_SHA384:
		return EVP_sha384();
	case ALGORITHM_SHA512:
		return EVP_sha512();
	case ALGORITHM_PURE:
		break;
	}
	return NULL;
}

const char *openssl_curve(const struct algorithm *algorithm)
{
	switch (algorithm->number) {
	case ALGORITHM_ECDSAP256SHA256:
		return "P-256";
	case ALGORITHM_ECDSAP384SHA384:
		return "P-384";
	case ALGORITHM_ED25519:
		return "ED25519";
	case ALGORITHM_MLDSA44:
		return "ML-DSA-44";
	default:
		return "ED448";
	}
}

const struct algorithm *openssl_algorithm(uint8_t number, struct err *err)
{
	const struct algorithm *algorithm = algorithm_by_number(number);

	if (algorithm_is_supported(algorithm))
		return algorithm;
	err_set(err, ERR_INPUT, "unsupported algorithm %u (%s)", number,
		algorithm_name(number));
	return NULL;
}

static EVP_PKEY *from_params(
	const char *type, OSSL_PARAM_BLD *builder, struct err *err)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <=
			0) {
		openssl_err(err, "public key");
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *public_rsa(const struct dnskey *key, struct err *err)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY *pkey = NULL;
	struct dnskey_rsa rsa;

	if (!dnskey_rsa(key, &rsa, err))
		goto done;
	n = BN_bin2bn(rsa.modulus, (int)rsa.modulus_len, NULL);
	e = BN_bin2bn(rsa.exponent, (int)rsa.exponent_len, NULL);
	if (builder == NULL || n == NULL || e == NULL ||
		!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
		!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e)) {
		openssl_err(err, "public key");
		goto done;
	}
	pkey = from_params("RSA", builder, err);
done:
	BN_free(n);
	BN_free(e);
	OSSL_PARAM_BLD_free(builder);
	return pkey;
}

static EVP_PKEY *public_ecdsa(const struct algorithm *algorithm,
	const struct dnskey *key, struct err *err)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	struct buf point = BUF_EMPTY;
	EVP_PKEY *pkey = NULL;

	/* DNSSEC leaves out the byte that says "uncompressed". */
	buf_u8(&point, 4);
	buf_bytes(&point, key->public_key.data, key->public_key.len);
	if (!buf_ok(&point, err))
		goto done;
	if (builder == NULL ||
		!OSSL_PARAM_BLD_push_utf8_string(builder,
			OSSL_PKEY_PARAM_GROUP_NAME, openssl_curve(algorithm),
			0) ||
		!OSSL_PARAM_BLD_push_octet_string(builder,
			OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len)) {
		openssl_err(err, "public key");
		goto done;
	}
	pkey = from_params("EC", builder, err);
done:
	buf_free(&point);
	OSSL_PARAM_BLD_free(builder);
	return pkey;
}

EVP_PKEY *openssl_public(const struct dnskey *key, struct err *err)
{
	const struct algorithm *alg = openssl_algorithm(key->algorithm, err);
	struct buf body;
	EVP_PKEY *pkey;
	unsigned bits;

	openssl_ready();
	if (alg == NULL || !dnskey_size(key, &bits, err))
		return NULL;
	if (alg->family == ALGORITHM_RSA)
		return public_rsa(key, err);
	if (alg->family == ALGORITHM_ECDSA)
		return public_ecdsa(alg, key, err);
	/* That it is there is what the size was found by. */
	if (!algorithm_body(alg, &key->public_key, &body))
		return NULL;
	pkey = EVP_PKEY_new_raw_public_key_ex(
		NULL, openssl_curve(alg), NULL, body.data, body.len);
	if (pkey == NULL)
		openssl_err(err, "public key");
	return pkey;
}

bool crypto_check_public(const struct dnskey *key, struct err *err)
{
	EVP_PKEY *pkey = openssl_public(key, err);
	const struct algorithm *alg = algorithm_by_number(key->algorithm);
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (pkey == NULL)
		return false;
	/* RSA has no such check; on these curves every point is of the group.
	 */
	if (alg->family == ALGORITHM_RSA) {
		EVP_PKEY_free(pkey);
		return true;
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	ok = ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;
	if (!ok)
		openssl_err(err, "the public key is not a point on its curve");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}
