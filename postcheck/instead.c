/* SPDX-License-Identifier: ISC */
/*
 * A rehearsal's configuration and the real zone's trust anchor: which key of
 * the anchor takes a configured key's place.  Named with --ksk, or found where
 * nothing else can be meant; and every answer that depends on it says so.
 */
#include "lib/dns/ds.h"
#include "postcheck/second.h"

#include <string.h>

/* "NAME=ID": the name's length; 0 where there is none. */
static size_t name_length(const char *instead)
{
	const char *equals = strchr(instead, '=');

	return equals != NULL ? (size_t)(equals - instead) : 0;
}

static bool take_named(struct second *second, struct err *err)
{
	size_t len = name_length(second->instead);
	const char *id = second->instead + len + 1;

	for (size_t i = 0; len > 0 && i < second->ksk_count; i++) {
		struct second_ksk *ksk = &second->ksks[i];

		if (strlen(ksk->config->name) != len ||
			strncmp(ksk->config->name, second->instead, len) != 0)
			continue;
		if (second->anchor != NULL)
			ksk->instead = second_anchor_by_id(second->anchor, id);
		if (ksk->instead == NULL)
			return err_set(err, ERR_USAGE,
				"--ksk: the trust anchor has no key %s", id);
		ksk->label = id;
		return true;
	}
	return err_set(err, ERR_USAGE,
		"--ksk %s: expected NAME=ID with a key of the schema",
		second->instead);
}

/* Are they known to be two keys?  One without a SHA-256 may be any. */
static bool is_other(
	const struct config_key *key, const struct second_anchor_key *entry)
{
	return key->has_ds_sha256 && entry->digest_type == DS_SHA256 &&
	       entry->digest.len == CONFIG_SHA256_SIZE &&
	       memcmp(entry->digest.data, key->ds_sha256, CONFIG_SHA256_SIZE) !=
		       0;
}

/* Is no configured key, of the schema or not, one of the anchor's? */
static bool is_other_world(const struct second *second)
{
	const struct config *config = second->config;
	const struct second_anchor *anchor = second->anchor;

	for (size_t k = 0; k < config->key_count; k++)
		for (size_t a = 0; a < anchor->count; a++)
			if (!is_other(&config->keys[k], &anchor->keys[a]))
				return false;
	return true;
}

/* The key that signed the last bundle before; NULL unless it is one. */
static const struct ksr_key *last_signer(const struct second *second)
{
	const struct ksr *previous = second->previous;
	const struct ksr_bundle *last =
		&previous->bundles[previous->bundle_count - 1];

	return last->signature_count == 1
		       ? second_signer(second, last, &last->signatures[0])
		       : NULL;
}

bool second_may_stand_in(const struct second *second)
{
	return second->ksk_count == 1 && second->previous != NULL &&
	       !second->config->request_policy.check_chain_keys_in_hsm;
}

/*
 * One key in the schema, one that signed before and is here too, in the
 * anchor; and a configuration that states that it is not about that key.
 */
static bool take_found(struct second *second, struct err *err)
{
	const struct second_anchor *anchor = second->anchor;
	struct second_anchor_asked asked;
	const struct ksr_key *key;

	if (anchor == NULL || !second_may_stand_in(second) ||
		!is_other_world(second))
		return true;
	key = last_signer(second);
	if (key == NULL || second_find(&second->response->bundles[0],
				   &key->dnskey) == NULL)
		return true;
	second_anchor_ask(&key->dnskey, &second->owner, &asked);
	for (size_t a = 0; a < anchor->count; a++) {
		bool same = false;

		if (!second_anchor_is(&anchor->keys[a], &asked, &same, err))
			return false;
		if (!same)
			continue;
		second->ksks[0].instead = &anchor->keys[a];
		second->ksks[0].label = anchor->keys[a].id;
		return true;
	}
	return true;
}

bool second_choose_instead(struct second *second, struct err *err)
{
	return second->instead != NULL ? take_named(second, err)
				       : take_found(second, err);
}
