/* SPDX-License-Identifier: ISC */
/*
 * Domain names in text form, as KSRs have them: absolute or not ("example"
 * and "example." are one name), letters, digits, hyphens, underscores
 * and the slash of RFC 2317 ("0/25.2.0.192.in-addr.arpa."); no escapes, for no
 * zone that is signed here has them.
 */
#ifndef LIB_DNS_NAME_H
#define LIB_DNS_NAME_H

#include "lib/base/buf.h"

/*
 * Append the canonical wire form, lowercase (RFC 4034 §6.2).  On failure out
 * is as it was.  Errors: ERR_INPUT.
 */
bool name_wire(const char *text, struct buf *out, struct err *err);

/* How many labels, for RRSIG (RFC 4034 §3.1.3): "." 0, "example." 1. */
bool name_labels(const char *text, uint8_t *out, struct err *err);

/* Are both valid and the same name? */
bool name_equal(const char *a, const char *b);

#endif
