/* SPDX-License-Identifier: ISC */
/* POST-KSK-SCHEMA, POST-KSK-IDENTITY and POST-ANCHOR. */
#include "lib/base/buf.h"
#include "lib/dns/ds.h"
#include "lib/dns/name.h"
#include "postcheck/family.h"
#include "postcheck/second.h"

#include <inttypes.h>
#include <string.h>

/* What a slot wants of one key. */
struct use {
	bool published;
	bool revoked;
	bool signs;
	bool signs_only;
};

const struct config_slot_algorithms *second_stated(
	const struct second *second, size_t bundle)
{
	const struct config_schema *schema = second->schema;

	if (schema == NULL || bundle >= schema->slot_count ||
		!schema->slots[bundle].algorithms.stated)
		return NULL;
	return &schema->slots[bundle].algorithms;
}

static struct use use_of(
	const struct config_slot *slot, const struct second_ksk *ksk)
{
	const char *name = ksk->config->name;

	return (struct use){
		.published = config_names_has(&slot->publish, name),
		.revoked = config_names_has(&slot->revoke, name),
		.signs = config_names_has(&slot->sign, name),
		.signs_only = config_names_has(&slot->sign_only, name),
	};
}

/* Is the key there in that form?  It must be where wanted, else not. */
static void compare_form(const struct second *second,
	const struct ksr_bundle *bundle, const struct second_ksk *ksk,
	const struct dnskey *form, bool wanted, bool signs,
	struct verdict *verdict)
{
	const struct ksr_key *key = second_find(bundle, form);
	size_t signatures =
		key != NULL ? second_count_by(second, bundle, key) : 0;

	if (wanted != (key != NULL))
		verdict_fail(verdict, "bundle %s: key %s with flags %u is %s",
			bundle->id, ksk->label, form->flags,
			wanted ? "missing" : "not in the schema");
	if (!wanted || key == NULL)
		return;
	if (signatures != (signs ? 1U : 0U))
		verdict_fail(verdict,
			"bundle %s: %zu signatures by key %s, expected %d",
			bundle->id, signatures, ksk->label, signs ? 1 : 0);
	if (strcmp(key->identifier, ksk->label) != 0)
		verdict_fail(verdict, "bundle %s: key %s is called %s",
			bundle->id, ksk->label, key->identifier);
}

/* One signature by a key that signs only, and none by others like it. */
static void compare_absent(const struct second *second,
	const struct ksr_bundle *bundle, const struct second_ksk *ksk,
	bool wanted, struct verdict *verdict)
{
	size_t count = second_count_absent(second, bundle, ksk->label);

	if (count != (wanted ? 1U : 0U))
		verdict_fail(verdict,
			"bundle %s: %zu signatures by key %s, which is not in it, expected %d",
			bundle->id, count, ksk->label, wanted ? 1 : 0);
	if (wanted && !ksk->known)
		verdict_fail(verdict,
			"bundle %s: the public key of %s is not known, expected keys.%s.public_key or a trust anchor with it",
			bundle->id, ksk->label, ksk->config->name);
}

/* Each signature is by a key that is published, or of the schema. */
static void compare_names(const struct second *second,
	const struct ksr_bundle *bundle, struct verdict *verdict)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		bool named = second_signer(second, bundle, sig) != NULL;

		for (size_t i = 0; !named && i < second->ksk_count; i++)
			named = strcmp(second->ksks[i].label,
					sig->identifier) == 0;
		if (!named)
			verdict_fail(verdict,
				"bundle %s, line %lu: signature by %s, which is neither in it nor in the schema",
				bundle->id, sig->line, sig->identifier);
	}
}

static bool is_known(const struct second *second, const struct dnskey *dnskey)
{
	for (size_t i = 0; i < second->ksk_count; i++)
		if (second->ksks[i].known &&
			dnskey_same_public(&second->ksks[i].plain, dnskey))
			return true;
	return false;
}

static void compare_slot(const struct second *second,
	const struct config_slot *slot, const struct ksr_bundle *bundle,
	struct verdict *verdict)
{
	for (size_t i = 0; i < second->ksk_count; i++) {
		const struct second_ksk *ksk = &second->ksks[i];
		struct use use = use_of(slot, ksk);
		bool plain = (use.published || use.signs) && !use.revoked;

		compare_absent(second, bundle, ksk, use.signs_only, verdict);
		if (!ksk->known) {
			if (plain || use.revoked)
				verdict_fail(verdict,
					"bundle %s: key %s is missing",
					bundle->id, ksk->label);
			continue;
		}
		compare_form(second, bundle, ksk, &ksk->plain, plain, use.signs,
			verdict);
		compare_form(second, bundle, ksk, &ksk->revoked, use.revoked,
			true, verdict);
	}
	compare_names(second, bundle, verdict);
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if ((key->dnskey.flags & DNSKEY_FLAG_SEP) != 0 &&
			!is_known(second, &key->dnskey))
			verdict_fail(verdict,
				"bundle %s, line %lu: key %s (%05u) is not in the schema",
				bundle->id, key->line, key->identifier,
				dnskey_tag(&key->dnskey));
	}
}

void second_ksk_schema(const struct second *second, struct verdict *verdict)
{
	const struct config_schema *schema = second->schema;
	const struct ksr *response = second->response;

	family_mistaken(second, verdict);
	if (schema->slot_count < response->bundle_count)
		verdict_fail(verdict, "%zu bundles, schema %s has %zu slots",
			response->bundle_count, schema->name,
			schema->slot_count);
	for (size_t b = 0; b < response->bundle_count && b < schema->slot_count;
		b++)
		compare_slot(second, &schema->slots[b], &response->bundles[b],
			verdict);
}

/* Tag, algorithm, size and exponent, as far as they are configured. */
static void compare_properties(
	const struct second_ksk *ksk, struct verdict *verdict)
{
	const struct config_key *want = ksk->config;
	const struct dnskey *has = &ksk->plain;
	struct dnskey_rsa rsa = {0};
	struct err err = ERR_EMPTY;

	if (want->has_key_tag && dnskey_tag(has) != want->key_tag)
		verdict_fail(verdict, "key %s: tag %05u, configured %05u",
			ksk->label, dnskey_tag(has), want->key_tag);
	if (has->algorithm != want->algorithm)
		verdict_fail(verdict, "key %s: algorithm %u, configured %u",
			ksk->label, has->algorithm, want->algorithm);
	if (want->public_key.len > 0 &&
		!buf_equal(&want->public_key, &has->public_key))
		verdict_fail(verdict,
			"key %s: it is not the configured public_key",
			ksk->label);
	if (want->rsa_size == 0 && want->rsa_exponent == 0)
		return;
	if (!dnskey_rsa(has, &rsa, &err)) {
		verdict_fail(verdict, "key %s: %s", ksk->label, err.text);
		return;
	}
	if (want->rsa_size != 0 && rsa.bits != want->rsa_size)
		verdict_fail(verdict,
			"key %s: %u bits, configured are %" PRIu32, ksk->label,
			rsa.bits, want->rsa_size);
	if (want->rsa_exponent != 0 && rsa.exponent_value != want->rsa_exponent)
		verdict_fail(verdict,
			"key %s: exponent %" PRIu64 ", configured %" PRIu32,
			ksk->label, rsa.exponent_value, want->rsa_exponent);
}

static void compare_ds(const struct second *second,
	const struct second_ksk *ksk, struct verdict *verdict)
{
	struct err err = ERR_EMPTY;
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len;

	if (!ksk->config->has_ds_sha256) {
		verdict_note(verdict, "key %s: no ds_sha256 is configured",
			ksk->label);
		return;
	}
	if (!crypto_ds(
		    &ksk->plain, &second->owner, DS_SHA256, digest, &len, &err))
		verdict_fail(verdict, "key %s: %s", ksk->label, err.text);
	else if (memcmp(digest, ksk->config->ds_sha256, len) != 0)
		verdict_fail(verdict,
			"key %s: its DS is not the configured one", ksk->label);
}

/* The time that a key may sign in: configured, or the anchor's instead. */
static void compare_period(const struct second *second,
	const struct second_ksk *ksk, struct verdict *verdict)
{
	bool instead = ksk->instead != NULL;
	int64_t from =
		instead ? ksk->instead->valid_from : ksk->config->valid_from;
	int64_t until =
		instead ? ksk->instead->valid_until : ksk->config->valid_until;

	for (size_t b = 0; b < second->response->bundle_count; b++) {
		const struct ksr_bundle *bundle = &second->response->bundles[b];
		const struct ksr_key *key = second_find(bundle, &ksk->plain);

		if (key == NULL)
			key = second_find(bundle, &ksk->revoked);
		if ((key == NULL ||
			    second_count_by(second, bundle, key) == 0) &&
			second_count_absent(second, bundle, ksk->label) == 0)
			continue;
		if (bundle->inception < from || bundle->expiration > until)
			verdict_fail(verdict,
				"bundle %s: key %s signs outside of its period",
				bundle->id, ksk->label);
	}
}

void second_ksk_identity(const struct second *second, struct verdict *verdict)
{
	for (size_t i = 0; i < second->ksk_count; i++) {
		const struct second_ksk *ksk = &second->ksks[i];

		if (!ksk->known) {
			verdict_fail(verdict,
				"key %s is in no response, so it cannot be compared",
				ksk->label);
			if (second->anchor == NULL &&
				second_may_stand_in(second))
				verdict_note(verdict,
					"a rehearsal's configuration? then --anchor tells of the real key");
			continue;
		}
		if (ksk->instead != NULL) {
			verdict_note(verdict,
				"key %s of the trust anchor stands for the configured %s, %s",
				ksk->label, ksk->config->name,
				second->instead != NULL
					? "as --ksk says"
					: "which is a rehearsal's");
		} else {
			compare_properties(ksk, verdict);
			compare_ds(second, ksk, verdict);
		}
		compare_period(second, ksk, verdict);
	}
	if (second->ksk_count == 0)
		verdict_fail(verdict, "the schema names no key");
}

/* Is the key in the trust anchor, and valid there in the whole bundle? */
static bool is_trusted(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	struct verdict *verdict)
{
	const struct second_anchor *anchor = second->anchor;
	struct second_anchor_asked asked;
	struct err err = ERR_EMPTY;

	second_anchor_ask(&key->dnskey, &second->owner, &asked);
	for (size_t i = 0; i < anchor->count; i++) {
		const struct second_anchor_key *entry = &anchor->keys[i];
		bool same = false;

		if (!second_anchor_is(entry, &asked, &same, &err))
			verdict_fail(verdict, "key %s: %s", key->identifier,
				err.text);
		if (same && entry->valid_from <= bundle->inception &&
			bundle->expiration <= entry->valid_until)
			return true;
	}
	return false;
}

static void look_at_trust(const struct second *second,
	const struct ksr_bundle *bundle, struct verdict *verdict)
{
	struct err ignored = ERR_EMPTY;

	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksr_key *key = second_signer(second, bundle, sig);

		/* A revoked key is no anchor any more (RFC 5011 §2.1). */
		if (key != NULL && key->dnskey.flags == DNSKEY_FLAGS_KSK &&
			is_trusted(second, bundle, key, verdict) &&
			second_verifies(second, second->response, bundle, sig,
				&key->dnskey, &ignored))
			return;
	}
	verdict_fail(verdict,
		"bundle %s is signed by no key that is in the trust anchor and valid then",
		bundle->id);
}

/* Not a key's alone: who made a file with such an entry must be asked. */
static void look_at_entry(const struct second *second, const struct buf *zone,
	const struct second_anchor_key *entry, struct verdict *verdict)
{
	struct err err = ERR_EMPTY;
	bool agrees = true;

	if (!second_anchor_vouches(entry))
		verdict_fail(verdict,
			"the trust anchor's key %s has flags %u, expected 257, so it vouches for nothing",
			entry->id, entry->flags);
	if (!second_anchor_agrees(entry, zone, &agrees, &err))
		verdict_fail(verdict, "%s", err.text);
	else if (!agrees)
		verdict_fail(verdict,
			"the trust anchor's key %s contradicts itself: its PublicKey has another KeyTag or Digest (in zone %s)",
			entry->id, second->anchor->zone);
}

void second_trust(const struct second *second, struct verdict *verdict)
{
	struct err err = ERR_EMPTY;
	struct buf zone = BUF_EMPTY;

	if (!name_wire(second->anchor->zone, &zone, &err) ||
		!buf_equal(&zone, &second->owner))
		verdict_fail(verdict, "the trust anchor is for zone %s",
			second->anchor->zone);
	for (size_t i = 0; err.kind == ERR_NONE && i < second->anchor->count;
		i++)
		look_at_entry(second, &zone, &second->anchor->keys[i], verdict);
	buf_free(&zone);
	for (size_t b = 0; b < second->response->bundle_count; b++)
		look_at_trust(second, &second->response->bundles[b], verdict);
}
