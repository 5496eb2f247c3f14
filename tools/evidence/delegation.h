/* SPDX-License-Identifier: ISC */
/* A key as a zone has it, and the DS of it that stands elsewhere as text. */
#ifndef TOOLS_EVIDENCE_DELEGATION_H
#define TOOLS_EVIDENCE_DELEGATION_H

#include "lib/base/buf.h"
#include "lib/dns/dnskey.h"

/*
 * Append DNSKEY, key tag and DS.  The zone is the one that the first of these
 * texts (may be none) names, or the root.  Errors: ERR_INPUT.
 */
bool delegation_show(const struct dnskey *key, const struct buf *ds,
	size_t count, struct buf *out, struct err *err);

/*
 * Is ds, "ZONE IN DS TAG ALGORITHM TYPE DIGEST", that key's?  NULL if so, else
 * what is wrong with it, to be shown.
 */
const char *delegation_check(const struct dnskey *key, const struct buf *ds);

#endif
