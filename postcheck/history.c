/* SPDX-License-Identifier: ISC */
/*
 * POST-CHAIN: the response before and this one are one unbroken history, and
 * it hangs on keys that are known otherwise.  Where the configuration switched
 * a part off, the verdict says so.
 */
#include "lib/base/time.h"
#include "lib/dns/name.h"
#include "postcheck/family.h"
#include "postcheck/second.h"

#include <stdlib.h>
#include <string.h>

static void compare_ids(const struct second *second, struct verdict *verdict)
{
	const struct ksr *old = second->previous, *new = second->response;

	if (!name_equal(old->domain, new->domain))
		verdict_fail(verdict, "the previous response is for %s",
			old->domain);
	if (strcmp(old->id, new->id) == 0)
		verdict_fail(verdict, "the previous response has the same id");
	for (size_t a = 0; a < old->bundle_count; a++)
		for (size_t b = 0; b < new->bundle_count; b++)
			if (strcmp(old->bundles[a].id, new->bundles[b].id) == 0)
				verdict_fail(verdict,
					"bundle %s is in the previous response too",
					new->bundles[b].id);
}

/* Each ZSK of one bundle is in the other. */
static void compare_zsks(const struct ksr_bundle *from,
	const struct ksr_bundle *in, const char *where, struct verdict *verdict)
{
	for (size_t k = 0; k < from->key_count; k++)
		if ((from->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) == 0 &&
			second_find(in, &from->keys[k].dnskey) == NULL)
			verdict_fail(verdict, "key %s is in the %s alone",
				from->keys[k].identifier, where);
}

static void compare_times(const struct second *second,
	const struct ksr_bundle *last, const struct ksr_bundle *first,
	struct verdict *verdict)
{
	const struct ksr_policy *asked = &second->request->zsk;
	const struct ksr_policy *stated = &second->response->ksk;
	int64_t overlap = last->expiration - first->inception;
	char text[TIME_DURATION_MAX];

	time_duration_format(overlap < 0 ? -overlap : overlap, text);
	if (overlap < asked->min_validity_overlap ||
		overlap > asked->max_validity_overlap)
		verdict_fail(verdict,
			"the last old bundle ends %s %s the first new one begins, not as stated in the request",
			text, overlap < 0 ? "before" : "after");
	if (overlap < stated->min_validity_overlap ||
		overlap > stated->max_validity_overlap)
		verdict_fail(verdict,
			"the last old bundle ends %s %s the first new one begins, not as the response's KSK policy states",
			text, overlap < 0 ? "before" : "after");
}

static int compare_identifiers(const void *a, const void *b)
{
	const struct ksr_key *const *x = a, *const *y = b;
	int order = strcmp((*x)->identifier, (*y)->identifier);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

static size_t count_keys(const struct ksr *ksr)
{
	size_t count = 0;

	for (size_t b = 0; b < ksr->bundle_count; b++)
		count += ksr->bundles[b].key_count;
	return count;
}

static size_t add_keys(
	const struct ksr *ksr, const struct ksr_key **keys, size_t count)
{
	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++)
			keys[count++] = &ksr->bundles[b].keys[k];
	return count;
}

void second_compare_names(
	const struct ksr *a, const struct ksr *b, struct verdict *verdict)
{
	size_t count = count_keys(a) + (b != NULL ? count_keys(b) : 0);
	const struct ksr_key **keys = calloc(count + 1, sizeof(*keys));

	if (keys == NULL) {
		verdict->nomem = true;
		return;
	}
	count = add_keys(a, keys, 0);
	count = b != NULL ? add_keys(b, keys, count) : count;
	qsort(keys, count, sizeof(*keys), compare_identifiers);
	for (size_t i = 1; i < count; i++)
		if (strcmp(keys[i - 1]->identifier, keys[i]->identifier) == 0 &&
			!dnskey_same_public(
				&keys[i - 1]->dnskey, &keys[i]->dnskey))
			verdict_fail(verdict,
				"%s is the name of two keys, %05u and %05u",
				keys[i]->identifier,
				dnskey_tag(&keys[i - 1]->dnskey),
				dnskey_tag(&keys[i]->dnskey));
	free(keys);
}

/* A signer of the last bundle that is not believed. */
static void look_at_unknown(const struct second *second,
	const struct ksr_bundle *last, const struct ksr_key *key,
	struct verdict *verdict)
{
	struct err err = ERR_EMPTY;
	bool left_over = false;

	if (!second_is_left_over(second, last, key, &left_over, &err))
		verdict_fail(verdict, "%s", err.text);
	else if (left_over)
		verdict_unlooked(verdict,
			"whose key %s is (%05u), which is revoked and signed the response before beside a known key: it is not configured",
			key->identifier, dnskey_tag(&key->dnskey));
	else
		verdict_fail(verdict,
			"previous response, bundle %s: signed by %s (%05u), which is not known, or not by that name",
			last->id, key->identifier, dnskey_tag(&key->dnskey));
}

/* Who signed the last bundle, where anything can say so. */
static void look_at_last(const struct second *second,
	const struct ksr_bundle *last, struct verdict *verdict)
{
	struct err err = ERR_EMPTY;

	for (size_t k = 0; k < last->key_count; k++) {
		const struct ksr_key *key = &last->keys[k];
		enum second_known known = SECOND_KNOWN;

		if (second_count_by(second, last, key) == 0)
			continue;
		if (!second_know(second, key, &known, &err))
			verdict_fail(verdict, "%s", err.text);
		else if (!second_is_believed(second, known))
			look_at_unknown(second, last, key, verdict);
		else if (known == SECOND_BY_LABEL)
			verdict_unlooked(verdict,
				"whose key %s is (%05u), which signed the response before: known by its label alone (no ds_sha256, no public_key, no trust anchor)",
				key->identifier, dnskey_tag(&key->dnskey));
	}
}

/* Who signed the last bundle is known, and each hangs on it. */
static void look_at_ties(const struct second *second, struct verdict *verdict)
{
	const struct ksr *old = second->previous;
	const struct ksr_bundle *last = &old->bundles[old->bundle_count - 1];

	if (second->config == NULL && second->anchor == NULL)
		verdict_unlooked(verdict,
			"whose keys signed (no configuration, no trust anchor)");
	else
		look_at_last(second, last, verdict);
	for (size_t b = 0; b < old->bundle_count; b++)
		if (!second->tied[b])
			verdict_fail(verdict,
				"previous response, bundle %s: no signature ties it to a known key",
				old->bundles[b].id);
}

void second_chain(const struct second *second, struct verdict *verdict)
{
	const struct config_request_policy *policy = second_policy(second);
	const struct ksr *old = second->previous;
	const struct ksr_bundle *last = &old->bundles[old->bundle_count - 1];
	const struct ksr_bundle *first = &second->response->bundles[0];

	compare_ids(second, verdict);
	family_previous(second, verdict);
	if (second_is_on(
		    policy->check_chain_keys, "check_chain_keys", verdict)) {
		compare_zsks(last, first, "previous response's last bundle",
			verdict);
		compare_zsks(
			first, last, "new response's first bundle", verdict);
		second_compare_names(
			second->previous, second->response, verdict);
	}
	second_look_at_labels(second, policy->check_chain_keys,
		policy->check_chain_keys || policy->check_chain_keys_in_hsm,
		verdict);
	if (second_is_on(policy->check_chain_keys_in_hsm,
		    "check_chain_keys_in_hsm", verdict))
		look_at_ties(second, verdict);
	if (second_is_on(policy->check_chain_overlap, "check_chain_overlap",
		    verdict))
		compare_times(second, last, first, verdict);
}
