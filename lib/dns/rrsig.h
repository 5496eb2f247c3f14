/* SPDX-License-Identifier: ISC */
/* The RRSIG record over a DNSKEY RRset, and the bytes it signs. */
#ifndef LIB_DNS_RRSIG_H
#define LIB_DNS_RRSIG_H

#include "lib/base/buf.h"
#include "lib/dns/dnskey.h"

struct rrsig {
	uint16_t type_covered; /* DNSKEY_TYPE */
	uint8_t algorithm;
	uint8_t labels;
	uint32_t original_ttl; /* seconds */
	int64_t inception;     /* seconds UTC, as are all times */
	int64_t expiration;
	uint16_t key_tag;
	struct buf signer;    /* name in canonical wire form, owned */
	struct buf signature; /* owned; empty until signed */
};

#define RRSIG_EMPTY {.type_covered = 0}

void rrsig_free(struct rrsig *sig);

/*
 * Append the signed data of RFC 4034 §3.1.8.1: the RRSIG's RDATA without
 * the signature, then each record of the RRset in canonical order.
 *
 * owner is the canonical wire form of the RRset's name.  keys are pointers
 * in any order; the same record twice counts once (RFC 4034 §6.3).
 */
bool rrsig_signed_data(const struct rrsig *sig, const struct buf *owner,
	const struct dnskey *const *keys, size_t count, struct buf *out,
	struct err *err);

#endif
