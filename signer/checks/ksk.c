/* SPDX-License-Identifier: ISC */
/* KSK-IDENTITY, KSK-PERIOD, KSK-TAG-CLASH: the keys that are to sign. */
#include "base/hex.h"
#include "base/time.h"
#include "checks/catalogue.h"
#include "ksr/identity.h"

#include <stdlib.h>

static void check_identity(const struct check_context *context,
	const struct ksk *ksk, struct finding *finding)
{
	struct buf ds = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	struct identity found;

	if (ksk->token_key == NULL) {
		finding_fail(finding, "the HSM has no key %s", ksk->label);
		return;
	}
	if (!identity_compare(ksk->config, &ksk->dnskey,
		    context->request->domain, &found, &err)) {
		finding_fail(finding, "key %s: %s", ksk->label, err.text);
		return;
	}
	for (size_t i = 0; i < found.count; i++)
		finding_fail(finding, "key %s: %s", ksk->label,
			found.differences[i]);
	if (ksk->config->has_ds_sha256)
		return;
	hex_encode_upper(&ds, found.ds, sizeof(found.ds));
	finding_warn(finding,
		"key %s: no ds_sha256 is configured; the key found has %s",
		ksk->label, buf_string(&ds));
	buf_free(&ds);
}

void check_ksk_identity(
	const struct check_context *context, struct finding *finding)
{
	for (size_t i = 0; i < context->ksks->count; i++)
		check_identity(context, &context->ksks->keys[i], finding);
}

static void check_period(const struct ksr_bundle *bundle,
	const struct config_key *key, struct finding *finding)
{
	char from[TIME_TEXT_MAX], until[TIME_TEXT_MAX];

	time_format(key->valid_from, TIME_BARE, from);
	time_format(key->valid_until, TIME_BARE, until);
	if (bundle->inception < key->valid_from)
		finding_fail(finding,
			"bundle %s begins before key %s is valid (from %s)",
			bundle->id, key->label, from);
	if (bundle->expiration > key->valid_until)
		finding_fail(finding,
			"bundle %s ends after key %s is valid (until %s)",
			bundle->id, key->label, until);
}

void check_ksk_period(
	const struct check_context *context, struct finding *finding)
{
	const struct config_schema *schema = context->schema;
	const struct ksr *ksr = context->request;

	if (schema == NULL) {
		finding->result = CHECK_SKIP;
		finding_note(finding, "no schema is chosen");
		return;
	}
	if (schema->slot_count < ksr->bundle_count)
		finding_fail(finding, "schema %s has %zu slots for %zu bundles",
			schema->name, schema->slot_count, ksr->bundle_count);
	for (size_t b = 0; b < ksr->bundle_count && b < schema->slot_count;
		b++) {
		const struct config_names *sign = &schema->slots[b].sign;

		for (size_t i = 0; i < sign->count; i++)
			check_period(&ksr->bundles[b],
				config_key(context->config, sign->names[i]),
				finding);
	}
}

static void check_clash(const struct ksr_bundle *bundle, const struct ksk *ksk,
	struct finding *finding)
{
	uint16_t tag = dnskey_tag(&ksk->dnskey);
	uint16_t revoked = dnskey_tag(&ksk->revoked);

	for (size_t k = 0; k < bundle->key_count; k++) {
		uint16_t zsk = dnskey_tag(&bundle->keys[k].dnskey);

		if (zsk == tag || zsk == revoked)
			finding_fail(finding,
				"bundle %s: key %s%s has the tag %05u of ZSK "
				"%s",
				bundle->id, ksk->label,
				zsk == tag ? "" : " (when revoked)", zsk,
				bundle->keys[k].identifier);
	}
}

void check_ksk_tag_clash(
	const struct check_context *context, struct finding *finding)
{
	const struct config_schema *schema = context->schema;
	const struct ksr *ksr = context->request;

	for (size_t b = 0; b < ksr->bundle_count && b < schema->slot_count;
		b++) {
		struct ksk_use *uses = NULL;
		size_t count = 0;
		struct err err = ERR_EMPTY;

		if (!ksk_slot_uses(&schema->slots[b], context->ksks, &uses,
			    &count, &err)) {
			finding_fail(finding, "%s", err.text);
			return;
		}
		for (size_t i = 0; i < count; i++)
			check_clash(&ksr->bundles[b], uses[i].ksk, finding);
		free(uses);
	}
}
