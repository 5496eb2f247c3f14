/* SPDX-License-Identifier: ISC */
/*
 * POST-PREVIOUS: the response before arrives on a flash drive like everything
 * else.  Only what its signatures cover is believed: what it states beside
 * them (the bundles' times and order, tags, TTLs) must be the same again, and
 * each bundle must hang on a key that is known otherwise.
 */
#include "lib/base/time.h"
#include "lib/dns/ds.h"
#include "lib/dns/keyset.h"
#include "lib/dns/name.h"
#include "postcheck/second.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * No signature covers an identifier: a key that has another one in its bundle
 * than its signature says would be a signer that nobody counts.
 */
static void look_at_name(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	struct verdict *verdict)
{
	if (second_is_renamed(second, bundle, sig))
		verdict_fail(verdict,
			"bundle %s, line %lu: the key of the signature by %s is in the bundle, but has another identifier or other flags there",
			bundle->id, sig->line, sig->identifier);
}

static void look_at_signature(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	struct verdict *verdict)
{
	const struct ksr_key *key = second_signer(second, bundle, sig);
	const struct dnskey *dnskey =
		key != NULL ? &key->dnskey : second_absent(second, bundle, sig);
	struct err err = ERR_EMPTY;

	if (dnskey == NULL) {
		verdict_fail(verdict,
			"bundle %s, line %lu: signature by %s: the bundle has no such key with tag %05u and algorithm %u",
			bundle->id, sig->line, sig->identifier, sig->key_tag,
			sig->algorithm);
		return;
	}
	if ((dnskey->flags & DNSKEY_FLAG_SEP) == 0)
		verdict_fail(verdict,
			"bundle %s, line %lu: signed by %s, which is no KSK",
			bundle->id, sig->line, sig->identifier);
	if (!second_verifies(
		    second, second->previous, bundle, sig, dnskey, &err))
		verdict_fail(verdict,
			"bundle %s, line %lu: the signature by %s does not hold: %s",
			bundle->id, sig->line, sig->identifier, err.text);
}

/* What is stated in a signature and beside it. */
static void look_at_fields(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	struct verdict *verdict)
{
	const char *domain = second->previous->domain;
	struct err err = ERR_EMPTY;
	uint8_t labels = 0;

	if (sig->inception != bundle->inception ||
		sig->expiration != bundle->expiration)
		verdict_fail(verdict,
			"bundle %s, line %lu: signed for another time than the bundle's",
			bundle->id, sig->line);
	if (strcmp(sig->type_covered, "DNSKEY") != 0)
		verdict_fail(verdict, "bundle %s, line %lu: covers %s",
			bundle->id, sig->line, sig->type_covered);
	if (!name_labels(domain, &labels, &err))
		verdict_fail(verdict, "the domain: %s", err.text);
	else if (sig->labels != labels)
		verdict_fail(verdict,
			"bundle %s, line %lu: Labels %u, expected %u",
			bundle->id, sig->line, sig->labels, labels);
	if (!name_equal(sig->signers_name, domain))
		verdict_fail(verdict,
			"bundle %s, line %lu: SignersName %s, expected %s",
			bundle->id, sig->line, sig->signers_name, domain);
	if (sig->ttl != sig->original_ttl ||
		sig->original_ttl != bundle->keys[0].ttl)
		verdict_fail(verdict,
			"bundle %s, line %lu: TTL %" PRIu32
			" and OriginalTTL %" PRIu32 ", the keys have %" PRIu32,
			bundle->id, sig->line, sig->ttl, sig->original_ttl,
			bundle->keys[0].ttl);
}

static void look_at_keys(
	const struct ksr_bundle *bundle, struct verdict *verdict)
{
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];
		uint16_t tag = dnskey_tag(&key->dnskey);

		if (key->tag != tag)
			verdict_fail(verdict,
				"bundle %s, line %lu: key %s: tag %05u, computed %05u",
				bundle->id, key->line, key->identifier,
				key->tag, tag);
		if (key->ttl != bundle->keys[0].ttl)
			verdict_fail(verdict,
				"bundle %s, line %lu: key %s: TTL %" PRIu32
				", the first key has %" PRIu32,
				bundle->id, key->line, key->identifier,
				key->ttl, bundle->keys[0].ttl);
	}
}

/* A revocation is signed by its key: was a signature removed? */
static void look_at_revoked(const struct second *second,
	const struct ksr_bundle *bundle, struct verdict *verdict)
{
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if (key->dnskey.flags == DNSKEY_FLAGS_KSK_REVOKED &&
			second_count_by(second, bundle, key) == 0)
			verdict_note(verdict,
				"bundle %s, line %lu: key %s is revoked and does not sign",
				bundle->id, key->line, key->identifier);
	}
}

static bool has_unrevoked_signer(
	const struct second *second, const struct ksr_bundle *bundle)
{
	for (size_t k = 0; k < bundle->key_count; k++)
		if ((bundle->keys[k].dnskey.flags &
			    (DNSKEY_FLAG_SEP | DNSKEY_FLAG_REVOKE)) ==
				DNSKEY_FLAG_SEP &&
			second_count_by(second, bundle, &bundle->keys[k]) > 0)
			return true;
	return false;
}

/* Distinct, and one after the other; they are sorted by inception here. */
static void look_at_order(const struct ksr *previous, struct verdict *verdict)
{
	if (previous->reordered)
		verdict_note(verdict,
			"the bundles are not in the order of their inceptions");
	for (size_t b = 0; b < previous->bundle_count; b++) {
		const struct ksr_bundle *bundle = &previous->bundles[b];

		if (bundle->inception >= bundle->expiration)
			verdict_fail(verdict,
				"bundle %s does not begin before it ends",
				bundle->id);
		if (b > 0 &&
			(bundle->inception <= bundle[-1].inception ||
				bundle->expiration <= bundle[-1].expiration))
			verdict_fail(verdict,
				"bundle %s does not follow the one before, %s",
				bundle->id, bundle[-1].id);
		if (b > 0 && bundle->inception > bundle[-1].expiration)
			verdict_fail(verdict,
				"bundle %s begins after the one before ended, %s",
				bundle->id, bundle[-1].id);
		for (size_t other = 0; other < b; other++)
			if (strcmp(previous->bundles[other].id, bundle->id) ==
				0)
				verdict_fail(verdict, "bundle %s occurs twice",
					bundle->id);
	}
}

/* A member of a family has as many bundles as requests have. */
static void look_at_count(const struct second *second, struct verdict *verdict)
{
	const struct config *config = second->config;
	size_t count = second->previous->bundle_count;

	if (config == NULL)
		return;
	if (second->follows_member &&
		count != config->request_policy.num_bundles)
		verdict_fail(verdict,
			"%zu bundles, request_policy.num_bundles is %" PRIu32,
			count, config->request_policy.num_bundles);
	else if (!second->follows_member &&
		 count != config->response_policy.num_bundles)
		verdict_fail(verdict,
			"%zu bundles, response_policy.num_bundles is %" PRIu32,
			count, config->response_policy.num_bundles);
}

void second_previous(const struct second *second, struct verdict *verdict)
{
	static const struct config_response_policy all_on = {
		.validate_signatures = true};
	const struct config_response_policy *policy =
		second->config != NULL ? &second->config->response_policy
				       : &all_on;
	const struct ksr *previous = second->previous;
	bool verify = second_is_on(policy->validate_signatures,
		"response_policy.validate_signatures", verdict);

	look_at_count(second, verdict);
	look_at_order(previous, verdict);
	second_compare_names(previous, NULL, verdict);
	for (size_t b = 0; b < previous->bundle_count; b++) {
		const struct ksr_bundle *bundle = &previous->bundles[b];

		look_at_keys(bundle, verdict);
		if (verify)
			look_at_revoked(second, bundle, verdict);
		if (!has_unrevoked_signer(second, bundle))
			verdict_fail(verdict,
				"bundle %s: no key signs it that is not revoked",
				bundle->id);
		for (size_t s = 0; s < bundle->signature_count; s++) {
			look_at_fields(second, bundle, &bundle->signatures[s],
				verdict);
			look_at_name(second, bundle, &bundle->signatures[s],
				verdict);
			if (verify)
				look_at_signature(second, bundle,
					&bundle->signatures[s], verdict);
		}
	}
}

/* As the configuration has it, by its DS, or by what else it says. */
static bool has_its_values(const struct second *second,
	const struct config_key *config, const struct ksr_key *key, bool *out,
	struct err *err)
{
	struct dnskey plain = key->dnskey; /* borrows */
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len;

	plain.flags = DNSKEY_FLAGS_KSK;
	if (config->has_ds_sha256) {
		if (!crypto_ds(&plain, &second->owner, DS_SHA256, digest, &len,
			    err))
			return false;
		*out = memcmp(digest, config->ds_sha256, len) == 0;
		return true;
	}
	*out = config->algorithm == plain.algorithm &&
	       (!config->has_key_tag ||
		       config->key_tag == dnskey_tag(&plain)) &&
	       (config->public_key.len == 0 ||
		       buf_equal(&config->public_key, &plain.public_key));
	return true;
}

/* And by its label, which no signature covers and a table shows. */
static bool is_configured(const struct second *second,
	const struct config_key *config, const struct ksr_key *key, bool *out,
	struct err *err)
{
	*out = false;
	return strcmp(config->label, key->identifier) != 0 ||
	       has_its_values(second, config, key, out, err);
}

void second_look_at_labels(const struct second *second, bool others,
	bool signers, struct verdict *verdict)
{
	const struct config *config = second->config;
	const struct ksr *previous = second->previous;
	struct err err = ERR_EMPTY;

	for (size_t b = 0; b < previous->bundle_count; b++)
		for (size_t k = 0; k < previous->bundles[b].key_count; k++) {
			const struct ksr_key *key =
				&previous->bundles[b].keys[k];
			bool called = false, own = false, same = false;

			if (!(second_count_by(
				      second, &previous->bundles[b], key) > 0
					    ? signers
					    : others))
				continue;
			for (size_t i = 0;
				config != NULL && i < config->key_count; i++) {
				if (!is_configured(second, &config->keys[i],
					    key, &same, &err)) {
					verdict_fail(verdict, "%s", err.text);
					return;
				}
				own = own || same;
				called =
					called || strcmp(config->keys[i].label,
							  key->identifier) == 0;
			}
			if (called && (!own || (key->dnskey.flags &
						       DNSKEY_FLAG_SEP) == 0))
				verdict_fail(verdict,
					"the response before, bundle %s: key %05u is called %s, which the configuration says of another key",
					previous->bundles[b].id,
					dnskey_tag(&key->dnskey),
					key->identifier);
		}
}

/* Does the configuration say whose key it is, or what anybody can copy? */
static bool has_bytes(const struct config_key *config)
{
	return config->has_ds_sha256 || config->public_key.len > 0;
}

bool second_know(const struct second *second, const struct ksr_key *key,
	enum second_known *out, struct err *err)
{
	const struct config *config = second->config;
	enum second_known known = SECOND_UNKNOWN;
	bool anchored = false;

	for (size_t i = 0; config != NULL && i < config->key_count; i++) {
		bool same = false;

		if (!is_configured(second, &config->keys[i], key, &same, err))
			return false;
		if (same && has_bytes(&config->keys[i]))
			known = SECOND_KNOWN;
		else if (same && known == SECOND_UNKNOWN)
			known = SECOND_BY_LABEL;
	}
	if (config == NULL || known == SECOND_BY_LABEL) {
		if (!second_anchor_has(second->anchor, &key->dnskey,
			    &second->owner, &anchored, err))
			return false;
		if (anchored)
			known = SECOND_KNOWN;
	}
	*out = known;
	return true;
}

bool second_is_believed(const struct second *second, enum second_known known)
{
	return known == SECOND_KNOWN ||
	       (known == SECOND_BY_LABEL && second->anchor == NULL);
}

/* Does a key sign the bundle that is believed, and that validators follow? */
static bool has_believed_signer(const struct second *second,
	const struct ksr_bundle *bundle, bool *out, struct err *err)
{
	*out = false;
	for (size_t k = 0; !*out && k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];
		enum second_known known = SECOND_UNKNOWN;

		if (key->dnskey.flags != DNSKEY_FLAGS_KSK ||
			second_count_by(second, bundle, key) == 0)
			continue;
		if (!second_know(second, key, &known, err))
			return false;
		*out = second_is_believed(second, known);
	}
	return true;
}

/* Is it a configured key, or may it be one, by whatever name? */
static bool may_be_configured(const struct second *second,
	const struct ksr_key *key, bool *out, struct err *err)
{
	const struct config *config = second->config;

	*out = false;
	for (size_t i = 0; config != NULL && !*out && i < config->key_count;
		i++) {
		const struct config_key *one = &config->keys[i];

		if (strcmp(one->label, key->identifier) == 0)
			*out = true;
		else if ((has_bytes(one) || one->has_key_tag) &&
			 !has_its_values(second, one, key, out, err))
			return false;
	}
	return true;
}

bool second_is_left_over(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key, bool *out,
	struct err *err)
{
	bool configured = false;

	*out = false;
	if (key->dnskey.flags != DNSKEY_FLAGS_KSK_REVOKED)
		return true;
	if (!may_be_configured(second, key, &configured, err))
		return false;
	return configured || has_believed_signer(second, bundle, out, err);
}

/* Whoever signs without being published, where it is known. */
static bool trust_absents(const struct second *second,
	const struct ksr_bundle *bundle, struct keyset *trusted,
	struct err *err)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct dnskey *dnskey =
			second_absent(second, bundle, sig);
		struct ksr_key key = {.identifier = sig->identifier};
		enum second_known known = SECOND_UNKNOWN;

		if (dnskey == NULL)
			continue;
		key.dnskey = *dnskey; /* borrows */
		if (!second_know(second, &key, &known, err))
			return false;
		if (second_is_believed(second, known) &&
			!keyset_add(trusted, dnskey, err))
			return false;
	}
	return true;
}

/*
 * Where the last bundle's signers are asked for, those that are believed; else
 * all of them, since somebody must be believed.
 */
static bool trust_last(
	const struct second *second, struct keyset *trusted, struct err *err)
{
	const struct ksr *previous = second->previous;
	const struct ksr_bundle *last =
		&previous->bundles[previous->bundle_count - 1];
	bool ask = second_policy(second)->check_chain_keys_in_hsm &&
		   (second->config != NULL || second->anchor != NULL);

	for (size_t k = 0; k < last->key_count; k++) {
		const struct ksr_key *key = &last->keys[k];
		enum second_known known = SECOND_KNOWN;

		if ((key->dnskey.flags & DNSKEY_FLAG_SEP) == 0 ||
			second_count_by(second, last, key) == 0)
			continue;
		if (ask && !second_know(second, key, &known, err))
			return false;
		if (second_is_believed(second, known) &&
			!keyset_add(trusted, &key->dnskey, err))
			return false;
	}
	return !ask || trust_absents(second, last, trusted, err);
}

/* Is there a signature that holds, by a key that is trusted? */
static bool hangs_on(const struct second *second,
	const struct ksr_bundle *bundle, const struct keyset *trusted)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksr_key *key = second_signer(second, bundle, sig);
		struct err ignored = ERR_EMPTY;

		if (key != NULL && (key->dnskey.flags & DNSKEY_FLAG_SEP) != 0 &&
			keyset_has(trusted, &key->dnskey) &&
			second_verifies(second, second->previous, bundle, sig,
				&key->dnskey, &ignored))
			return true;
	}
	return false;
}

bool second_tie(const struct second *second, bool **out, struct err *err)
{
	const struct ksr *previous = second->previous;
	struct keyset trusted = KEYSET_EMPTY;
	bool *tied = calloc(previous->bundle_count, sizeof(*tied));
	bool ok;

	if (tied == NULL)
		return err_nomem(err);
	ok = trust_last(second, &trusted, err);
	for (size_t b = previous->bundle_count; ok && b-- > 0;) {
		const struct ksr_bundle *bundle = &previous->bundles[b];

		tied[b] = hangs_on(second, bundle, &trusted);
		for (size_t k = 0; ok && tied[b] && k < bundle->key_count; k++)
			if ((bundle->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) !=
				0)
				ok = keyset_add(
					&trusted, &bundle->keys[k].dnskey, err);
	}
	keyset_clear(&trusted);
	if (ok)
		*out = tied;
	else
		free(tied);
	return ok;
}
