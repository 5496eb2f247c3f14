/* SPDX-License-Identifier: ISC */
/* The DNSKEY record (RFC 4034 §2) and what is computed from its bytes. */
#ifndef LIB_DNS_DNSKEY_H
#define LIB_DNS_DNSKEY_H

#include "lib/base/buf.h"

#define DNSKEY_FLAG_ZONE 0x0100U
#define DNSKEY_FLAG_REVOKE 0x0080U /* RFC 5011 §3 */
#define DNSKEY_FLAG_SEP 0x0001U

#define DNSKEY_FLAGS_ZSK 256U
#define DNSKEY_FLAGS_KSK 257U
#define DNSKEY_FLAGS_KSK_REVOKED 385U

#define DNSKEY_PROTOCOL 3U
#define DNSKEY_TYPE 48U /* RR type number */

struct dnskey {
	uint16_t flags;
	uint8_t protocol;
	uint8_t algorithm; /* any number: checks judge it */
	/*
	 * The field as on the wire, owned: RSA exponent length, exponent,
	 * modulus (RFC 3110 §2); ECDSA x and y without the 0x04 (RFC 6605
	 * §4); EdDSA the encoded point (RFC 8080 §3);
	 * PRIVATEOID its identifier and the key (RFC 4034 appendix A.1.1).
	 */
	struct buf public_key;
};

#define DNSKEY_EMPTY {.flags = 0}

void dnskey_free(struct dnskey *key);

/* A deep copy; *out must be empty. */
bool dnskey_copy(const struct dnskey *key, struct dnskey *out, struct err *err);

/* Append the RDATA. */
void dnskey_rdata(const struct dnskey *key, struct buf *out);

/* RFC 4034 appendix B (never algorithm 1).  Depends on the flags. */
uint16_t dnskey_tag(const struct dnskey *key);

/* Canonical order of RDATA (RFC 4034 §6.3): <0, 0, >0 as memcmp. */
int dnskey_compare(const struct dnskey *a, const struct dnskey *b);

/* Same algorithm and public key, whatever the flags? */
bool dnskey_same_public(const struct dnskey *a, const struct dnskey *b);

/* What an RSA public key field says. */
struct dnskey_rsa {
	const uint8_t *exponent; /* borrowed from the key, no leading zeros */
	size_t exponent_len;
	const uint8_t *modulus; /* borrowed, no leading zeros */
	size_t modulus_len;
	unsigned bits;           /* of the modulus */
	uint64_t exponent_value; /* UINT64_MAX when it does not fit */
};

/*
 * Errors: ERR_INPUT for a malformed field: cut, empty, even modulus,
 * leading zeros (two texts for one key would have two tags), more than
 * 4096 bits of either.
 */
bool dnskey_rsa(
	const struct dnskey *key, struct dnskey_rsa *out, struct err *err);

/* Write an RSA public key field; leading zeros are taken off. */
void dnskey_rsa_field(const uint8_t *exponent, size_t exponent_len,
	const uint8_t *modulus, size_t modulus_len, struct buf *out);

/*
 * The size in bits as policies state it: of the modulus, of the curve
 * (256, 384, 456), or of an experiment's key.  Errors: ERR_INPUT for an
 * unsupported algorithm or a field of the wrong length.
 */
bool dnskey_size(const struct dnskey *key, unsigned *bits, struct err *err);

#endif
