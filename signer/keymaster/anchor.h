/* SPDX-License-Identifier: ISC */
/* The trust anchor file (RFC 9718; RFC 7958 without keys and flags). */
#ifndef SIGNER_KEYMASTER_ANCHOR_H
#define SIGNER_KEYMASTER_ANCHOR_H

#include "lib/base/buf.h"
#include "lib/cli/log.h"
#include "lib/config/config.h"
#include "lib/dns/dnskey.h"
#include "lib/hash/sha256.h"
#include "signer/token/token.h"

#define ANCHOR_SOURCE "http://data.iana.org/root-anchors/root-anchors.xml"

struct anchor_settings {
	const char *id;     /* of the file; NULL: a random one is made */
	const char *source; /* where the file is published */
	bool old_form;      /* RFC 7958 */
};

/* One KeyDigest. */
struct anchor_key {
	const struct config_key *config; /* borrowed */
	bool has_public;      /* from HSM or configuration; else no dnskey */
	struct dnskey dnskey; /* flags 257, owned */
	uint16_t tag;
	uint8_t digest[SHA256_LEN];
};

/* What the file says, and its bytes. */
struct anchor_file {
	char *id;                  /* owned */
	const char *source, *zone; /* borrowed */
	bool old_form;
	struct anchor_key *keys; /* owned, in their order */
	size_t key_count;
	struct buf xml;
};

/*
 * Make the file for every configured key, in the order of their valid_from.
 * Each must be in the HSMs and be what its configuration says (else ERR_HSM,
 * ERR_REFUSED), but a key whose configuration states an end (valid_until),
 * key_tag and ds_sha256 may have gone: it is written from these, without its
 * public key, as the root's own file has its first key.  The bytes have passed
 * anchor_check().  It borrows from the configuration and the settings.
 */
bool anchor_file_new(const struct config *config, struct token_set *set,
	const struct anchor_settings *settings, struct log *log,
	struct anchor_file **out, struct err *err);

void anchor_file_free(struct anchor_file *file);

/*
 * Does a reader of these bytes find what the file is meant to say: by the
 * schema, and value for value?  Errors: ERR_OUTPUT, naming the value.
 */
bool anchor_check(const struct anchor_file *meant, const struct buf *xml,
	struct err *err);

#endif
