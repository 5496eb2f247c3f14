/* SPDX-License-Identifier: ISC */
/*
 * Certification requests, PKCS#10 (RFC 2986), that a token signs: OpenSSL makes
 * all of it but the signature.  Errors: ERR_INPUT.
 */
#ifndef LIB_CRYPTO_CSR_H
#define LIB_CRYPTO_CSR_H

#include "lib/base/buf.h"
#include "lib/dns/dnskey.h"

/* One attribute of the subject; one whose value is NULL is left out. */
struct csr_name {
	const char *oid;   /* "2.5.4.3" */
	const char *value; /* UTF-8, 1 to 64 characters or more by its type */
};

struct csr;

/* A request for this key with this subject, unsigned.  The caller frees it. */
bool csr_new(const struct dnskey *key, const struct csr_name *names,
	size_t count, struct csr **out, struct err *err);

/* Append the bytes that are signed: CertificationRequestInfo in DER. */
bool csr_signed_data(const struct csr *csr, struct buf *out, struct err *err);

/*
 * Put the signature in, in DNSSEC form (ECDSA: r | s), and prove it with the
 * key of the request.
 */
bool csr_sign(struct csr *csr, const struct buf *signature, struct err *err);

/* Append a signed request as DER, or as PEM. */
bool csr_write(
	const struct csr *csr, bool pem, struct buf *out, struct err *err);

/* NULL is allowed. */
void csr_free(struct csr *csr);

#endif
