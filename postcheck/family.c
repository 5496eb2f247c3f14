/* SPDX-License-Identifier: ISC */
#include "postcheck/family.h"

#include "lib/base/text.h"

#include <string.h>

/* "MEMBER=KSR=SKR": SKR begins behind the last of the signs. */
static bool split(
	const char *operand, struct family_files *out, struct err *err)
{
	const char *ksr = strchr(operand, '='), *skr = strrchr(operand, '=');
	size_t len;

	if (ksr == NULL || skr == ksr || skr == ksr + 1 || skr[1] == '\0')
		return err_set(
			err, ERR_USAGE, "%s: expected MEMBER=KSR=SKR", operand);
	out->ksr = text_copy(ksr + 1, err);
	out->skr = text_copy(skr + 1, err);
	if (out->ksr == NULL || out->skr == NULL)
		return false;
	len = (size_t)(skr - ksr - 1);
	out->ksr[len] = '\0';
	return true;
}

bool family_operands(const struct config_family *family,
	const char *const *operands, size_t count, struct family_files *out,
	struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		size_t m = config_member(
			family, operands[i], strcspn(operands[i], "="));

		if (m == family->member_count)
			return err_set(err, ERR_USAGE,
				"%s: no such member of family %s", operands[i],
				family->name);
		if (out[m].ksr != NULL)
			return err_set(err, ERR_USAGE,
				"%s: the second one of this member",
				operands[i]);
		if (!split(operands[i], &out[m], err))
			return false;
	}
	for (size_t m = 0; m < family->member_count; m++)
		if (out[m].ksr == NULL)
			return err_set(err, ERR_USAGE,
				"%s of family %s is missing, expected %s=KSR=SKR",
				family->members[m].name, family->name,
				family->members[m].name);
	return true;
}

/* What a key of the configuration is in a bundle, by its label. */
struct seen {
	size_t plain, revoked, signatures;
};

static struct seen see(const struct ksr_bundle *bundle, const char *label)
{
	struct seen seen = {0};

	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if ((key->dnskey.flags & DNSKEY_FLAG_SEP) == 0 ||
			strcmp(key->identifier, label) != 0)
			continue;
		if ((key->dnskey.flags & DNSKEY_FLAG_REVOKE) != 0)
			seen.revoked++;
		else
			seen.plain++;
	}
	for (size_t s = 0; s < bundle->signature_count; s++)
		seen.signatures +=
			strcmp(bundle->signatures[s].identifier, label) == 0;
	return seen;
}

/* Is each configured key there as the slot has it, and no other? */
static bool is_like(const struct config *config, const struct config_slot *slot,
	const struct ksr_bundle *bundle)
{
	size_t keys = 0, signatures = 0, ksks = 0;

	for (size_t i = 0; i < config->key_count; i++) {
		const char *name = config->keys[i].name;
		struct seen seen = see(bundle, config->keys[i].label);
		bool revoked = config_names_has(&slot->revoke, name);
		bool plain = !revoked &&
			     (config_names_has(&slot->publish, name) ||
				     config_names_has(&slot->sign, name));

		if (seen.revoked != revoked || seen.plain != plain ||
			seen.signatures != config_slot_signs(slot, name))
			return false;
		keys += seen.plain + seen.revoked;
		signatures += seen.signatures;
	}
	for (size_t k = 0; k < bundle->key_count; k++)
		ksks += (bundle->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) != 0;
	return keys == ksks && signatures == bundle->signature_count;
}

static bool is_of(const struct config *config,
	const struct config_member *member, const struct ksr *response)
{
	const struct config_schema *schema =
		config_schema(config, member->schema);
	bool like = response->bundle_count <= schema->slot_count;

	for (size_t b = 0; like && b < response->bundle_count; b++)
		like = is_like(
			config, &schema->slots[b], &response->bundles[b]);
	return like;
}

void family_name(const struct config *config,
	const struct config_family *family, const struct ksr *response,
	struct buf *out)
{
	size_t before = out->len;

	for (size_t m = 0; m < family->member_count; m++)
		if (is_of(config, &family->members[m], response))
			buf_format(out, "%s%s", out->len > before ? " or " : "",
				family->members[m].mark);
}

/* Names are in no signature: is each KSK the one that it is called? */
static void look_at_names(const struct second *second, struct verdict *verdict)
{
	const struct ksr *previous = second->previous;
	struct err err = ERR_EMPTY;

	for (size_t b = 0; b < previous->bundle_count; b++)
		for (size_t k = 0; k < previous->bundles[b].key_count; k++) {
			const struct ksr_key *key =
				&previous->bundles[b].keys[k];
			enum second_known known = SECOND_UNKNOWN;

			if ((key->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
				continue;
			if (!second_know(second, key, &known, &err)) {
				verdict_fail(verdict, "%s", err.text);
				return;
			}
			if (known != SECOND_UNKNOWN)
				continue;
			verdict_fail(verdict,
				"the response before, bundle %s: key %05u is called %s and is not that key, so that nobody knows whose family it is of",
				previous->bundles[b].id,
				dnskey_tag(&key->dnskey), key->identifier);
			return;
		}
}

void family_previous(const struct second *second, struct verdict *verdict)
{
	const struct config_family *family = NULL;
	const struct config_member *expected = NULL;
	struct buf name = BUF_EMPTY;

	if (second->config == NULL || second->follows_member ||
		!config_previous_member(second->config, &family, &expected))
		return;
	if (is_of(second->config, expected, second->previous)) {
		look_at_names(second, verdict);
		return;
	}
	family_name(second->config, family, second->previous, &name);
	verdict_fail(verdict,
		"the response before is %s of family %s, expected %s",
		name.len > 0 ? buf_string(&name) : "none", family->name,
		expected->mark);
	buf_free(&name);
}

void family_mistaken(const struct second *second, struct verdict *verdict)
{
	struct buf name = BUF_EMPTY;

	if (second->family == NULL ||
		is_of(second->config, second->member, second->response))
		return;
	family_name(second->config, second->family, second->response, &name);
	if (name.len > 0)
		verdict_fail(verdict, "this is %s of family %s, expected %s",
			buf_string(&name), second->family->name,
			second->member->mark);
	buf_free(&name);
}
