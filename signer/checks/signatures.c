/* SPDX-License-Identifier: ISC */
/* KSR-BUNDLE-POP and SKR-SIGNATURES: proof of possession, proof of signing. */
#include "checks/catalogue.h"
#include "dns/name.h"

#include <inttypes.h>
#include <string.h>

#define WHERE "bundle %s, line %lu: signature by %s: "

/* The fields beside the signature itself; false where one is wrong. */
static bool check_fields(const struct ksr *ksr, const struct ksr_bundle *bundle,
	const struct ksr_signature *sig, const struct ksr_key *key,
	struct finding *finding)
{
	struct err err = ERR_EMPTY;
	uint8_t labels = 0;
	bool ok = true;

	if (strcmp(sig->type_covered, "DNSKEY") != 0) {
		finding_fail(finding, WHERE "covers %s, expected DNSKEY",
			bundle->id, sig->line, sig->identifier,
			sig->type_covered);
		ok = false;
	}
	if (!name_labels(ksr->domain, &labels, &err) || sig->labels != labels) {
		finding_fail(finding, WHERE "Labels %u, expected %u",
			bundle->id, sig->line, sig->identifier, sig->labels,
			labels);
		ok = false;
	}
	if (sig->original_ttl != key->ttl || sig->ttl != key->ttl) {
		finding_fail(finding,
			WHERE "TTL %" PRIu32 " and OriginalTTL %" PRIu32
			      ", expected %" PRIu32,
			bundle->id, sig->line, sig->identifier, sig->ttl,
			sig->original_ttl, key->ttl);
		ok = false;
	}
	if (!name_equal(sig->signers_name, ksr->domain)) {
		finding_fail(finding, WHERE "SignersName \"%s\"", bundle->id,
			sig->line, sig->identifier, sig->signers_name);
		ok = false;
	}
	if (sig->inception >= sig->expiration) {
		finding_fail(finding, WHERE "ends before it begins", bundle->id,
			sig->line, sig->identifier);
		ok = false;
	}
	return ok;
}

void check_one_signature(const struct check_context *context,
	const struct ksr *ksr, const struct ksr_bundle *bundle,
	const struct ksr_signature *sig, struct finding *finding)
{
	const struct ksr_key *key = ksr_signature_key(bundle, sig);
	struct buf data = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	if (key == NULL) {
		finding_fail(finding,
			WHERE "no key of the bundle has that identifier, tag "
			      "%05u and algorithm %u",
			bundle->id, sig->line, sig->identifier, sig->key_tag,
			sig->algorithm);
		return;
	}
	if (!check_fields(ksr, bundle, sig, key, finding))
		return;
	if (!ksr_signed_data(bundle, sig, ksr->domain, &data, &err) ||
		!crypto_verify(context->cache, &key->dnskey, &data,
			&sig->signature, &err))
		finding_fail(finding, WHERE "%s", bundle->id, sig->line,
			sig->identifier, err.text);
	buf_free(&data);
}

/* Has the key a signature in its bundle? */
static bool is_proven(
	const struct ksr_bundle *bundle, const struct ksr_key *key)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *signer =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		/* The same key under a second identifier is proven, too. */
		if (signer != NULL &&
			dnskey_compare(&signer->dnskey, &key->dnskey) == 0)
			return true;
	}
	return false;
}

void check_bundle_pop(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;

	for (size_t b = 0; b < ksr->bundle_count; b++) {
		const struct ksr_bundle *bundle = &ksr->bundles[b];

		for (size_t s = 0; s < bundle->signature_count; s++)
			check_one_signature(context, ksr, bundle,
				&bundle->signatures[s], finding);
		for (size_t k = 0; k < bundle->key_count; k++)
			if (!is_proven(bundle, &bundle->keys[k]))
				finding_fail(finding,
					"bundle %s, line %lu: key %s has no "
					"signature",
					bundle->id, bundle->keys[k].line,
					bundle->keys[k].identifier);
	}
}

void check_skr_signatures(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->previous;

	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t s = 0; s < ksr->bundles[b].signature_count; s++)
			check_one_signature(context, ksr, &ksr->bundles[b],
				&ksr->bundles[b].signatures[s], finding);
}
