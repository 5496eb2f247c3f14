/* SPDX-License-Identifier: ISC */
/* KSR-BUNDLE-KEYS and KSR-POLICY-KEYS: the request's zone signing keys. */
#include "checks/catalogue.h"
#include "dns/algorithm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The different keys of a request, each as first seen. */
struct distinct {
	const struct ksr_key **keys;
	size_t count;
};

static const struct ksr_key *distinct_find(
	const struct distinct *seen, const char *identifier)
{
	for (size_t i = seen->count; i > 0; i--)
		if (strcmp(seen->keys[i - 1]->identifier, identifier) == 0)
			return seen->keys[i - 1];
	return NULL;
}

static void distinct_add(struct distinct *seen, const struct ksr_key *key,
	struct finding *finding)
{
	const struct ksr_key **slot = ksr_grow(
		&seen->keys, &seen->count, sizeof(*slot), finding->nomem);

	if (slot != NULL)
		*slot = key;
}

static bool entry_matches(const struct ksr_algorithm *entry,
	const struct ksr_key *key, unsigned bits, const uint64_t *exponent)
{
	return entry->algorithm == key->dnskey.algorithm &&
	       entry->size == bits &&
	       (exponent == NULL || entry->exponent == *exponent);
}

/* Algorithm, size and exponent against the stated ZSK policy. */
static void check_stated(const struct check_context *context,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	unsigned bits, struct finding *finding)
{
	const struct config_request_policy *policy =
		&context->config->request_policy;
	const struct ksr_policy *stated = &context->request->zsk;
	const uint64_t *compared = NULL;
	struct err ignored = ERR_EMPTY;
	struct dnskey_rsa rsa = {0};
	const struct algorithm *alg =
		algorithm_by_number(key->dnskey.algorithm);

	if (alg->family == ALGORITHM_RSA &&
		policy->rsa_exponent_match_zsk_policy &&
		dnskey_rsa(&key->dnskey, &rsa, &ignored))
		compared = &rsa.exponent_value;
	for (size_t i = 0; i < stated->algorithm_count; i++)
		if (entry_matches(&stated->algorithms[i], key, bits, compared))
			return;
	if (alg->family != ALGORITHM_RSA)
		finding_fail(finding,
			"bundle %s, line %lu: key %s, %s of %u bits, is not in "
			"the stated ZSK policy",
			bundle->id, key->line, key->identifier, alg->name,
			bits);
	else
		finding_fail(finding,
			"bundle %s, line %lu: key %s, %s of %u bits, exponent "
			"%" PRIu64 ", is not in the stated ZSK policy",
			bundle->id, key->line, key->identifier, alg->name, bits,
			rsa.exponent_value);
}

/* A key seen for the first time: all that its bytes say. */
static void check_new_key(const struct check_context *context,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	struct finding *finding)
{
	uint16_t tag = dnskey_tag(&key->dnskey);
	struct err err = ERR_EMPTY;
	unsigned bits;

	if (key->dnskey.protocol != DNSKEY_PROTOCOL)
		finding_fail(finding,
			"bundle %s, line %lu: key %s: protocol %u, expected 3",
			bundle->id, key->line, key->identifier,
			key->dnskey.protocol);
	if (key->dnskey.flags != DNSKEY_FLAGS_ZSK)
		finding_fail(finding,
			"bundle %s, line %lu: key %s: flags %u, expected 256",
			bundle->id, key->line, key->identifier,
			key->dnskey.flags);
	if (key->tag != tag)
		finding_fail(finding,
			"bundle %s, line %lu: key %s: tag %05u, computed %05u",
			bundle->id, key->line, key->identifier, key->tag, tag);
	if (!dnskey_size(&key->dnskey, &bits, &err))
		finding_fail(finding, "bundle %s, line %lu: key %s: %s",
			bundle->id, key->line, key->identifier, err.text);
	else if (context->config->request_policy.keys_match_zsk_policy)
		check_stated(context, bundle, key, bits, finding);
}

/* A key that was seen before must be that key. */
static void check_known_key(const struct ksr_bundle *bundle,
	const struct ksr_key *known, const struct ksr_key *key,
	struct finding *finding)
{
	if (known->tag != key->tag ||
		dnskey_compare(&known->dnskey, &key->dnskey) != 0)
		finding_fail(finding,
			"bundle %s, line %lu: key %s is another key than on "
			"line %lu",
			bundle->id, key->line, key->identifier, known->line);
}

/* In a response the KSKs stand beside it, each under its label. */
static void check_not_a_label(const struct config *config,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	struct finding *finding)
{
	for (size_t i = 0; i < config->key_count; i++)
		if (strcmp(config->keys[i].label, key->identifier) == 0)
			finding_fail(finding,
				"bundle %s, line %lu: key %s has the label of "
				"keys.%s for its identifier, expected one of "
				"its own",
				bundle->id, key->line, key->identifier,
				config->keys[i].name);
}

static void check_ttl(const struct check_context *context,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	struct finding *finding)
{
	uint32_t dns_ttl = context->config->request_policy.dns_ttl;
	uint32_t expected =
		dns_ttl != 0 ? dns_ttl : context->config->ksk_policy.ttl;

	if (key->ttl != expected)
		finding_fail(finding,
			"bundle %s, line %lu: key %s: TTL %" PRIu32
			", expected %" PRIu32 " (%s)",
			bundle->id, key->line, key->identifier, key->ttl,
			expected,
			dns_ttl != 0 ? "request_policy.dns_ttl"
				     : "ksk_policy.ttl");
}

/* Different keys that share a tag, or one key under two identifiers. */
static void warn_similar(const struct distinct *seen, struct finding *finding)
{
	for (size_t i = 0; i < seen->count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct ksr_key *a = seen->keys[j];
			const struct ksr_key *b = seen->keys[i];

			if (a->tag != b->tag)
				continue;
			if (dnskey_same_public(&a->dnskey, &b->dnskey))
				finding_warn(finding,
					"keys %s and %s are the same key",
					a->identifier, b->identifier);
			else
				finding_warn(finding,
					"keys %s and %s have the same tag "
					"%05u",
					a->identifier, b->identifier, a->tag);
		}
}

void check_bundle_keys(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;
	struct distinct seen = {0};

	for (size_t b = 0; b < ksr->bundle_count; b++) {
		const struct ksr_bundle *bundle = &ksr->bundles[b];

		for (size_t k = 0; k < bundle->key_count; k++) {
			const struct ksr_key *key = &bundle->keys[k];
			const struct ksr_key *known =
				distinct_find(&seen, key->identifier);

			check_ttl(context, bundle, key, finding);
			if (known != NULL) {
				check_known_key(bundle, known, key, finding);
				continue;
			}
			check_new_key(context, bundle, key, finding);
			check_not_a_label(
				context->config, bundle, key, finding);
			distinct_add(&seen, key, finding);
		}
	}
	warn_similar(&seen, finding);
	if (!context->config->request_policy.keys_match_zsk_policy)
		finding_note(finding,
			"keys_match_zsk_policy is false: not compared with the "
			"stated ZSK policy");
	else if (!context->config->request_policy.rsa_exponent_match_zsk_policy)
		finding_note(finding,
			"rsa_exponent_match_zsk_policy is false: exponents not "
			"compared with the stated ZSK policy");
	free(seen.keys);
}

/* How many different keys the bundle has. */
static size_t count_keys(const struct ksr_bundle *bundle)
{
	size_t count = 0;

	/* Keys are in canonical order: the same ones are neighbours. */
	for (size_t k = 0; k < bundle->key_count; k++)
		if (k == 0 || dnskey_compare(&bundle->keys[k - 1].dnskey,
				      &bundle->keys[k].dnskey) != 0)
			count++;
	return count;
}

static int compare_key_pointers(const void *a, const void *b)
{
	const struct ksr_key *const *key_a = a, *const *key_b = b;

	return dnskey_compare(&(*key_a)->dnskey, &(*key_b)->dnskey);
}

/* How many different keys the request has; SIZE_MAX without memory. */
static size_t count_all_keys(const struct ksr *ksr, struct finding *finding)
{
	struct distinct all = {0};
	size_t count = 0;

	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++)
			distinct_add(&all, &ksr->bundles[b].keys[k], finding);
	if (all.count > 1)
		qsort(all.keys, all.count, sizeof(*all.keys),
			compare_key_pointers);
	for (size_t i = 0; i < all.count; i++)
		if (i == 0 || compare_key_pointers(
				      &all.keys[i - 1], &all.keys[i]) != 0)
			count++;
	free(all.keys);
	return count;
}

void check_policy_keys(
	const struct check_context *context, struct finding *finding)
{
	const struct config_request_policy *policy =
		&context->config->request_policy;
	const struct config_numbers *list = &policy->num_keys_per_bundle;
	const struct ksr *ksr = context->request;
	size_t all = count_all_keys(ksr, finding);

	if (ksr->bundle_count != list->count)
		finding_fail(finding,
			"%zu bundles, num_keys_per_bundle is for %zu",
			ksr->bundle_count, list->count);
	for (size_t b = 0; b < ksr->bundle_count && b < list->count; b++) {
		size_t count = count_keys(&ksr->bundles[b]);

		if (count != list->numbers[b])
			finding_fail(finding,
				"bundle %s, line %lu: %zu keys, expected "
				"%" PRIu32 " in bundle %zu "
				"(num_keys_per_bundle)",
				ksr->bundles[b].id, ksr->bundles[b].line, count,
				list->numbers[b], b + 1);
	}
	if (all != policy->num_different_keys_in_all_bundles)
		finding_fail(finding,
			"%zu different keys in all bundles, expected %" PRIu32
			" (num_different_keys_in_all_bundles)",
			all, policy->num_different_keys_in_all_bundles);
}
