/* SPDX-License-Identifier: ISC */
#include "lib/dns/algorithm.h"

#include "lib/base/experiment.h"

#include <string.h>

/* Lengths: RFC 6605 §4, RFC 8080 §3 and §4. */
static const struct algorithm table[] = {
	{1, "RSAMD5", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0, NULL},
	{3, "DSA", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0, NULL},
	{5, "RSASHA1", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0, NULL},
	{6, "DSA-NSEC3-SHA1", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0, NULL},
	{7, "RSASHA1-NSEC3-SHA1", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0,
		NULL},
	{8, "RSASHA256", ALGORITHM_RSA, ALGORITHM_SHA256, 0, 0, 0, NULL},
	{10, "RSASHA512", ALGORITHM_RSA, ALGORITHM_SHA512, 0, 0, 0, NULL},
	{12, "ECC-GOST", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0, NULL},
	{13, "ECDSAP256SHA256", ALGORITHM_ECDSA, ALGORITHM_SHA256, 256, 64, 64,
		NULL},
	{14, "ECDSAP384SHA384", ALGORITHM_ECDSA, ALGORITHM_SHA384, 384, 96, 96,
		NULL},
	{15, "ED25519", ALGORITHM_EDDSA, ALGORITHM_PURE, 256, 32, 64, NULL},
	{16, "ED448", ALGORITHM_EDDSA, ALGORITHM_PURE, 456, 57, 114, NULL},
};

#define TABLE_LEN (sizeof(table) / sizeof(table[0]))

/*
 * id-ml-dsa-44, 2.16.840.1.101.3.4.3.17 (NIST's register of algorithms; RFC
 * 9881 section 2) in DER, behind the byte with its length that RFC 4034
 * appendix A.1.1 wants of PRIVATEOID.
 */
static const uint8_t oid_mldsa44[] = {
	0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11};

/* Only in an experiment.  Lengths: FIPS 204 table 2, and the identifier. */
static const struct algorithm experiments[] = {
	{254, "EXPERIMENT-MLDSA44", ALGORITHM_MLDSA, ALGORITHM_PURE, 1312 * 8,
		sizeof(oid_mldsa44) + 1312, sizeof(oid_mldsa44) + 2420,
		oid_mldsa44},
};

#define EXPERIMENTS_LEN (sizeof(experiments) / sizeof(experiments[0]))

/* The rows there are, one after another; NULL behind the last. */
static const struct algorithm *row(size_t i)
{
	if (i < TABLE_LEN)
		return &table[i];
	if (experiment_is_on() && i - TABLE_LEN < EXPERIMENTS_LEN)
		return &experiments[i - TABLE_LEN];
	return NULL;
}

const struct algorithm *algorithm_by_number(int64_t number)
{
	const struct algorithm *found;

	for (size_t i = 0; (found = row(i)) != NULL; i++)
		if (found->number == number)
			break;
	return found;
}

const struct algorithm *algorithm_by_name(const char *name)
{
	const struct algorithm *found;

	for (size_t i = 0; (found = row(i)) != NULL; i++)
		if (strcmp(found->name, name) == 0)
			break;
	return found;
}

bool algorithm_is_supported(const struct algorithm *algorithm)
{
	return algorithm != NULL && algorithm->family != ALGORITHM_NONE;
}

bool algorithm_is_deprecated(int64_t number)
{
	const struct algorithm *algorithm = algorithm_by_number(number);

	return algorithm != NULL && algorithm->family == ALGORITHM_NONE;
}

const char *algorithm_name(int64_t number)
{
	const struct algorithm *algorithm = algorithm_by_number(number);

	return algorithm != NULL ? algorithm->name : "unknown";
}

size_t algorithm_prefix(const struct algorithm *algorithm)
{
	return algorithm->oid != NULL ? algorithm->oid[0] + (size_t)1 : 0;
}

bool algorithm_body(const struct algorithm *algorithm, const struct buf *field,
	struct buf *body)
{
	size_t len = algorithm_prefix(algorithm);

	if (field->len < len ||
		(len > 0 && memcmp(field->data, algorithm->oid, len) != 0))
		return false;
	*body = (struct buf){
		.data = field->data + len, .len = field->len - len};
	return true;
}
