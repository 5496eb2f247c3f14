/* SPDX-License-Identifier: ISC */
/* DNSSEC algorithms (the IANA registry "DNS Security Algorithm Numbers"). */
#ifndef LIB_DNS_ALGORITHM_H
#define LIB_DNS_ALGORITHM_H

#include "lib/base/buf.h"

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
	ALGORITHM_MLDSA44 = 254, /* PRIVATEOID; in an experiment alone */
};

enum algorithm_family {
	ALGORITHM_NONE, /* deprecated: known by name only */
	ALGORITHM_RSA,
	ALGORITHM_ECDSA,
	ALGORITHM_EDDSA,
	ALGORITHM_MLDSA,
};

enum algorithm_digest {
	ALGORITHM_PURE, /* EdDSA, ML-DSA: the message itself is signed */
	ALGORITHM_SHA256,
	ALGORITHM_SHA384,
	ALGORITHM_SHA512,
};

struct algorithm {
	uint8_t number;
	const char *name; /* mnemonic of the registry, "RSASHA256" */
	enum algorithm_family family;
	enum algorithm_digest digest;
	unsigned bits;        /* of the curve or the key; 0: RSA, any size */
	size_t key_len;       /* bytes of a public key; 0: RSA */
	size_t signature_len; /* bytes of a signature; 0: RSA's modulus */
	/*
	 * PRIVATEOID: with what both begin, a byte with the length of what
	 * follows and an object identifier in DER; NULL for all others.
	 */
	const uint8_t *oid;
};

/*
 * The entry of a supported or deprecated algorithm; NULL for others.  Those of
 * experiments are others where there is none (lib/base/experiment.h).
 */
const struct algorithm *algorithm_by_number(int64_t number);
/* The same by mnemonic, matched exactly. */
const struct algorithm *algorithm_by_name(const char *name);

/* May keys of this algorithm be read, signed with and verified? */
bool algorithm_is_supported(const struct algorithm *algorithm);

/* 1, 3, 5, 6, 7 and 12: RFC 8624 §3.1 forbids signing with them. */
bool algorithm_is_deprecated(int64_t number);

/* The mnemonic, or "unknown". */
const char *algorithm_name(int64_t number);

/* How many bytes the identifier takes that stands before key and signature. */
size_t algorithm_prefix(const struct algorithm *algorithm);

/*
 * What is behind the identifier in the field of a DNSKEY or an RRSIG, borrowed
 * from it; false where the field does not begin with this algorithm's.
 */
bool algorithm_body(const struct algorithm *algorithm, const struct buf *field,
	struct buf *body);

#endif
