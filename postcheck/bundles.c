/* SPDX-License-Identifier: ISC */
/* POST-BUNDLES, POST-ZSKS and POST-KSK-FORM. */
#include "lib/base/time.h"
#include "postcheck/second.h"

#include <inttypes.h>
#include <string.h>

static const struct ksr_bundle *by_id(const struct ksr *ksr, const char *id)
{
	for (size_t i = 0; i < ksr->bundle_count; i++)
		if (strcmp(ksr->bundles[i].id, id) == 0)
			return &ksr->bundles[i];
	return NULL;
}

static void compare_time(const char *id, const char *what, int64_t has,
	int64_t wants, struct verdict *verdict)
{
	char has_text[TIME_TEXT_MAX], wants_text[TIME_TEXT_MAX];

	if (has == wants)
		return;
	time_format(has, TIME_BARE, has_text);
	time_format(wants, TIME_BARE, wants_text);
	verdict_fail(verdict, "bundle %s: %s at %s, requested %s", id, what,
		has_text, wants_text);
}

/* Each ends after the one before: else nothing can follow the response. */
static void look_at_ends(const struct ksr *response, struct verdict *verdict)
{
	for (size_t i = 1; i < response->bundle_count; i++)
		if (response->bundles[i].expiration <=
			response->bundles[i - 1].expiration)
			verdict_fail(verdict,
				"bundle %s does not end after the one before, %s",
				response->bundles[i].id,
				response->bundles[i - 1].id);
}

/* By place, which is by inception in both, and by id. */
void second_bundles(const struct second *second, struct verdict *verdict)
{
	const struct ksr *request = second->request;
	const struct ksr *response = second->response;

	if (response->bundle_count != request->bundle_count)
		verdict_fail(verdict, "%zu bundles, requested are %zu",
			response->bundle_count, request->bundle_count);
	if (response->reordered)
		verdict_fail(verdict,
			"the bundles are not in the order of their inceptions");
	look_at_ends(response, verdict);
	for (size_t i = 0; i < request->bundle_count; i++)
		if (by_id(response, request->bundles[i].id) == NULL)
			verdict_fail(verdict, "bundle %s is missing",
				request->bundles[i].id);
	for (size_t i = 0; i < response->bundle_count; i++) {
		const struct ksr_bundle *bundle = &response->bundles[i];
		const struct ksr_bundle *asked = by_id(request, bundle->id);

		if (asked == NULL) {
			verdict_fail(verdict, "bundle %s was not requested",
				bundle->id);
			continue;
		}
		if (by_id(response, bundle->id) != bundle)
			verdict_fail(
				verdict, "bundle %s occurs twice", bundle->id);
		if (i < request->bundle_count && asked != &request->bundles[i])
			verdict_fail(verdict,
				"bundle %s is in another place than requested",
				bundle->id);
		if (bundle->inception >= bundle->expiration)
			verdict_fail(verdict,
				"bundle %s does not begin before it ends",
				bundle->id);
		compare_time(bundle->id, "begins", bundle->inception,
			asked->inception, verdict);
		compare_time(bundle->id, "ends", bundle->expiration,
			asked->expiration, verdict);
	}
}

const struct ksr_key *second_find(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t i = 0; i < bundle->key_count; i++)
		if (bundle->keys[i].dnskey.flags == dnskey->flags &&
			bundle->keys[i].dnskey.protocol == dnskey->protocol &&
			dnskey_same_public(&bundle->keys[i].dnskey, dnskey))
			return &bundle->keys[i];
	return NULL;
}

const struct ksr_key *second_find_ksk(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t i = 0; i < bundle->key_count; i++)
		if ((bundle->keys[i].dnskey.flags & DNSKEY_FLAG_SEP) != 0 &&
			dnskey_same_public(&bundle->keys[i].dnskey, dnskey))
			return &bundle->keys[i];
	return NULL;
}

/* The fields beside the record's data: tag and TTL. */
static void compare_fields(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	uint32_t asked_ttl, struct verdict *verdict)
{
	uint16_t tag = dnskey_tag(&key->dnskey);
	uint32_t ttl = second->config != NULL ? second->config->ksk_policy.ttl
					      : asked_ttl;

	if (key->tag != tag)
		verdict_fail(verdict,
			"bundle %s, line %lu: key %s: tag %05u, computed %05u",
			bundle->id, key->line, key->identifier, key->tag, tag);
	if (key->ttl != ttl)
		verdict_fail(verdict,
			"bundle %s, line %lu: key %s: TTL %" PRIu32
			", expected %" PRIu32,
			bundle->id, key->line, key->identifier, key->ttl, ttl);
	for (size_t k = 0; k < bundle->key_count; k++)
		if (&bundle->keys[k] < key &&
			dnskey_compare(&bundle->keys[k].dnskey, &key->dnskey) ==
				0)
			verdict_fail(verdict,
				"bundle %s, line %lu: key %s occurs twice",
				bundle->id, key->line, key->identifier);
}

/* Is the identifier one that the request has for this key? */
static bool is_identifier(
	const struct ksr_bundle *asked, const struct ksr_key *key)
{
	for (size_t k = 0; k < asked->key_count; k++)
		if (strcmp(asked->keys[k].identifier, key->identifier) == 0 &&
			dnskey_compare(&asked->keys[k].dnskey, &key->dnskey) ==
				0)
			return true;
	return false;
}

static void compare_zsks(const struct second *second,
	const struct ksr_bundle *asked, const struct ksr_bundle *bundle,
	struct verdict *verdict)
{
	for (size_t k = 0; k < asked->key_count; k++) {
		const struct ksr_key *key = &asked->keys[k];

		if (key->dnskey.flags != DNSKEY_FLAGS_ZSK)
			verdict_fail(verdict,
				"bundle %s: the requested key %s has flags %u",
				asked->id, key->identifier, key->dnskey.flags);
		if (key->dnskey.protocol != DNSKEY_PROTOCOL)
			verdict_fail(verdict,
				"bundle %s: the requested key %s has protocol %u",
				asked->id, key->identifier,
				key->dnskey.protocol);
		if (second_find(bundle, &key->dnskey) == NULL)
			verdict_fail(verdict,
				"bundle %s: the requested key %s is missing",
				asked->id, key->identifier);
	}
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if ((key->dnskey.flags & DNSKEY_FLAG_SEP) != 0)
			continue;
		if (second_find(asked, &key->dnskey) == NULL)
			verdict_fail(verdict,
				"bundle %s, line %lu: key %s (%05u) was not requested",
				bundle->id, key->line, key->identifier,
				dnskey_tag(&key->dnskey));
		else if (!is_identifier(asked, key))
			verdict_fail(verdict,
				"bundle %s, line %lu: key %05u is called %s, not as requested",
				bundle->id, key->line, key->tag,
				key->identifier);
		compare_fields(
			second, bundle, key, asked->keys[0].ttl, verdict);
	}
}

void second_zsks(const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;

	second_compare_names(second->request, NULL, verdict);
	for (size_t b = 0; b < second->request->bundle_count; b++) {
		const struct ksr_bundle *asked = &second->request->bundles[b];
		const struct ksr_bundle *bundle = by_id(response, asked->id);

		if (bundle == NULL)
			verdict_fail(
				verdict, "bundle %s is missing", asked->id);
		else
			compare_zsks(second, asked, bundle, verdict);
	}
}

/* One label is one key, in all bundles. */
static void compare_labels(const struct ksr *ksr, const struct ksr_key *key,
	struct verdict *verdict)
{
	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++) {
			const struct ksr_key *other = &ksr->bundles[b].keys[k];
			bool same_name =
				strcmp(other->identifier, key->identifier) == 0;

			if (other == key)
				return; /* later ones are compared with it */
			if (same_name != dnskey_same_public(&other->dnskey,
						 &key->dnskey)) {
				verdict_fail(verdict,
					"line %lu: key %s: another key than %s on line %lu",
					key->line, key->identifier,
					other->identifier, other->line);
				return;
			}
		}
}

static void look_at_form(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	struct verdict *verdict)
{
	uint16_t flags = key->dnskey.flags;

	if (flags != DNSKEY_FLAGS_KSK && flags != DNSKEY_FLAGS_KSK_REVOKED)
		verdict_fail(verdict,
			"bundle %s, line %lu: key %s: flags %u, expected 257 or 385",
			bundle->id, key->line, key->identifier, flags);
	if (key->dnskey.protocol != DNSKEY_PROTOCOL)
		verdict_fail(verdict,
			"bundle %s, line %lu: key %s: protocol %u, expected 3",
			bundle->id, key->line, key->identifier,
			key->dnskey.protocol);
	/* RFC 5011 §2.1: a revocation counts when the key itself signs it. */
	if (flags == DNSKEY_FLAGS_KSK_REVOKED &&
		second_count_by(second, bundle, key) == 0)
		verdict_fail(verdict,
			"bundle %s, line %lu: key %s is revoked and does not sign",
			bundle->id, key->line, key->identifier);
	compare_fields(second, bundle, key,
		second->request->bundles[0].keys[0].ttl, verdict);
}

/* The tag that the key has as a KSK, revoked or not. */
static uint16_t tag_as(const struct dnskey *dnskey, uint16_t flags)
{
	struct dnskey form = *dnskey; /* borrows */

	form.flags = flags;
	return dnskey_tag(&form);
}

/*
 * A KSK, in either form, that has a tag of a ZSK of its bundle is refused;
 * two KSKs of one tag, likewise in either form, are worth knowing.
 */
static void compare_tags(const struct ksr_bundle *bundle,
	const struct ksr_key *key, struct verdict *verdict)
{
	uint16_t plain = tag_as(&key->dnskey, DNSKEY_FLAGS_KSK);
	uint16_t revoked = tag_as(&key->dnskey, DNSKEY_FLAGS_KSK_REVOKED);

	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *other = &bundle->keys[k];
		uint16_t tag = dnskey_tag(&other->dnskey);
		bool ksk = (other->dnskey.flags & DNSKEY_FLAG_SEP) != 0;

		if (dnskey_same_public(&other->dnskey, &key->dnskey))
			continue;
		if (!ksk && (tag == plain || tag == revoked))
			verdict_fail(verdict,
				"bundle %s: key %s%s has the tag %05u of key %s",
				bundle->id, key->identifier,
				tag == plain ? "" : ", if it is revoked,", tag,
				other->identifier);
		if (ksk && other < key &&
			(tag == plain || tag == revoked ||
				tag_as(&other->dnskey,
					DNSKEY_FLAGS_KSK_REVOKED) == plain))
			verdict_note(verdict,
				"bundle %s: keys %s and %s have one tag, as they are or if one is revoked",
				bundle->id, key->identifier, other->identifier);
	}
}

void second_ksk_form(const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;

	for (size_t b = 0; b < response->bundle_count; b++) {
		const struct ksr_bundle *bundle = &response->bundles[b];

		for (size_t k = 0; k < bundle->key_count; k++) {
			const struct ksr_key *key = &bundle->keys[k];

			if ((key->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
				continue;
			look_at_form(second, bundle, key, verdict);
			compare_labels(response, key, verdict);
			compare_tags(bundle, key, verdict);
		}
	}
}
