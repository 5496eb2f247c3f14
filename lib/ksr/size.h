/* SPDX-License-Identifier: ISC */
/*
 * How large answers are that hold what a bundle has.  Two algorithms at once
 * make them large, and what is larger than SIZE_UDP bytes takes TCP or gets
 * lost where fragments do.
 */
#ifndef LIB_KSR_SIZE_H
#define LIB_KSR_SIZE_H

#include "lib/ksr/ksr.h"

/* What fits into a datagram without fragments everywhere (DNS flag day 2020).
 */
#define SIZE_UDP 1232

/* Bytes of a signature by the key; 0 for a key that is malformed. */
size_t size_signature(const struct dnskey *dnskey);

/*
 * Bytes of the answer to a question for the DNSKEY RRset with DO set: header,
 * question, keys and signatures with their owner compressed (RFC 1035 §4.1.4),
 * and the OPT record, as name servers send it.  signed_bytes is how long all
 * the signatures of the bundle are together, which need not be there yet.  0
 * for a domain that is no name.
 */
size_t size_dnskey(const struct ksr_bundle *bundle, const char *domain,
	size_t signed_bytes);

/*
 * About as many bytes as a typical signed NXDOMAIN takes: SOA and two NSEC
 * records, and for each a signature by the largest ZSK of each algorithm of the
 * bundle.  0 for a domain that is no name.
 */
size_t size_nxdomain(const struct ksr_bundle *bundle, const char *domain);

#endif
