/* SPDX-License-Identifier: ISC */
#include "dns/algorithm.h"

#include <string.h>

/* Lengths: RFC 6605 §4, RFC 8080 §3 and §4. */
static const struct algorithm table[] = {
	{1, "RSAMD5", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0},
	{3, "DSA", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0},
	{5, "RSASHA1", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0},
	{6, "DSA-NSEC3-SHA1", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0},
	{7, "RSASHA1-NSEC3-SHA1", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0},
	{8, "RSASHA256", ALGORITHM_RSA, ALGORITHM_SHA256, 0, 0, 0},
	{10, "RSASHA512", ALGORITHM_RSA, ALGORITHM_SHA512, 0, 0, 0},
	{12, "ECC-GOST", ALGORITHM_NONE, ALGORITHM_PURE, 0, 0, 0},
	{13, "ECDSAP256SHA256", ALGORITHM_ECDSA, ALGORITHM_SHA256, 256, 64, 64},
	{14, "ECDSAP384SHA384", ALGORITHM_ECDSA, ALGORITHM_SHA384, 384, 96, 96},
	{15, "ED25519", ALGORITHM_EDDSA, ALGORITHM_PURE, 256, 32, 64},
	{16, "ED448", ALGORITHM_EDDSA, ALGORITHM_PURE, 456, 57, 114},
};

#define TABLE_LEN (sizeof(table) / sizeof(table[0]))

const struct algorithm *algorithm_by_number(int64_t number)
{
	for (size_t i = 0; i < TABLE_LEN; i++)
		if (table[i].number == number)
			return &table[i];
	return NULL;
}

const struct algorithm *algorithm_by_name(const char *name)
{
	for (size_t i = 0; i < TABLE_LEN; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
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
