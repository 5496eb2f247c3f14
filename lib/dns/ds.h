/* SPDX-License-Identifier: ISC */
/* What a DS digest is computed over; the digest itself is crypto_ds(). */
#ifndef LIB_DNS_DS_H
#define LIB_DNS_DS_H

#include "lib/base/buf.h"
#include "lib/dns/dnskey.h"

/* Digest types (the IANA registry "DS RR Type Digest Algorithms"). */
#define DS_SHA256 2
#define DS_SHA384 4

/*
 * Append owner name | DNSKEY RDATA (RFC 4034 §5.1.4); owner in canonical
 * wire form.
 */
void ds_digest_input(
	const struct buf *owner, const struct dnskey *key, struct buf *out);

#endif
