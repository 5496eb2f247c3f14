/* SPDX-License-Identifier: ISC */
/* KSR-CHAIN-*: the request continues where the last response ended. */
#include "base/time.h"
#include "checks/catalogue.h"

static const struct ksr_bundle *last_bundle(const struct ksr *ksr)
{
	return &ksr->bundles[ksr->bundle_count - 1];
}

/* Every ZSK of one bundle must be in the other. */
static void check_contained(const struct ksr_bundle *inner,
	const struct ksr_bundle *outer, const char *what,
	struct finding *finding)
{
	for (size_t k = 0; k < inner->key_count; k++) {
		const struct ksr_key *key = &inner->keys[k];

		if (ksr_key_is_zsk(key) && !ksr_bundle_has(outer, &key->dnskey))
			finding_fail(finding, "ZSK %05u (%s) is in %s",
				key->tag, key->identifier, what);
	}
}

void check_chain_keys(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr_bundle *old = last_bundle(context->previous);
	const struct ksr_bundle *new = &context->request->bundles[0];

	check_contained(new, old,
		"the request's first bundle, but not in the previous "
		"response's last",
		finding);
	check_contained(old, new,
		"the previous response's last bundle, but not in the request's "
		"first",
		finding);
}

void check_chain_overlap(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr_policy *stated = &context->request->zsk;
	int64_t ends = last_bundle(context->previous)->expiration;
	int64_t begins = context->request->bundles[0].inception;
	char ends_text[TIME_TEXT_MAX], begins_text[TIME_TEXT_MAX];
	char min_text[TIME_DURATION_MAX], max_text[TIME_DURATION_MAX];
	int64_t overlap = ends - begins;

	if (overlap >= stated->min_validity_overlap &&
		overlap <= stated->max_validity_overlap)
		return;
	time_format(ends, TIME_BARE, ends_text);
	time_format(begins, TIME_BARE, begins_text);
	time_duration_format(stated->min_validity_overlap, min_text);
	time_duration_format(stated->max_validity_overlap, max_text);
	finding_fail(finding,
		"the previous response ends at %s, the request begins at %s, "
		"expected an overlap of %s to %s",
		ends_text, begins_text, min_text, max_text);
}

void check_chain_keys_hsm(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr_bundle *bundle = last_bundle(context->previous);

	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksr_key *key = ksr_signature_key(bundle, sig);
		const struct ksk *ksk =
			ksk_by_label(context->previous_ksks, sig->identifier);
		struct buf data = BUF_EMPTY;
		struct err err = ERR_EMPTY;
		struct dnskey as_signed;

		if (ksk == NULL || ksk->token_key == NULL) {
			finding_fail(finding,
				"the HSM has no key %s, which signed the "
				"previous response's last bundle",
				sig->identifier);
			continue;
		}
		if (key == NULL ||
			!dnskey_same_public(&ksk->dnskey, &key->dnskey)) {
			finding_fail(finding,
				"the HSM's key %s is another key than the one "
				"that signed the previous response",
				sig->identifier);
			continue;
		}
		/* With the HSM's bytes and the flags it had then. */
		as_signed = ksk->dnskey;
		as_signed.flags = key->dnskey.flags;
		if (!ksr_signed_data(bundle, sig, context->previous->domain,
			    &data, &err) ||
			!crypto_verify(context->cache, &as_signed, &data,
				&sig->signature, &err))
			finding_fail(finding,
				"the previous response's last bundle, by the "
				"HSM's key %s: %s",
				sig->identifier, err.text);
		buf_free(&data);
	}
}
