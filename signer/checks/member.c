/* SPDX-License-Identifier: ISC */
/*
 * Part of KSR-CHAIN-KEYS: of the responses that one ceremony made for use, for
 * the next phase and for going back, which one is it that this request follows?
 */
#include "lib/base/buf.h"
#include "signer/checks/catalogue.h"

#include <string.h>

static bool is_published(const struct config *config,
	const struct config_slot *slot, const struct ksr_key *key)
{
	bool revoked = key->dnskey.flags == DNSKEY_FLAGS_KSK_REVOKED;
	const struct config_key *known =
		config_key_labelled(config, key->identifier);

	return known != NULL &&
	       config_names_has(&slot->revoke, known->name) == revoked &&
	       (config_names_has(&slot->publish, known->name) ||
		       config_names_has(&slot->sign, known->name));
}

/* One signature by each key that the slot has sign, and none by another. */
static bool is_signed_as(const struct config *config,
	const struct config_slot *slot, const struct ksr_bundle *bundle)
{
	size_t signers = 0;

	for (size_t i = 0; i < config->key_count; i++) {
		size_t count = 0;

		if (!config_slot_signs(slot, config->keys[i].name))
			continue;
		for (size_t s = 0; s < bundle->signature_count; s++)
			count += strcmp(bundle->signatures[s].identifier,
					 config->keys[i].label) == 0;
		if (count != 1)
			return false;
		signers++;
	}
	return bundle->signature_count == signers;
}

/* How many keys the slot has in the set: its lists may name one twice. */
static size_t count_published(
	const struct config *config, const struct config_slot *slot)
{
	size_t count = 0;

	for (size_t i = 0; i < config->key_count; i++)
		count += config_names_has(
				 &slot->publish, config->keys[i].name) ||
			 config_names_has(&slot->sign, config->keys[i].name);
	return count;
}

/* Has the bundle exactly the KSKs and signatures of the slot? */
static bool fits(const struct config *config, const struct config_slot *slot,
	const struct ksr_bundle *bundle)
{
	size_t ksks = 0;

	for (size_t k = 0; k < bundle->key_count; k++) {
		if (ksr_key_is_zsk(&bundle->keys[k]))
			continue;
		if (!is_published(config, slot, &bundle->keys[k]))
			return false;
		ksks++;
	}
	return ksks == count_published(config, slot) &&
	       is_signed_as(config, slot, bundle);
}

static bool is_made_by(const struct config *config,
	const struct config_member *member, const struct ksr *response)
{
	const struct config_schema *schema =
		config_schema(config, member->schema);

	if (response->bundle_count > schema->slot_count)
		return false;
	for (size_t b = 0; b < response->bundle_count; b++)
		if (!fits(config, &schema->slots[b], &response->bundles[b]))
			return false;
	return true;
}

bool check_previous_member(
	const struct check_context *context, struct finding *finding)
{
	const struct config_family *family = NULL;
	const struct config_member *expected = NULL;
	struct buf like = BUF_EMPTY;

	if (context->previous_made_here ||
		!config_previous_member(context->config, &family, &expected))
		return false;
	if (is_made_by(context->config, expected, context->previous))
		return true;
	for (size_t i = 0; i < family->member_count; i++)
		if (is_made_by(context->config, &family->members[i],
			    context->previous))
			buf_format(&like, "%s%s", like.len > 0 ? " or " : "",
				family->members[i].mark);
	finding_fail(finding,
		"the previous response is %s of family %s, expected %s (schema %s)",
		like.len > 0 ? buf_string(&like) : "none", family->name,
		expected->mark, expected->schema);
	buf_free(&like);
	return true;
}
