/* SPDX-License-Identifier: ISC */
/* KSK-IDENTITY, KSK-PERIOD, KSK-TAG-CLASH: the keys that are to sign. */
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/time.h"
#include "signer/checks/catalogue.h"
#include "signer/keyset/identity.h"

#include <stdlib.h>

static void check_identity(const struct check_context *context,
	const struct ksk *ksk, struct finding *finding)
{
	struct buf ds = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	struct identity found;

	if (ksk->reason != NULL)
		finding_fail(finding, "key %s: %s", ksk->label, ksk->reason);
	if (ksk->token_key == NULL) {
		if (ksk->reason == NULL)
			finding_fail(
				finding, "the HSM has no key %s", ksk->label);
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

/* Two names for one key: it would stand in the set and sign twice. */
static void check_other_names(
	const struct ksk_set *ksks, size_t i, struct finding *finding)
{
	const struct ksk *ksk = &ksks->keys[i];

	for (size_t j = 0; j < i; j++)
		if (ksk->token_key != NULL && ksks->keys[j].token_key != NULL &&
			dnskey_same_public(&ksks->keys[j].dnskey, &ksk->dnskey))
			finding_fail(finding, "keys %s and %s are the same key",
				ksks->keys[j].label, ksk->label);
}

void check_ksk_identity(
	const struct check_context *context, struct finding *finding)
{
	for (size_t i = 0; i < context->ksks->count; i++) {
		check_identity(context, &context->ksks->keys[i], finding);
		check_other_names(context->ksks, i, finding);
	}
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

static void check_periods(const struct check_context *context,
	const struct ksr_bundle *bundle, const struct config_names *names,
	struct finding *finding)
{
	for (size_t i = 0; i < names->count; i++)
		check_period(bundle,
			config_key(context->config, names->names[i]), finding);
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
		check_periods(context, &ksr->bundles[b], &schema->slots[b].sign,
			finding);
		check_periods(context, &ksr->bundles[b],
			&schema->slots[b].sign_only, finding);
	}
}

static void check_clash(const struct ksr_bundle *bundle, const struct ksk *ksk,
	struct finding *finding)
{
	uint16_t tag = dnskey_tag(&ksk->dnskey);
	uint16_t revoked = dnskey_tag(&ksk->revoked);

	if (ksk->token_key == NULL)
		return;
	for (size_t k = 0; k < bundle->key_count; k++) {
		uint16_t zsk = dnskey_tag(&bundle->keys[k].dnskey);

		if (zsk == tag || zsk == revoked)
			finding_fail(finding,
				"bundle %s: key %s%s has the tag %05u of ZSK %s",
				bundle->id, ksk->label,
				zsk == tag ? "" : " (when revoked)", zsk,
				bundle->keys[k].identifier);
	}
}

/* Validators cannot tell two keys of one tag apart but by trying both. */
static void warn_same_tag(const struct ksr_bundle *bundle,
	const struct ksk_use *uses, size_t count, struct finding *finding)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct ksk *a = uses[j].ksk, *b = uses[i].ksk;
			uint16_t tags[] = {dnskey_tag(&a->dnskey),
				dnskey_tag(&a->revoked), dnskey_tag(&b->dnskey),
				dnskey_tag(&b->revoked)};

			if (a->token_key == NULL || b->token_key == NULL)
				continue;
			for (size_t t = 0; t < 4; t++)
				if (tags[t / 2] == tags[2 + t % 2])
					finding_warn(finding,
						"bundle %s: keys %s%s and %s%s have the same tag %05u",
						bundle->id, a->label,
						t / 2 == 1 ? " (when revoked)"
							   : "",
						b->label,
						t % 2 == 1 ? " (when revoked)"
							   : "",
						tags[t / 2]);
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
		warn_same_tag(&ksr->bundles[b], uses, count, finding);
		free(uses);
	}
}
