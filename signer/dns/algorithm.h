/* SPDX-License-Identifier: ISC */
/* DNSSEC algorithms (the IANA registry "DNS Security Algorithm Numbers"). */
#ifndef DNS_ALGORITHM_H
#define DNS_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum algorithm_number {
	ALGORITHM_RSASHA256 = 8,
	ALGORITHM_RSASHA512 = 10,
	ALGORITHM_ECDSAP256SHA256 = 13,
	ALGORITHM_ECDSAP384SHA384 = 14,
	ALGORITHM_ED25519 = 15,
	ALGORITHM_ED448 = 16,
};

enum algorithm_family {
	ALGORITHM_NONE, /* deprecated: known by name only */
	ALGORITHM_RSA,
	ALGORITHM_ECDSA,
	ALGORITHM_EDDSA,
};

enum algorithm_digest {
	ALGORITHM_PURE, /* EdDSA: the message itself is signed */
	ALGORITHM_SHA256,
	ALGORITHM_SHA384,
	ALGORITHM_SHA512,
};

struct algorithm {
	uint8_t number;
	const char *name; /* mnemonic of the registry, "RSASHA256" */
	enum algorithm_family family;
	enum algorithm_digest digest;
	unsigned bits;        /* size of the curve; 0: RSA, any size */
	size_t key_len;       /* bytes of a public key; 0: RSA */
	size_t signature_len; /* bytes of a signature; 0: RSA's modulus */
};

/* The entry of a supported or deprecated algorithm; NULL for others. */
const struct algorithm *algorithm_by_number(int64_t number);
/* The same by mnemonic, matched exactly. */
const struct algorithm *algorithm_by_name(const char *name);

/* May keys of this algorithm be read, signed with and verified? */
bool algorithm_is_supported(const struct algorithm *algorithm);

/* 1, 3, 5, 6, 7 and 12: RFC 8624 §3.1 forbids signing with them. */
bool algorithm_is_deprecated(int64_t number);

/* The mnemonic, or "unknown". */
const char *algorithm_name(int64_t number);

#endif
