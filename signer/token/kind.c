/* SPDX-License-Identifier: ISC */
/* Kinds of keys: one table for finding, signing and making them. */
#include "signer/token/cryptoki.h"

#include <assert.h>
#include <string.h>

/* 1.2.840.10045.3.1.7, 1.3.132.0.34 (RFC 5480 §2.1.1.1). */
static const uint8_t oid_p256[] = {
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
/* 1.3.101.112, 1.3.101.113 (RFC 8410 §3). */
static const uint8_t oid_ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t oid_ed448[] = {0x06, 0x03, 0x2b, 0x65, 0x71};

#define OID(name) name, sizeof(name)

static const struct key_kind kinds[] = {
	{TOKEN_RSA, "RSA", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, 0,
		0, NULL, 0, NULL, 0, 0},
	{TOKEN_P256, "P-256", CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 256, 65,
		OID(oid_p256), NULL, 64, 0},
	{TOKEN_P384, "P-384", CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 384, 97,
		OID(oid_p384), NULL, 96, 0},
	{TOKEN_ED25519, "Ed25519", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN,
		CKM_EDDSA, 256, 32, OID(oid_ed25519), "edwards25519", 64, 0},
	{TOKEN_ED448, "Ed448", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN,
		CKM_EDDSA, 456, 57, OID(oid_ed448), "edwards448", 114, 0},
	{TOKEN_MLDSA44, "ML-DSA-44", CKK_ML_DSA, CKM_ML_DSA_KEY_PAIR_GEN,
		CKM_ML_DSA, 1312 * 8, 1312, NULL, 0, NULL, 2420, CKP_ML_DSA_44},
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

const struct key_kind *key_kind(enum token_key_type type)
{
	assert((size_t)type < KINDS && kinds[type].type == type);
	return &kinds[type];
}

/* The curve by its name: 0x13, length, text (PKCS#11 v3.0 §6.3.3). */
static bool is_curve_name(const struct buf *params, const char *name)
{
	return name != NULL && params->len == strlen(name) + 2 &&
	       params->data[0] == 0x13 && params->data[1] == strlen(name) &&
	       memcmp(params->data + 2, name, strlen(name)) == 0;
}

const struct key_kind *key_kind_find(
	CK_KEY_TYPE key_type, const struct buf *params)
{
	for (size_t i = 0; i < KINDS; i++) {
		const struct key_kind *kind = &kinds[i];

		if (kind->key_type != key_type)
			continue;
		if (kind->params == NULL ||
			(params->len == kind->params_len &&
				memcmp(params->data, kind->params,
					params->len) == 0) ||
			is_curve_name(params, kind->curve_name))
			return kind;
	}
	return NULL;
}
