/* SPDX-License-Identifier: ISC */
/* The key signing keys of a run: what is configured and what was found. */
#ifndef SIGNER_KEYSET_KSK_H
#define SIGNER_KEYSET_KSK_H

#include "lib/config/config.h"
#include "lib/ksr/ksr.h"

struct token_key;

struct ksk {
	const char *label;               /* CKA_LABEL, borrowed */
	const struct config_key *config; /* borrowed; NULL: not configured */
	/* borrowed; NULL where the HSM has no such key */
	const struct token_key *token_key;
	struct dnskey dnskey;  /* flags 257, owned; empty when not found */
	struct dnskey revoked; /* the same with flags 385, owned */
	char *reason; /* why it is not found or cannot sign, owned; or NULL */
};

struct ksk_set {
	struct ksk *keys; /* owned */
	size_t count;
};

#define KSK_SET_EMPTY {.keys = NULL}

void ksk_set_clear(struct ksk_set *set);

/* Add a key; dnskey is copied (flags are set here), NULL: not found. */
bool ksk_set_add(struct ksk_set *set, const char *label,
	const struct config_key *config, const struct token_key *token_key,
	const struct dnskey *dnskey, struct err *err);

/* Say why a key that was added cannot be used. */
bool ksk_set_reason(struct ksk *ksk, const char *reason, struct err *err);

/* The key configured under this name; or NULL. */
const struct ksk *ksk_by_name(const struct ksk_set *set, const char *name);

/* The key with this label; or NULL. */
const struct ksk *ksk_by_label(const struct ksk_set *set, const char *label);

/*
 * The key of the set that made a signature whose key is in no bundle: the one
 * of that label, algorithm and tag, not revoked; or NULL.
 */
const struct ksk *ksk_by_signature(
	const struct ksk_set *set, const struct ksr_signature *signature);

/* What one slot of a schema does with one key. */
struct ksk_use {
	const struct ksk *ksk;
	bool published; /* not: it signs only */
	bool revoked;   /* published with flags 385, not 257 */
	bool signs;
};

/* The form of the key that the use publishes or signs with. */
const struct dnskey *ksk_use_dnskey(const struct ksk_use *use);

/*
 * All keys of a slot, each once: published, revoked or signing, for a signing
 * key is always in the set, but for those of sign_only.  That two names are not
 * one key is for the reader of the configuration and KSK-IDENTITY to see to.
 * The array is owned by the caller.  Errors: ERR_USAGE for a name that is not
 * in the set of keys.
 */
bool ksk_slot_uses(const struct config_slot *slot, const struct ksk_set *set,
	struct ksk_use **out, size_t *count, struct err *err);

#endif
