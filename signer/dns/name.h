/* SPDX-License-Identifier: ISC */
/*
 * Domain names in text form, as KSRs have them: absolute or not ("example"
 * and "example." are one name), letters, digits, hyphens and underscores;
 * no escapes, for no zone that is signed here has them.
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/buf.h"

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
