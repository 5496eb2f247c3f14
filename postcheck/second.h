/* SPDX-License-Identifier: ISC */
/*
 * The second opinion on a ceremony: from the request, the response before,
 * the configuration, the trust anchor and the log it rebuilds what the
 * response must be, and compares.
 *
 * Only how files are read and how records look on the wire is shared with
 * the signer (base, dns, crypto, xml, config, ksr/ksr.h, cli).  No
 * judgement of the signer's is: this house is linked with lib alone
 * (tests/lint/rooms).  What must hold is written in the manual page.
 */
#ifndef POSTCHECK_SECOND_H
#define POSTCHECK_SECOND_H

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/config/config.h"
#include "lib/crypto/crypto.h"
#include "lib/ksr/ksr.h"
#include "postcheck/anchor.h"
#include "postcheck/verdict.h"

/* A key signing key that the schema names. */
struct second_ksk {
	const struct config_key *config;
	const char *label; /* as the response must have it */
	/* the entry of the trust anchor that takes its place, or NULL */
	const struct second_anchor_key *instead;
	const struct ksr_key *found; /* in a response, any form; or NULL */
	bool known;            /* found, or its public key is known otherwise */
	struct dnskey plain;   /* flags 257, borrowing that key */
	struct dnskey revoked; /* flags 385, likewise */
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
	/* where it is one of a family */
	const struct config_family *family;
	const struct config_member *member;
	bool follows_member; /* previous is another one of it */
	/* keys.NAME is another key: "NAME=ID of the trust anchor", or NULL */
	const char *instead;

	/* filled by second_prepare() */
	struct crypto_cache *cache;
	struct buf owner; /* the zone's name in canonical wire form */
	struct second_ksk *ksks;
	size_t ksk_count;
	struct second_signers *signers; /* of all bundles */
	struct second_absents *absents; /* keys that may sign unpublished */
	bool *tied; /* for each bundle of previous: second_tie() */
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
/* stated.c */
second_function second_policies;
/* bundles.c */
second_function second_bundles, second_zsks, second_ksk_form;
/* schema.c */
second_function second_ksk_schema, second_ksk_identity, second_trust;
/* proof.c */
second_function second_request_proof, second_signature_fields,
	second_signatures, second_algorithms;
/* previous.c */
second_function second_previous;
/* history.c */
second_function second_chain;
/* timeline.c */
second_function second_publish_safety, second_retire_safety;
/* record.c */
second_function second_record;

/* proof.c: does the signature verify by this key?  The reason is in err. */
bool second_verifies(const struct second *second, const struct ksr *ksr,
	const struct ksr_bundle *bundle, const struct ksr_signature *signature,
	const struct dnskey *dnskey, struct err *err);

/*
 * absent.c: keys that sign a bundle without being in it.  Those of the
 * configuration are known by their labels; without one, those of the trust
 * anchor by whatever name.
 */
struct second_absents;
bool second_absents_new(const struct second *second,
	struct second_absents **out, struct err *err);
void second_absents_free(struct second_absents *absents);

/* Who made a signature that is by no key of its bundle; NULL: not known. */
const struct dnskey *second_absent(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *signature);

/* Is its key in the bundle, but not as the signature says (name, flags)? */
bool second_is_renamed(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *signature);

/* The key of that label, where its bytes are known; or NULL. */
const struct dnskey *second_absent_key(
	const struct second *second, const char *label);

/* How many signatures of that name are by no key of the bundle? */
size_t second_count_absent(const struct second *second,
	const struct ksr_bundle *bundle, const char *label);

/* schema.c: what the slot of a bundle of the response states; NULL: nothing */
const struct config_slot_algorithms *second_stated(
	const struct second *second, size_t bundle);

/*
 * signers.c: which key each signature of each document is by.  Found once, by
 * sorting: a hostile bundle has thousands of keys and of signatures.
 */
struct second_signers;
bool second_signers_new(const struct second *second,
	struct second_signers **out, struct err *err);
void second_signers_free(struct second_signers *signers);

/*
 * The key of the bundle (of one of second's documents) that the signature
 * says it is by: identifier, computed tag and algorithm; or NULL.
 */
const struct ksr_key *second_signer(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *signature);

/* How many signatures of the bundle say that they are by this key of it? */
size_t second_count_by(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key);

/* bundles.c: has the bundle this record, flags included? */
const struct ksr_key *second_find(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey);

/* bundles.c: is this public key in the bundle as a KSK, revoked or not? */
const struct ksr_key *second_find_ksk(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey);

/*
 * previous.c: for each bundle of the previous response, is it tied to a key
 * that is believed?  The last one by such a key, those before it by that key
 * or by one that a bundle so tied has published.  *out is an owned array; asked
 * once, for second->tied: a hostile bundle has a thousand signatures.
 */
bool second_tie(const struct second *second, bool **out, struct err *err);

/* How well a key is known. */
enum second_known {
	SECOND_UNKNOWN,
	SECOND_BY_LABEL, /* configured by what anybody can give a key */
	SECOND_KNOWN,    /* by its bytes */
};

/*
 * previous.c: is the key one of the configuration's, by its label too,
 * whichever schema names it?  By its bytes where the configuration has its DS
 * or public key, or the trust anchor has the key.  Without a configuration it
 * is the trust anchor that knows it or not.
 */
bool second_know(const struct second *second, const struct ksr_key *key,
	enum second_known *out, struct err *err);

/*
 * Names are in no signature: no key of the response before is called by the
 * label of a configured key without being it.  Of those that sign their bundle,
 * and of the others.
 */
void second_look_at_labels(const struct second *second, bool others,
	bool signers, struct verdict *verdict);

/*
 * previous.c: is what is known enough?  A label is where there is no trust
 * anchor that could be asked; the verdict is to say so.
 */
bool second_is_believed(const struct second *second, enum second_known known);

/*
 * previous.c: a revoked signer of the last bundle that the configuration has no
 * more, beside one that is believed and is not revoked.  That it is in the HSM
 * cannot be told here, and no validator follows it.
 */
bool second_is_left_over(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key, bool *out,
	struct err *err);

/*
 * history.c: one identifier is one key, in one response or in two (b may be
 * NULL).  Sorted, since there may be thousands.
 */
void second_compare_names(
	const struct ksr *a, const struct ksr *b, struct verdict *verdict);

/* header.c: is the setting on?  Where it is not, the verdict says so. */
bool second_is_on(bool setting, const char *name, struct verdict *verdict);

/* header.c: the settings of the configuration, or all of them on. */
const struct config_request_policy *second_policy(const struct second *second);

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

/*
 * zone.c: append a bundle's records as lines of a zone file, each field
 * written from what was read of it: nothing in a document makes a record, or a
 * line, of its own.  Errors: ERR_REFUSED for a name that is none, or a type
 * other than DNSKEY.
 */
bool second_zone(const struct ksr *ksr, const struct ksr_bundle *bundle,
	struct buf *out, struct err *err);

#endif
