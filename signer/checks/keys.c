/* SPDX-License-Identifier: ISC */
/* KSR-BUNDLE-KEYS and KSR-POLICY-KEYS: the request's zone signing keys. */
#include "lib/base/array.h"
#include "lib/dns/algorithm.h"
#include "signer/checks/catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys of a request and where they stand, borrowed, in some order. */
struct placed {
	const struct ksr_bundle *bundle;
	const struct ksr_key *key;
};

struct key_list {
	struct placed *keys;
	size_t count;
};

/* All keys of all bundles, in their order; empty without memory. */
static struct key_list all_keys(const struct ksr *ksr, struct finding *finding)
{
	struct key_list all = {0};
	size_t total = 0;

	for (size_t b = 0; b < ksr->bundle_count; b++)
		total += ksr->bundles[b].key_count;
	all.keys = calloc(total + 1, sizeof(*all.keys));
	if (all.keys == NULL) {
		err_nomem(finding->nomem);
		return all;
	}
	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++)
			all.keys[all.count++] = (struct placed){
				&ksr->bundles[b], &ksr->bundles[b].keys[k]};
	return all;
}

/* Where two keys stand in the document: bundles, then keys in them. */
static int compare_lines(const struct ksr_key *a, const struct ksr_key *b)
{
	return (a->line > b->line) - (a->line < b->line);
}

static int compare_identifiers(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int order = strcmp(x->key->identifier, y->key->identifier);

	return order != 0 ? order : compare_lines(x->key, y->key);
}

static bool same_identifier(const struct placed *a, const struct placed *b)
{
	return strcmp(a->key->identifier, b->key->identifier) == 0;
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
	const struct placed *placed, unsigned bits, struct finding *finding)
{
	const struct ksr_key *key = placed->key;
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
			"bundle %s, line %lu: key %s, %s of %u bits, is not in the stated ZSK policy",
			placed->bundle->id, key->line, key->identifier,
			alg->name, bits);
	else
		finding_fail(finding,
			"bundle %s, line %lu: key %s, %s of %u bits, exponent %" PRIu64
			", is not in the stated ZSK policy",
			placed->bundle->id, key->line, key->identifier,
			alg->name, bits, rsa.exponent_value);
}

/* A key seen for the first time: all that its bytes say. */
static void check_new_key(const struct check_context *context,
	const struct placed *placed, struct finding *finding)
{
	const struct ksr_key *key = placed->key;
	uint16_t tag = dnskey_tag(&key->dnskey);
	struct err err = ERR_EMPTY;
	unsigned bits;

	if (key->dnskey.protocol != DNSKEY_PROTOCOL)
		finding_fail(finding,
			"bundle %s, line %lu: key %s: protocol %u, expected 3",
			placed->bundle->id, key->line, key->identifier,
			key->dnskey.protocol);
	if (key->dnskey.flags != DNSKEY_FLAGS_ZSK)
		finding_fail(finding,
			"bundle %s, line %lu: key %s: flags %u, expected 256",
			placed->bundle->id, key->line, key->identifier,
			key->dnskey.flags);
	if (key->tag != tag)
		finding_fail(finding,
			"bundle %s, line %lu: key %s: tag %05u, computed %05u",
			placed->bundle->id, key->line, key->identifier,
			key->tag, tag);
	if (!dnskey_size(&key->dnskey, &bits, &err))
		finding_fail(finding, "bundle %s, line %lu: key %s: %s",
			placed->bundle->id, key->line, key->identifier,
			err.text);
	else if (context->config->request_policy.keys_match_zsk_policy)
		check_stated(context, placed, bits, finding);
}

/* A key that was seen before must be that key. */
static void check_known_key(const struct ksr_key *known,
	const struct placed *placed, struct finding *finding)
{
	const struct ksr_key *key = placed->key;
	if (known->tag != key->tag ||
		dnskey_compare(&known->dnskey, &key->dnskey) != 0)
		finding_fail(finding,
			"bundle %s, line %lu: key %s is another key than on line %lu",
			placed->bundle->id, key->line, key->identifier,
			known->line);
}

/* In a response the KSKs stand beside it, each under its label. */
static void check_not_a_label(const struct config *config,
	const struct placed *placed, struct finding *finding)
{
	const struct ksr_key *key = placed->key;
	for (size_t i = 0; i < config->key_count; i++)
		if (strcmp(config->keys[i].label, key->identifier) == 0)
			finding_fail(finding,
				"bundle %s, line %lu: key %s has the label of keys.%s for its identifier, expected one of its own",
				placed->bundle->id, key->line, key->identifier,
				config->keys[i].name);
}

static void check_ttl(const struct check_context *context,
	const struct placed *placed, struct finding *finding)
{
	const struct ksr_key *key = placed->key;
	uint32_t dns_ttl = context->config->request_policy.dns_ttl;
	uint32_t expected =
		dns_ttl != 0 ? dns_ttl : context->config->ksk_policy.ttl;

	if (key->ttl != expected)
		finding_fail(finding,
			"bundle %s, line %lu: key %s: TTL %" PRIu32
			", expected %" PRIu32 " (%s)",
			placed->bundle->id, key->line, key->identifier,
			key->ttl, expected,
			dns_ttl != 0 ? "request_policy.dns_ttl"
				     : "ksk_policy.ttl");
}

static int compare_tags(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	uint16_t tag_a = dnskey_tag(&x->key->dnskey);
	uint16_t tag_b = dnskey_tag(&y->key->dnskey);

	if (tag_a != tag_b)
		return tag_a < tag_b ? -1 : 1;
	return compare_lines(x->key, y->key);
}

/*
 * Different keys that share a tag, or one key under two identifiers: each is
 * named with the one before it.
 */
static void warn_similar(struct key_list *list, struct finding *finding)
{
	qsort(list->keys, list->count, sizeof(*list->keys), compare_tags);
	for (size_t i = 1; i < list->count; i++) {
		const struct ksr_key *a = list->keys[i - 1].key;
		const struct ksr_key *b = list->keys[i].key;

		if (dnskey_tag(&a->dnskey) != dnskey_tag(&b->dnskey))
			continue;
		if (dnskey_same_public(&a->dnskey, &b->dnskey))
			finding_warn(finding, "keys %s and %s are the same key",
				a->identifier, b->identifier);
		else
			finding_warn(finding,
				"keys %s and %s have the same tag %05u",
				a->identifier, b->identifier,
				dnskey_tag(&a->dnskey));
	}
}

static void note_settings(
	const struct config_request_policy *policy, struct finding *finding)
{
	if (!policy->keys_match_zsk_policy)
		finding_note(finding,
			"keys_match_zsk_policy is false: not compared with the stated ZSK policy");
	else if (!policy->rsa_exponent_match_zsk_policy)
		finding_note(finding,
			"rsa_exponent_match_zsk_policy is false: exponents not compared with the stated ZSK policy");
}

void check_bundle_keys(
	const struct check_context *context, struct finding *finding)
{
	struct key_list all = all_keys(context->request, finding);
	size_t kept = 0;

	for (size_t i = 0; i < all.count; i++)
		check_ttl(context, &all.keys[i], finding);
	if (all.count > 0)
		qsort(all.keys, all.count, sizeof(*all.keys),
			compare_identifiers);
	for (size_t i = 0; i < all.count; i++) {
		const struct placed *key = &all.keys[i];

		if (i > 0 && same_identifier(&all.keys[kept - 1], key)) {
			check_known_key(all.keys[kept - 1].key, key, finding);
			continue;
		}
		check_new_key(context, key, finding);
		check_not_a_label(context->config, key, finding);
		all.keys[kept++] = *key;
	}
	all.count = kept;
	if (all.count > 0)
		warn_similar(&all, finding);
	note_settings(&context->config->request_policy, finding);
	free(all.keys);
}

/* All algorithms, where one is asked for. */
#define ANY (-1)

static bool is_of(const struct ksr_key *key, int algorithm)
{
	return algorithm == ANY || key->dnskey.algorithm == algorithm;
}

/* How many different keys of the algorithm the bundle has. */
static size_t count_keys(const struct ksr_bundle *bundle, int algorithm)
{
	size_t count = 0;

	/* Keys are in canonical order: the same ones are neighbours. */
	for (size_t k = 0; k < bundle->key_count; k++)
		if (is_of(&bundle->keys[k], algorithm) &&
			(k == 0 || dnskey_compare(&bundle->keys[k - 1].dnskey,
					   &bundle->keys[k].dnskey) != 0))
			count++;
	return count;
}

static int compare_placed(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return dnskey_compare(&x->key->dnskey, &y->key->dnskey);
}

/* How many different keys of the algorithm the request has. */
static size_t count_all_keys(
	const struct ksr *ksr, int algorithm, struct finding *finding)
{
	struct key_list all = all_keys(ksr, finding);
	size_t count = 0;

	if (all.count > 1)
		qsort(all.keys, all.count, sizeof(*all.keys), compare_placed);
	for (size_t i = 0; i < all.count; i++)
		if (is_of(all.keys[i].key, algorithm) &&
			(i == 0 || compare_placed(&all.keys[i - 1],
					   &all.keys[i]) != 0))
			count++;
	free(all.keys);
	return count;
}

/* The number of keys in each bundle; of is " of NAME", or empty. */
static void compare_counts(const struct ksr *ksr,
	const struct config_numbers *list, int algorithm, const char *of,
	struct finding *finding)
{
	if (ksr->bundle_count != list->count)
		finding_fail(finding,
			"%zu bundles, num_keys_per_bundle%s is for %zu",
			ksr->bundle_count, of, list->count);
	for (size_t b = 0; b < ksr->bundle_count && b < list->count; b++) {
		size_t count = count_keys(&ksr->bundles[b], algorithm);

		if (count != list->numbers[b])
			finding_fail(finding,
				"bundle %s, line %lu: %zu keys%s, expected %" PRIu32
				" in bundle %zu (num_keys_per_bundle)",
				ksr->bundles[b].id, ksr->bundles[b].line, count,
				of, list->numbers[b], b + 1);
	}
}

static void compare_total(const struct ksr *ksr, uint32_t expected,
	int algorithm, const char *of, struct finding *finding)
{
	size_t all = count_all_keys(ksr, algorithm, finding);

	if (all != expected)
		finding_fail(finding,
			"%zu different keys%s in all bundles, expected %" PRIu32
			" (num_different_keys_in_all_bundles)",
			all, of, expected);
}

/* The keys of one algorithm, where the request has any. */
static void compare_algorithm(const struct ksr *ksr,
	const struct config_algorithm_policy *own, struct finding *finding)
{
	char of[40];
	bool any = false;

	for (size_t b = 0; !any && b < ksr->bundle_count; b++)
		any = count_keys(&ksr->bundles[b], own->algorithm) > 0;
	if (!any)
		return;
	snprintf(of, sizeof(of), " of %s", algorithm_name(own->algorithm));
	if (own->num_keys_per_bundle.count > 0)
		compare_counts(ksr, &own->num_keys_per_bundle, own->algorithm,
			of, finding);
	if (own->has_num_different_keys)
		compare_total(ksr, own->num_different_keys_in_all_bundles,
			own->algorithm, of, finding);
}

/* What the request has beside the algorithms that are stated. */
static void check_unstated(const struct ksr *ksr,
	const struct config_request_policy *policy, struct finding *finding)
{
	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++) {
			const struct ksr_key *key = &ksr->bundles[b].keys[k];

			if (config_algorithm_policy(
				    policy, key->dnskey.algorithm) == NULL)
				finding_fail(finding,
					"bundle %s, line %lu: key %s is of %s, which request_policy.algorithms does not state",
					ksr->bundles[b].id, key->line,
					key->identifier,
					algorithm_name(key->dnskey.algorithm));
		}
}

/*
 * The numbers that hold for all keys together hold beside those of algorithms
 * only where they are stated: their defaults are those of one algorithm.
 */
void check_policy_keys(
	const struct check_context *context, struct finding *finding)
{
	const struct config_request_policy *policy =
		&context->config->request_policy;
	const struct config_algorithm_policies *each = &policy->algorithms;
	const struct ksr *ksr = context->request;

	if (each->count == 0 || policy->has_num_keys_per_bundle)
		compare_counts(
			ksr, &policy->num_keys_per_bundle, ANY, "", finding);
	if (each->count == 0 || policy->has_num_different_keys)
		compare_total(ksr, policy->num_different_keys_in_all_bundles,
			ANY, "", finding);
	for (size_t i = 0; i < each->count; i++)
		compare_algorithm(ksr, &each->policies[i], finding);
	if (each->count > 0)
		check_unstated(ksr, policy, finding);
}
