/* SPDX-License-Identifier: ISC */
/* A trust anchor file, read (RFC 9718, RFC 7958). */
#ifndef POSTCHECK_ANCHOR_H
#define POSTCHECK_ANCHOR_H

#include "lib/base/buf.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/dnskey.h"

struct second_anchor_key {
	char *id;
	int64_t valid_from;
	int64_t valid_until; /* INT64_MAX: no end */
	uint16_t tag;
	uint8_t algorithm;
	uint8_t digest_type;
	struct buf digest;
	struct buf public_key; /* empty in the older form */
	/* 257 in the older form, too; any other means that it is none */
	uint16_t flags;
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
 * Does the entry vouch for a key: is it for flags 257?  One that says 385 is
 * about a key that was revoked (RFC 9718 §2.1.3), and vouches for nothing.
 */
bool second_anchor_vouches(const struct second_anchor_key *entry);

/*
 * Are tag and digest of the entry those of its public key, where it has one?
 * People compare the digest; one that says two things vouches for neither.
 * Errors as crypto_ds().
 */
bool second_anchor_agrees(const struct second_anchor_key *entry,
	const struct buf *owner, bool *out, struct err *err);

struct second_anchor_digest {
	size_t len; /* 0: not made yet */
	uint8_t bytes[CRYPTO_DIGEST_MAX];
};

/*
 * A key that is looked for among the entries, of which there may be thousands:
 * what is compared with each is made once.
 */
struct second_anchor_asked {
	struct dnskey plain;     /* in its form with flags 257; borrows */
	const struct buf *owner; /* borrowed */
	uint16_t tag;
	struct second_anchor_digest sha256, sha384;
};

/*
 * The key in its form with flags 257.  owner is the zone's name in canonical
 * wire form.  Both must outlive *out; nothing is to be freed.
 */
void second_anchor_ask(const struct dnskey *dnskey, const struct buf *owner,
	struct second_anchor_asked *out);

/*
 * Is the key the one of this entry, and does the entry vouch?  Errors as
 * crypto_ds().
 */
bool second_anchor_is(const struct second_anchor_key *entry,
	struct second_anchor_asked *asked, bool *out, struct err *err);

/* Is it so for any entry?  For none where anchor is NULL. */
bool second_anchor_has(const struct second_anchor *anchor,
	const struct dnskey *dnskey, const struct buf *owner, bool *out,
	struct err *err);

#endif
