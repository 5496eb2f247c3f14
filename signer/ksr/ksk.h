/* SPDX-License-Identifier: ISC */
/* The key signing keys of a run: what is configured and what was found. */
#ifndef KSR_KSK_H
#define KSR_KSK_H

#include "config/config.h"
#include "ksr/ksr.h"

struct token_key;

struct ksk {
	const char *label;               /* CKA_LABEL, borrowed */
	const struct config_key *config; /* borrowed; NULL: not configured */
	/* borrowed; NULL where the HSM has no such key */
	const struct token_key *token_key;
	struct dnskey dnskey;  /* flags 257, owned; empty when not found */
	struct dnskey revoked; /* the same with flags 385, owned */
};

struct ksk_set {
	struct ksk *keys; /* owned */
	size_t count;
};

#define KSK_SET_EMPTY                                                          \
	{                                                                      \
		.keys = NULL                                                   \
	}

void ksk_set_clear(struct ksk_set *set);

/* Add a key; dnskey is copied (flags are set here), NULL: not found. */
bool ksk_set_add(struct ksk_set *set, const char *label,
	const struct config_key *config, const struct token_key *token_key,
	const struct dnskey *dnskey, struct err *err);

/* The key configured under this name; or NULL. */
const struct ksk *ksk_by_name(const struct ksk_set *set, const char *name);

/* The key with this label; or NULL. */
const struct ksk *ksk_by_label(const struct ksk_set *set, const char *label);

/* What one slot of a schema does with one key. */
struct ksk_use {
	const struct ksk *ksk;
	bool revoked; /* published with flags 385, not 257 */
	bool signs;
};

/* The form of the key that the use publishes. */
const struct dnskey *ksk_use_dnskey(const struct ksk_use *use);

/*
 * All keys of a slot, each once (also where two names are the same key):
 * published, revoked or signing, for a signing key is always in the set.  The
 * array is owned by the caller.  Errors: ERR_USAGE for a name that is not in
 * the set of keys, and for one key that is to be revoked and not.
 */
bool ksk_slot_uses(const struct config_slot *slot, const struct ksk_set *set,
	struct ksk_use **out, size_t *count, struct err *err);

#endif
