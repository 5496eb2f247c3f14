/* SPDX-License-Identifier: ISC */
/* A trust anchor file, read (RFC 9718, RFC 7958). */
#ifndef SECOND_ANCHOR_H
#define SECOND_ANCHOR_H

#include "dns/dnskey.h"

struct second_anchor_key {
	char *id;
	int64_t valid_from;
	int64_t valid_until; /* INT64_MAX: no end */
	uint16_t tag;
	uint8_t algorithm;
	uint8_t digest_type;
	struct buf digest;
	struct buf public_key; /* empty in the older form */
};

struct second_anchor {
	char *zone;
	struct second_anchor_key *keys;
	size_t count;
};

/* On success *out is new.  Errors: ERR_INPUT with the line. */
bool second_anchor_read(
	const struct buf *bytes, struct second_anchor **out, struct err *err);

void second_anchor_free(struct second_anchor *anchor);

/* The entry of that id; or NULL. */
const struct second_anchor_key *second_anchor_by_id(
	const struct second_anchor *anchor, const char *id);

/*
 * Is the key, in its form with flags 257, the one of this entry?  owner is
 * the zone's name in canonical wire form.  Errors as crypto_ds().
 */
bool second_anchor_is(const struct second_anchor_key *entry,
	const struct dnskey *dnskey, const struct buf *owner, bool *out,
	struct err *err);

#endif
