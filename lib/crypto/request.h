/* SPDX-License-Identifier: ISC */
/* Certification requests, PKCS#10 (RFC 2986), as they are read from a file. */
#ifndef LIB_CRYPTO_REQUEST_H
#define LIB_CRYPTO_REQUEST_H

#include "lib/base/buf.h"
#include "lib/dns/dnskey.h"

struct request {
	struct buf text; /* what OpenSSL shows of it; may hold anything */
	/* Values of the attributes of the subject that carry a DS, as text. */
	struct buf *ds;
	size_t ds_count;
	/*
	 * The public key as a DNSKEY with KSK's flags.  Its algorithm is the
	 * one that the request is signed with, RSASHA256 for other RSA; 0 where
	 * no DNSSEC algorithm has such a key.
	 */
	struct dnskey key;
	bool signature_good; /* its own, by that key */
};

/*
 * Every request in file: one in DER, or all in PEM, with anything between
 * them.  At least one; the caller frees them with requests_free().  Errors:
 * ERR_INPUT, saying which request cannot be read; also where more lines begin
 * one in PEM than are read.
 */
bool requests_read(const struct buf *file, struct request **out, size_t *count,
	struct err *err);
void requests_free(struct request *requests, size_t count);

#endif
