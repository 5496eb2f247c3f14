/* SPDX-License-Identifier: ISC */
/*
 * The second opinion on a ceremony: from the request, the response before,
 * the configuration, the trust anchor and the log it rebuilds what the
 * response must be, and compares.
 *
 * Only how files are read and how records look on the wire is shared with
 * the signer (base, dns, crypto, xml, config, ksr/ksr.h, show/log.h).  No
 * judgement of the signer's is: this layer includes nothing of checks, sign,
 * keys, token or ksr/ksk.h.
 */
#ifndef SECOND_SECOND_H
#define SECOND_SECOND_H

#include "config/config.h"
#include "crypto/crypto.h"
#include "ksr/ksr.h"
#include "second/anchor.h"
#include "second/verdict.h"

/* A key signing key that the schema names. */
struct second_ksk {
	const struct config_key *config;
	const char *label; /* as the response must have it */
	/* the entry of the trust anchor that takes its place, or NULL */
	const struct second_anchor_key *instead;
	const struct ksr_key *found; /* in a response, any form; or NULL */
	struct dnskey plain;         /* flags 257, borrowing found's key */
	struct dnskey revoked;       /* flags 385, likewise */
};

/* All borrowed but for what second_prepare() fills. */
struct second {
	const struct ksr *request;
	const struct ksr *response;
	const struct ksr *previous;         /* NULL: none */
	const char *no_previous;            /* why there is none */
	const struct config *config;        /* NULL: none */
	const struct config_schema *schema; /* where there is a config */
	const struct second_anchor *anchor; /* NULL: none */
	const struct buf *log;              /* its text, NULL: none */
	const uint8_t *request_hash, *response_hash;
	const uint8_t *previous_hash, *config_hash; /* where they are there */
	/* keys.NAME is another key: "NAME=ID of the trust anchor", or NULL */
	const char *instead;

	/* filled by second_prepare() */
	struct crypto_cache *cache;
	struct buf owner; /* the zone's name in canonical wire form */
	struct second_ksk *ksks;
	size_t ksk_count;
};

/*
 * Find the keys that the schema names.  Errors: ERR_USAGE for an "instead"
 * that names no key; ERR_INPUT for a response whose domain is no name.
 */
bool second_prepare(struct second *second, struct err *err);

/* Release what second_prepare() filled. */
void second_clear(struct second *second);

typedef void second_function(
	const struct second *second, struct verdict *verdict);

/* What a question needs to be asked at all. */
enum second_need {
	SECOND_NEEDS_NOTHING = 0,
	SECOND_NEEDS_CONFIG = 1,
	SECOND_NEEDS_ANCHOR = 2,
	SECOND_NEEDS_PREVIOUS = 4,
	SECOND_NEEDS_LOG = 8,
};

struct second_question {
	const char *name;
	const char *help; /* what must hold */
	unsigned needs;
	second_function *ask;
};

/* The questions in their order; ends with name NULL. */
extern const struct second_question second_table[];

/*
 * Ask one question.  Errors: ERR_INPUT where memory is exhausted.  The
 * caller clears the verdict.
 */
bool second_ask(const struct second *second,
	const struct second_question *question, struct verdict *verdict,
	struct err *err);

/* header.c */
second_function second_header, second_ksk_policy;
/* bundles.c */
second_function second_bundles, second_zsks, second_ksk_form;
/* schema.c */
second_function second_ksk_schema, second_ksk_identity, second_trust;
/* proof.c */
second_function second_request_proof, second_signature_fields,
	second_signatures, second_algorithms;
/* history.c */
second_function second_chain;
/* record.c */
second_function second_record;

/* proof.c: does the signature verify by this key?  The reason is in err. */
bool second_verifies(const struct second *second, const struct ksr *ksr,
	const struct ksr_bundle *bundle, const struct ksr_signature *signature,
	const struct ksr_key *key, struct err *err);

/*
 * proof.c: the key of the bundle that the signature says it is by:
 * identifier, tag and algorithm; or NULL.
 */
const struct ksr_key *second_signer(
	const struct ksr_bundle *bundle, const struct ksr_signature *signature);

/* bundles.c: has the bundle this record, flags included? */
const struct ksr_key *second_find(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey);

/*
 * instead.c: where keys.NAME stands for a key of the trust anchor, as --ksk
 * says or because the configuration is a rehearsal's, fill in which.  Errors:
 * ERR_USAGE for a --ksk that names no such key.
 */
bool second_choose_instead(struct second *second, struct err *err);

/*
 * instead.c: could a key of a trust anchor take the place of the one in the
 * schema, unasked?  Only where the configuration does not ask for the
 * previous response's keys in its own HSM.
 */
bool second_may_stand_in(const struct second *second);

/* zone.c: append a bundle's records as lines of a zone file. */
void second_zone(const struct ksr *ksr, const struct ksr_bundle *bundle,
	struct buf *out);

#endif
