/* SPDX-License-Identifier: ISC */
/* Signatures, in the form that DNSSEC wants them. */
#include "token/cryptoki.h"

#include "crypto/crypto.h"
#include "dns/algorithm.h"

#include <assert.h>

/* Room for RSA with 4096 bits, the longest here, and then some. */
#define SIGNATURE_MAX 1024

/* What stands before a digest in a PKCS#1 v1.5 signature (RFC 8017 §9.2). */
static const uint8_t digest_info_sha256[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09,
	0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
	0x20};
static const uint8_t digest_info_sha512[] = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09,
	0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04,
	0x40};

/* How each algorithm signs; whole is the mechanism that digests as well. */
static const struct method {
	uint8_t algorithm;
	CK_MECHANISM_TYPE bare, whole;
	const uint8_t *digest_info;
	size_t digest_info_len;
} methods[] = {
	{ALGORITHM_RSASHA256, CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS,
		digest_info_sha256, sizeof(digest_info_sha256)},
	{ALGORITHM_RSASHA512, CKM_RSA_PKCS, CKM_SHA512_RSA_PKCS,
		digest_info_sha512, sizeof(digest_info_sha512)},
	{ALGORITHM_ECDSAP256SHA256, CKM_ECDSA, CKM_ECDSA_SHA256, NULL, 0},
	{ALGORITHM_ECDSAP384SHA384, CKM_ECDSA, CKM_ECDSA_SHA384, NULL, 0},
	{ALGORITHM_ED25519, CKM_EDDSA, CKM_EDDSA, NULL, 0},
	{ALGORITHM_ED448, CKM_EDDSA, CKM_EDDSA, NULL, 0},
};

static const struct method *find_method(uint8_t algorithm)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (methods[i].algorithm == algorithm)
			return &methods[i];
	return NULL;
}

/* What the token is given to sign. */
static bool prepare_input(const struct method *method, bool whole,
	const struct buf *data, struct buf *input, struct err *err)
{
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t length = 0;

	if (whole) {
		buf_bytes(input, data->data, data->len);
		return buf_ok(input, err);
	}
	if (!crypto_digest(method->algorithm, data, digest, &length, err))
		return false;
	buf_bytes(input, method->digest_info, method->digest_info_len);
	buf_bytes(input, digest, length);
	return buf_ok(input, err);
}

/* CK_EDDSA_PARAMS of PKCS#11 v3.0, which older headers do not have. */
struct eddsa_params {
	CK_BBOOL prehash;
	CK_ULONG context_len;
	CK_BYTE *context;
};

/*
 * Ed448 takes parameters in PKCS#11 v3.0 §6.3.8, and modules from before it
 * take none: whoever refuses the one gets the other.
 */
static bool start_sign(
	const struct token_key *key, CK_MECHANISM *mechanism, struct err *err)
{
	struct token *token = key->token;
	const CK_FUNCTION_LIST *f = token->module->functions;
	CK_OBJECT_HANDLE object = key_of(key)->private_object;
	struct eddsa_params plain = {CK_FALSE, 0, NULL};
	CK_RV rv;

	rv = f->C_SignInit(token->session, mechanism, object);
	if (rv == CKR_MECHANISM_PARAM_INVALID && key->type == TOKEN_ED448) {
		mechanism->pParameter = &plain;
		mechanism->ulParameterLen = sizeof(plain);
		rv = f->C_SignInit(token->session, mechanism, object);
		mechanism->pParameter = NULL;
		mechanism->ulParameterLen = 0;
	}
	if (rv != CKR_OK)
		return token_failed(token, "C_SignInit", rv, err);
	return true;
}

static bool run_sign(const struct token_key *key, CK_MECHANISM *mechanism,
	const struct buf *input, struct buf *signature, struct err *err)
{
	struct token *token = key->token;
	const CK_FUNCTION_LIST *f = token->module->functions;
	uint8_t bytes[SIGNATURE_MAX] = {0};
	CK_ULONG length = sizeof(bytes);
	size_t expected = key_kind(key->type)->signature_len;
	CK_RV rv;

	if (expected == 0)
		expected = (key->bits + 7) / 8;
	if (!start_sign(key, mechanism, err))
		return false;
	rv = f->C_Sign(token->session, input->data, input->len, bytes, &length);
	if (rv != CKR_OK)
		return token_failed(token, "C_Sign", rv, err);
	if (length != expected)
		return token_refuse(token, err,
			"C_Sign: a signature of %lu bytes with %s, which "
			"makes %zu",
			length, key->label, expected);
	buf_bytes(signature, bytes, length);
	return buf_ok(signature, err);
}

bool token_sign(const struct token_key *key, uint8_t algorithm,
	bool hash_in_hsm, const struct buf *data, struct buf *signature,
	struct err *err)
{
	const struct method *method = find_method(algorithm);
	struct buf input = BUF_EMPTY;
	CK_MECHANISM mechanism = {0, NULL, 0};
	bool whole;
	bool ok = false;

	if (!token_key_check(key, algorithm, err))
		return false;
	assert(method != NULL); /* both tables have the same algorithms */
	if (!key->has_private)
		return token_refuse(key->token, err,
			"there is no private key labelled %s", key->label);
	whole = hash_in_hsm || method->bare == method->whole;
	mechanism.mechanism = whole ? method->whole : method->bare;
	if (!token_has_mechanism(
		    key->token, mechanism.mechanism, CKF_SIGN, err))
		return false;
	ok = prepare_input(method, whole, data, &input, err) &&
	     run_sign(key, &mechanism, &input, signature, err);
	buf_free(&input);
	return ok;
}
