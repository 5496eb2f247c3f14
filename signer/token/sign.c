/* SPDX-License-Identifier: ISC */
/* Signatures, in the form that DNSSEC wants them. */
#include "signer/token/cryptoki.h"

#include "lib/base/buf.h"
#include "lib/cli/waiting.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"

#include <assert.h>

/* Room for ML-DSA-44, the longest here, and then some. */
#define SIGNATURE_MAX 4096

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
	{ALGORITHM_MLDSA44, CKM_ML_DSA, CKM_ML_DSA, NULL, 0},
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
	/* A mechanism that signs a digest was chosen by it. */
	assert(method != NULL);
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
static bool start_sign(const struct token_key *key, CK_SESSION_HANDLE session,
	CK_MECHANISM *mechanism, struct err *err)
{
	struct token *token = key->token;
	const CK_FUNCTION_LIST *f = token->module->functions;
	CK_OBJECT_HANDLE object = key_of(key)->private_object;
	struct eddsa_params plain = {CK_FALSE, 0, NULL};
	CK_RV rv;

	waiting_begin("a signature");
	rv = f->C_SignInit(session, mechanism, object);
	if (rv == CKR_MECHANISM_PARAM_INVALID && key->type == TOKEN_ED448) {
		mechanism->pParameter = &plain;
		mechanism->ulParameterLen = sizeof(plain);
		rv = f->C_SignInit(session, mechanism, object);
		mechanism->pParameter = NULL;
		mechanism->ulParameterLen = 0;
	}
	waiting_end();
	if (rv == CKR_OK)
		return true;
	token_failed(token, "C_SignInit", rv, err);
	/* What is about the key, not about the token. */
	if (rv == CKR_KEY_FUNCTION_NOT_PERMITTED ||
		rv == CKR_KEY_TYPE_INCONSISTENT || rv == CKR_KEY_SIZE_RANGE ||
		rv == CKR_MECHANISM_INVALID || rv == CKR_ACTION_PROHIBITED)
		err->about_key = true;
	return false;
}

static bool run_sign(const struct token_key *key, uint8_t algorithm,
	CK_MECHANISM *mechanism, const struct buf *input, struct buf *signature,
	struct err *err)
{
	const struct algorithm *row = algorithm_by_number(algorithm);
	struct token *token = key->token;
	const CK_FUNCTION_LIST *f = token->module->functions;
	uint8_t bytes[SIGNATURE_MAX] = {0};
	CK_ULONG length = sizeof(bytes);
	size_t expected = key_kind(key->type)->signature_len;
	CK_RV rv;

	if (expected == 0)
		expected = (key->bits + 7) / 8;
	if (!start_sign(key, token->session, mechanism, err) ||
		(key_of(key)->always_authenticate &&
			!token_context_login(token, token->session, err)))
		return false;
	waiting_begin("a signature");
	rv = f->C_Sign(token->session, input->data, input->len, bytes, &length);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_Sign", rv, err);
	if (length != expected)
		return token_refuse(token, err,
			"C_Sign: a signature of %lu bytes with %s, which makes %zu",
			length, key->label, expected);
	buf_bytes(signature, row->oid, algorithm_prefix(row));
	buf_bytes(signature, bytes, length);
	return buf_ok(signature, err);
}

/* The mechanism that signs, and that the token has it. */
static bool choose_mechanism(const struct token_key *key, uint8_t algorithm,
	bool hash_in_hsm, CK_MECHANISM *out, bool *whole, struct err *err)
{
	const struct method *method = find_method(algorithm);

	if (!token_key_check(key, algorithm, err))
		return false;
	assert(method != NULL); /* both tables have the same algorithms */
	if (!key->has_private)
		return token_unusable(key->token, err,
			"there is no private key labelled %s", key->label);
	*whole = hash_in_hsm || method->bare == method->whole;
	out->mechanism = *whole ? method->whole : method->bare;
	return token_has_mechanism(key->token, out->mechanism, CKF_SIGN, err);
}

/*
 * In a session of its own, whose end takes back what was begun.  A key that
 * wants the PIN each time gets it where no signature will show that it does.
 */
static bool begin_only(
	const struct token_key *key, CK_MECHANISM *mechanism, struct err *err)
{
	struct token *token = key->token;
	const CK_FUNCTION_LIST *f = token->module->functions;
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	bool ok;
	CK_RV rv;

	waiting_begin("a session");
	rv = f->C_OpenSession(
		token->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_OpenSession", rv, err);
	ok = start_sign(key, session, mechanism, err) &&
	     (!key_of(key)->always_authenticate ||
		     !key_of(key)->halves_compared ||
		     token_context_login(token, session, err));
	(void)f->C_CloseSession(session);
	return ok;
}

bool token_can_sign(const struct token_key *key, uint8_t algorithm,
	bool hash_in_hsm, bool *proven, struct err *err)
{
	CK_MECHANISM mechanism = {0, NULL, 0};
	bool whole;

	if (!choose_mechanism(
		    key, algorithm, hash_in_hsm, &mechanism, &whole, err))
		return false;
	if (key_of(key)->sign_forbidden)
		return token_unusable(key->token, err,
			"the key %s is not for signing (CKA_SIGN)", key->label);
	if ((key_of(key)->always_authenticate &&
		    !token_context_pin(key->token, err)) ||
		!begin_only(key, &mechanism, err))
		return false;
	*proven = key_of(key)->halves_compared;
	return true;
}

bool token_sign(const struct token_key *key, uint8_t algorithm,
	bool hash_in_hsm, const struct buf *data, struct buf *signature,
	struct err *err)
{
	struct buf input = BUF_EMPTY;
	CK_MECHANISM mechanism = {0, NULL, 0};
	bool whole = false, ok;

	if (!choose_mechanism(
		    key, algorithm, hash_in_hsm, &mechanism, &whole, err))
		return false;
	ok = prepare_input(find_method(algorithm), whole, data, &input, err) &&
	     run_sign(key, algorithm, &mechanism, &input, signature, err);
	buf_free(&input);
	return ok;
}
