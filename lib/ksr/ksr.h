/* SPDX-License-Identifier: ISC */
/*
 * Key Signing Requests and Signed Key Responses in memory.
 *
 * One struct for both: a response is a request whose bundles carry the KSKs
 * and their signatures, plus the KSK's policy.  Reading takes every layout
 * that is the same document; writing makes exactly one.
 *
 * Reading checks the shape of each value, not what it should be: that is the
 * business of checks/.
 */
#ifndef LIB_KSR_KSR_H
#define LIB_KSR_KSR_H

#include "lib/base/buf.h"
#include "lib/dns/algorithm.h"
#include "lib/dns/dnskey.h"
#include "lib/dns/rrsig.h"
#include "lib/xml/xml.h"

/* The largest file that is read unless a setting raises it. */
#define KSR_SIZE_DEFAULT 1048576

enum ksr_kind {
	KSR_REQUEST,
	KSR_RESPONSE,
};

/*
 * The kinds of parameters that the format has.  An experiment's algorithm has
 * no element of its own: it is stated as EdDSA is, by its number and its size.
 */
enum ksr_family {
	KSR_RSA,
	KSR_ECDSA,
	KSR_EDDSA,
};

/* A SignatureAlgorithm of a policy, as stated. */
struct ksr_algorithm {
	uint8_t algorithm;
	enum ksr_family family;
	uint32_t size;     /* bits */
	uint64_t exponent; /* RSA only */
};

/* Durations in seconds. */
struct ksr_policy {
	int64_t publish_safety;
	int64_t retire_safety;
	int64_t max_signature_validity;
	int64_t min_signature_validity;
	int64_t max_validity_overlap;
	int64_t min_validity_overlap;
	struct ksr_algorithm *algorithms;
	size_t algorithm_count;
};

struct ksr_key {
	char *identifier;
	uint16_t tag; /* as stated; dnskey_tag() computes */
	uint32_t ttl; /* seconds */
	struct dnskey dnskey;
	unsigned long line; /* in the file; 0 when made here */
};

struct ksr_signature {
	char *identifier; /* of the key that signed */
	uint32_t ttl;
	char *type_covered;
	uint8_t algorithm;
	uint8_t labels;
	uint32_t original_ttl;
	int64_t expiration;
	int64_t inception;
	uint16_t key_tag;
	char *signers_name;
	struct buf signature;
	unsigned long line;
};

struct ksr_bundle {
	char *id;
	int64_t inception;
	int64_t expiration;
	char **signers; /* key identifiers; requests only */
	size_t signer_count;
	struct ksr_key *keys;
	size_t key_count;
	struct ksr_signature *signatures;
	size_t signature_count;
	unsigned long line;
};

struct ksr {
	enum ksr_kind kind;
	char *id;
	char *domain;
	int64_t serial;
	char *timestamp;       /* as written, or NULL */
	struct ksr_policy ksk; /* responses only */
	struct ksr_policy zsk;
	struct ksr_bundle
		*bundles; /* by inception, whatever the file's order */
	size_t bundle_count;
	bool reordered; /* the file had another order */
};

/*
 * Parse and validate; kind says which of the two is expected.  On success
 * *out is new and the caller frees it.  Errors: ERR_INPUT with the line.
 */
bool ksr_read(const struct xml_schema *schema, const void *data, size_t len,
	enum ksr_kind kind, struct ksr **out, struct err *err);
void ksr_free(struct ksr *ksr);

/*
 * Append the document in the layout of the root's published responses (one
 * element a line, no indentation); keys and signatures are written in the
 * order they have, so call ksr_sort() first.
 */
bool ksr_write(const struct ksr *ksr, struct buf *out, struct err *err);

/*
 * Bundles by inception (then id); in each, keys in canonical order of their
 * RDATA and signatures in the order of their keys.  False only where memory
 * is exhausted.
 */
bool ksr_sort(struct ksr *ksr, struct err *err);

/* What the members own is released; the structs themselves are not. */
void ksr_key_clear(struct ksr_key *key);
void ksr_signature_clear(struct ksr_signature *signature);
void ksr_bundle_clear(struct ksr_bundle *bundle);
void ksr_policy_clear(struct ksr_policy *policy);

/* Deep copies; *out must be empty (all zero) and is so after a failure. */
bool ksr_key_copy(
	const struct ksr_key *key, struct ksr_key *out, struct err *err);
bool ksr_policy_copy(const struct ksr_policy *policy, struct ksr_policy *out,
	struct err *err);

/* The kind of parameters that an entry of the algorithm has. */
enum ksr_family ksr_family_of(const struct algorithm *algorithm);

/*
 * State the key's kind (algorithm, size, exponent) in the policy, unless it
 * is stated; entries stay in the order of their numbers.  Errors: ERR_INPUT
 * for a key that is none.
 */
bool ksr_policy_add(struct ksr_policy *policy, const struct dnskey *dnskey,
	struct err *err);

/* The key that a signature names and matches by identifier; or NULL. */
const struct ksr_key *ksr_key_by_identifier(
	const struct ksr_bundle *bundle, const char *identifier);

/*
 * The key of the bundle whose computed tag and algorithm the signature
 * states and whose identifier it names; or NULL.
 */
const struct ksr_key *ksr_signature_key(
	const struct ksr_bundle *bundle, const struct ksr_signature *signature);

/*
 * The same for all signatures of a bundle at once, in a time that grows with
 * its size: (*out)[s] is the key of signature s, or NULL.  The caller frees
 * the array.
 */
bool ksr_signers(const struct ksr_bundle *bundle, const struct ksr_key ***out,
	struct err *err);

/* Has the bundle this public key, in this form (flags included)? */
bool ksr_bundle_has(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey);

/* Has the bundle this public key, in whatever form and by whatever name? */
bool ksr_bundle_has_public(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey);

/*
 * The data that a signature of this bundle covers: all keys of the bundle as
 * one RRset of the given owner.  The signature's own fields are taken as
 * they are stated.
 */
bool ksr_signed_data(const struct ksr_bundle *bundle,
	const struct ksr_signature *signature, const char *owner,
	struct buf *out, struct err *err);

/* Is the key a zone signing key (flags 256), by its flags? */
bool ksr_key_is_zsk(const struct ksr_key *key);

#endif
