/* SPDX-License-Identifier: ISC */
/*
 * SKR-POLICY-PUBLISH-SAFETY and SKR-POLICY-RETIRE-SAFETY: validators must
 * have seen a key before it signs, and still see it while what it signed is
 * in their caches.
 */
#include "base/time.h"
#include "checks/catalogue.h"

/* Is this public key in the bundle, revoked or not? */
static bool has_public(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t k = 0; k < bundle->key_count; k++)
		if (dnskey_same_public(&bundle->keys[k].dnskey, dnskey))
			return true;
	return false;
}

static bool is_revoked(const struct dnskey *dnskey)
{
	return (dnskey->flags & DNSKEY_FLAG_REVOKE) != 0;
}

/* As it stands; a key that is revoked now was published in either form. */
static bool is_published(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	return is_revoked(dnskey) ? has_public(bundle, dnskey)
				  : ksr_bundle_has(bundle, dnskey);
}

/*
 * Since when the key is published without a break, up to the last bundle;
 * INT64_MAX where the last does not have it.
 */
static int64_t published_since(
	const struct ksr *ksr, const struct dnskey *dnskey)
{
	int64_t since = INT64_MAX;

	for (size_t b = ksr->bundle_count; b > 0; b--) {
		if (!is_published(&ksr->bundles[b - 1], dnskey))
			break;
		since = ksr->bundles[b - 1].inception;
	}
	return since;
}

static void check_published(const struct check_context *context,
	const struct ksr_key *key, struct finding *finding)
{
	int64_t needed = context->config->ksk_policy.publish_safety;
	int64_t begins = context->response->bundles[0].inception;
	int64_t since = published_since(context->previous, &key->dnskey);
	char text[TIME_DURATION_MAX], from[TIME_TEXT_MAX];

	time_duration_format(needed, text);
	time_format(since, TIME_BARE, from);
	if (since == INT64_MAX)
		finding_fail(finding,
			"key %s signs the first bundle, but was not published "
			"in the previous response's last",
			key->identifier);
	else if (begins - since < needed)
		finding_fail(finding,
			"key %s signs the first bundle, but is published only "
			"since %s, expected %s before",
			key->identifier, from, text);
}

/* A key that starts to sign later was published in the bundle before? */
static void warn_unpublished(
	const struct ksr *ksr, size_t b, struct finding *finding)
{
	const struct ksr_bundle *bundle = &ksr->bundles[b];

	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		if (key != NULL &&
			!has_public(&ksr->bundles[b - 1], &key->dnskey))
			finding_warn(finding,
				"key %s signs bundle %s, but is not in the "
				"bundle before",
				key->identifier, bundle->id);
	}
}

void check_publish_safety(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->response;
	const struct ksr_bundle *first = &ksr->bundles[0];

	for (size_t s = 0; s < first->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(first, &first->signatures[s]);

		if (key != NULL)
			check_published(context, key, finding);
	}
	for (size_t b = 1; b < ksr->bundle_count; b++)
		warn_unpublished(ksr, b, finding);
}

/* The old signer must stay until its last signature is out of all caches. */
static void check_old_signer(const struct check_context *context,
	const struct ksr_key *key, int64_t expiration, struct finding *finding)
{
	int64_t until = expiration + context->config->ksk_policy.retire_safety;
	const struct ksr *ksr = context->response;
	char text[TIME_TEXT_MAX];

	time_format(until, TIME_BARE, text);
	for (size_t b = 0; b < ksr->bundle_count; b++) {
		if (ksr->bundles[b].inception >= until)
			return;
		if (has_public(&ksr->bundles[b], &key->dnskey))
			continue;
		finding_fail(finding,
			"key %s signed the previous response's last bundle and "
			"is gone in bundle %s, expected until %s",
			key->identifier, ksr->bundles[b].id, text);
		return;
	}
}

/* Has the key signed one of the bundles 0 to last? */
static bool has_signed(
	const struct ksr *ksr, size_t last, const struct dnskey *dnskey)
{
	for (size_t b = last + 1; b > 0; b--) {
		const struct ksr_bundle *bundle = &ksr->bundles[b - 1];

		for (size_t s = 0; s < bundle->signature_count; s++) {
			const struct ksr_key *key = ksr_signature_key(
				bundle, &bundle->signatures[s]);

			if (key != NULL &&
				dnskey_same_public(&key->dnskey, dnskey))
				return true;
		}
	}
	return false;
}

/* A signer of this response must not leave later in it. */
static void check_leavers(
	const struct ksr *ksr, size_t b, struct finding *finding)
{
	const struct ksr_bundle *bundle = &ksr->bundles[b];
	const struct ksr_bundle *next = &ksr->bundles[b + 1];

	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if (ksr_key_is_zsk(key) || is_revoked(&key->dnskey) ||
			has_public(next, &key->dnskey))
			continue;
		if (has_signed(ksr, b, &key->dnskey))
			finding_fail(finding,
				"key %s has signed and is gone in bundle %s",
				key->identifier, next->id);
	}
}

void check_retire_safety(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *old = context->previous, *new = context->response;

	if (old != NULL) {
		const struct ksr_bundle *last =
			&old->bundles[old->bundle_count - 1];

		for (size_t s = 0; s < last->signature_count; s++) {
			const struct ksr_key *key =
				ksr_signature_key(last, &last->signatures[s]);

			if (key != NULL && !is_revoked(&key->dnskey))
				check_old_signer(context, key, last->expiration,
					finding);
		}
	}
	for (size_t b = 0; b + 1 < new->bundle_count; b++)
		check_leavers(new, b, finding);
}
