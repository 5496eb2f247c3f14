/* SPDX-License-Identifier: ISC */
/*
 * POST-CHAIN: the response before and this one are one unbroken history.
 * Where the configuration switched a question off, the verdict says so.
 */
#include "base/time.h"
#include "dns/name.h"
#include "second/second.h"

#include <string.h>

/* Every signature of the response before verifies. */
static void look_at_previous(
	const struct second *second, struct verdict *verdict)
{
	const struct ksr *previous = second->previous;

	for (size_t b = 0; b < previous->bundle_count; b++) {
		const struct ksr_bundle *bundle = &previous->bundles[b];

		for (size_t s = 0; s < bundle->signature_count; s++) {
			const struct ksr_signature *sig =
				&bundle->signatures[s];
			const struct ksr_key *key = second_signer(bundle, sig);
			struct err err = ERR_EMPTY;

			if (key == NULL || !second_verifies(second, previous,
						   bundle, sig, key, &err))
				verdict_fail(verdict,
					"previous response, bundle %s: the "
					"signature by %s does not hold",
					bundle->id, sig->identifier);
		}
	}
}

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
					"bundle %s is in the previous response "
					"too",
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
	const struct ksr_policy *stated = &second->request->zsk;
	int64_t overlap = last->expiration - first->inception;
	char text[TIME_DURATION_MAX];

	time_duration_format(overlap < 0 ? -overlap : overlap, text);
	if (overlap < stated->min_validity_overlap ||
		overlap > stated->max_validity_overlap)
		verdict_fail(verdict,
			"the last old bundle ends %s %s the first new one "
			"begins, not as stated in the request",
			text, overlap < 0 ? "before" : "after");
}

/* The key in either form: a revoked key is still the same key. */
static bool is_published(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t k = 0; k < bundle->key_count; k++)
		if ((bundle->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) != 0 &&
			dnskey_same_public(&bundle->keys[k].dnskey, dnskey))
			return true;
	return false;
}

/* Each key that signs one bundle is published in the other. */
static void compare_signers(const struct ksr_bundle *from,
	const struct ksr_bundle *in, bool but_revoked, const char *problem,
	struct verdict *verdict)
{
	for (size_t s = 0; s < from->signature_count; s++) {
		const struct ksr_key *key =
			second_signer(from, &from->signatures[s]);

		if (key == NULL ||
			(but_revoked &&
				(key->dnskey.flags & DNSKEY_FLAG_REVOKE) != 0))
			continue;
		if (!is_published(in, &key->dnskey))
			verdict_fail(
				verdict, "key %s %s", key->identifier, problem);
	}
}

/* True where the setting is on; otherwise the verdict says that it is off. */
static bool is_on(bool setting, const char *name, struct verdict *verdict)
{
	if (!setting)
		verdict_note(verdict, "%s is false: not looked at", name);
	return setting;
}

void second_chain(const struct second *second, struct verdict *verdict)
{
	static const struct config_request_policy all_on = {
		.check_chain_keys = true,
		.check_chain_overlap = true,
		.check_keys_publish_safety = true,
		.check_keys_retire_safety = true};
	const struct config_request_policy *policy =
		second->config != NULL ? &second->config->request_policy
				       : &all_on;
	const struct ksr *old = second->previous;
	const struct ksr_bundle *last = &old->bundles[old->bundle_count - 1];
	const struct ksr_bundle *first = &second->response->bundles[0];

	look_at_previous(second, verdict);
	compare_ids(second, verdict);
	if (is_on(policy->check_chain_keys, "check_chain_keys", verdict)) {
		compare_zsks(last, first, "previous response's last bundle",
			verdict);
		compare_zsks(
			first, last, "new response's first bundle", verdict);
	}
	if (is_on(policy->check_chain_overlap, "check_chain_overlap", verdict))
		compare_times(second, last, first, verdict);
	if (is_on(policy->check_keys_publish_safety,
		    "check_keys_publish_safety", verdict))
		compare_signers(first, last, false,
			"signs, and was not published before", verdict);
	if (is_on(policy->check_keys_retire_safety, "check_keys_retire_safety",
		    verdict))
		compare_signers(last, first, true,
			"signed, and is not published any more", verdict);
}
