/* SPDX-License-Identifier: ISC */
#include "signer/keyset/ksk.h"
#include "lib/base/array.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

void ksk_set_clear(struct ksk_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		dnskey_free(&set->keys[i].dnskey);
		dnskey_free(&set->keys[i].revoked);
		free(set->keys[i].reason);
	}
	free(set->keys);
	*set = (struct ksk_set)KSK_SET_EMPTY;
}

bool ksk_set_add(struct ksk_set *set, const char *label,
	const struct config_key *config, const struct token_key *token_key,
	const struct dnskey *dnskey, struct err *err)
{
	struct ksk *key =
		array_grow(&set->keys, &set->count, sizeof(*key), err);

	if (key == NULL)
		return false;
	key->label = label;
	key->config = config;
	key->token_key = token_key;
	if (dnskey == NULL)
		return true;
	if (!dnskey_copy(dnskey, &key->dnskey, err) ||
		!dnskey_copy(dnskey, &key->revoked, err))
		return false;
	key->dnskey.flags = DNSKEY_FLAGS_KSK;
	key->revoked.flags = DNSKEY_FLAGS_KSK_REVOKED;
	return true;
}

bool ksk_set_reason(struct ksk *ksk, const char *reason, struct err *err)
{
	free(ksk->reason);
	ksk->reason = text_copy(reason, err);
	return ksk->reason != NULL;
}

const struct ksk *ksk_by_name(const struct ksk_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->keys[i].config != NULL &&
			strcmp(set->keys[i].config->name, name) == 0)
			return &set->keys[i];
	return NULL;
}

const struct ksk *ksk_by_label(const struct ksk_set *set, const char *label)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->keys[i].label, label) == 0)
			return &set->keys[i];
	return NULL;
}

const struct ksk *ksk_by_signature(
	const struct ksk_set *set, const struct ksr_signature *signature)
{
	const struct ksk *ksk = ksk_by_label(set, signature->identifier);

	if (ksk == NULL || ksk->token_key == NULL ||
		ksk->dnskey.algorithm != signature->algorithm ||
		dnskey_tag(&ksk->dnskey) != signature->key_tag)
		return NULL;
	return ksk;
}

const struct dnskey *ksk_use_dnskey(const struct ksk_use *use)
{
	return use->revoked ? &use->ksk->revoked : &use->ksk->dnskey;
}

/* The uses that are being collected. */
struct uses {
	struct ksk_use *list;
	size_t count;
};

static struct ksk_use *find_use(const struct uses *uses, const struct ksk *ksk)
{
	for (size_t i = 0; i < uses->count; i++)
		if (uses->list[i].ksk == ksk)
			return &uses->list[i];
	return NULL;
}

static bool add_name(const struct config_slot *slot, const char *name,
	const struct ksk_set *set, struct uses *uses, struct err *err)
{
	const struct ksk *ksk = ksk_by_name(set, name);
	struct ksk_use *use;

	if (ksk == NULL)
		return err_set(err, ERR_USAGE,
			"the schema names %s, which is not loaded", name);
	use = find_use(uses, ksk);
	if (use == NULL) {
		use = array_grow(&uses->list, &uses->count, sizeof(*use), err);
		if (use == NULL)
			return false;
		use->ksk = ksk;
		use->revoked = config_names_has(&slot->revoke, name);
		use->published = !config_names_has(&slot->sign_only, name);
	}
	use->signs |= config_slot_signs(slot, name);
	return true;
}

static bool add_names(const struct config_slot *slot,
	const struct config_names *names, const struct ksk_set *set,
	struct uses *uses, struct err *err)
{
	for (size_t i = 0; i < names->count; i++)
		if (!add_name(slot, names->names[i], set, uses, err))
			return false;
	return true;
}

bool ksk_slot_uses(const struct config_slot *slot, const struct ksk_set *set,
	struct ksk_use **out, size_t *count, struct err *err)
{
	struct uses uses = {0};

	if (!add_names(slot, &slot->publish, set, &uses, err) ||
		!add_names(slot, &slot->revoke, set, &uses, err) ||
		!add_names(slot, &slot->sign, set, &uses, err) ||
		!add_names(slot, &slot->sign_only, set, &uses, err)) {
		free(uses.list);
		return false;
	}
	*out = uses.list;
	*count = uses.count;
	return true;
}
