/* SPDX-License-Identifier: ISC */
/*
 * SKR-VERIFY: the response that was read back is the one that was made, each
 * signature in it verifies, and it is the request plus the schema's keys.
 */
#include "lib/base/buf.h"
#include "signer/checks/catalogue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void check_same_document(
	const struct check_context *context, struct finding *finding)
{
	struct buf again = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	buf_reserve(&again, context->written->len);
	if (!ksr_write(context->read_back, &again, &err))
		finding_fail(finding, "%s", err.text);
	else if (!buf_equal(&again, context->written))
		finding_fail(finding,
			"what was written reads back as something else");
	buf_free(&again);
}

/* The next quarter, and every other program, must be able to read it. */
static void check_size(
	const struct check_context *context, struct finding *finding)
{
	uint32_t max = context->config->request_policy.max_file_size;

	if (context->written->len > max)
		finding_fail(finding,
			"the response has %zu bytes, more than the %" PRIu32
			" of request_policy.max_file_size",
			context->written->len, max);
}

/* Each of the request's keys must be there. */
static size_t check_request_keys(const struct ksr_bundle *asked,
	const struct ksr_bundle *given, struct finding *finding)
{
	size_t count = 0;

	for (size_t k = 0; k < asked->key_count; k++) {
		const struct ksr_key *key = &asked->keys[k];

		if (k > 0 && dnskey_compare(&asked->keys[k - 1].dnskey,
				     &key->dnskey) == 0)
			continue;
		count++;
		if (!ksr_bundle_has(given, &key->dnskey))
			finding_fail(finding, "bundle %s lacks ZSK %05u (%s)",
				given->id, key->tag, key->identifier);
	}
	return count;
}

static bool is_signed_by(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		if (key != NULL && dnskey_compare(&key->dnskey, dnskey) == 0)
			return true;
	}
	return false;
}

/* A key that signs and is not to be seen. */
static void check_sign_only(const struct ksk_set *ksks, const struct ksk *ksk,
	const struct ksr_bundle *given, struct finding *finding)
{
	bool signs = false;

	for (size_t k = 0; k < given->key_count; k++)
		if (dnskey_same_public(&given->keys[k].dnskey, &ksk->dnskey))
			finding_fail(finding,
				"bundle %s has key %s, which is in sign_only",
				given->id, ksk->label);
	for (size_t s = 0; s < given->signature_count; s++)
		signs |= ksk_by_signature(ksks, &given->signatures[s]) == ksk;
	if (!signs)
		finding_fail(finding, "bundle %s is not signed by %s",
			given->id, ksk->label);
}

static void check_schema_keys(const struct ksk_set *ksks,
	const struct ksk_use *uses, size_t count,
	const struct ksr_bundle *given, struct finding *finding)
{
	size_t signers = 0;

	for (size_t i = 0; i < count; i++) {
		const struct dnskey *dnskey = ksk_use_dnskey(&uses[i]);

		signers += uses[i].signs;
		if (!uses[i].published) {
			check_sign_only(ksks, uses[i].ksk, given, finding);
			continue;
		}
		if (!ksr_bundle_has(given, dnskey))
			finding_fail(finding, "bundle %s lacks key %s",
				given->id, uses[i].ksk->label);
		if (uses[i].signs && !is_signed_by(given, dnskey))
			finding_fail(finding, "bundle %s is not signed by %s",
				given->id, uses[i].ksk->label);
	}
	if (given->signature_count != signers)
		finding_fail(finding, "bundle %s has %zu signatures, not %zu",
			given->id, given->signature_count, signers);
}

/* Ids, times and TTLs; the signatures' windows are the bundle's. */
static void check_frame(const struct check_context *context,
	const struct ksr_bundle *asked, const struct ksr_bundle *given,
	struct finding *finding)
{
	uint32_t ttl = context->config->ksk_policy.ttl;

	if (strcmp(asked->id, given->id) != 0 ||
		asked->inception != given->inception ||
		asked->expiration != given->expiration)
		finding_fail(finding,
			"bundle %s has another id or other times than asked",
			given->id);
	for (size_t k = 0; k < given->key_count; k++)
		if (given->keys[k].ttl != ttl)
			finding_fail(finding,
				"bundle %s: TTL %" PRIu32 " of key %s",
				given->id, given->keys[k].ttl,
				given->keys[k].identifier);
	for (size_t s = 0; s < given->signature_count; s++)
		if (given->signatures[s].inception != given->inception ||
			given->signatures[s].expiration != given->expiration ||
			given->signatures[s].original_ttl != ttl)
			finding_fail(finding,
				"bundle %s: times or TTL of the signature by %s",
				given->id, given->signatures[s].identifier);
}

/* Each verifies, by its key of the bundle or by that of the HSM. */
static void check_signatures(const struct check_context *context,
	const struct ksr_bundle *given, struct finding *finding)
{
	for (size_t s = 0; s < given->signature_count; s++) {
		const struct ksr_signature *sig = &given->signatures[s];
		const struct ksr_key *key = ksr_signature_key(given, sig);
		const struct ksk *ksk = ksk_by_signature(context->ksks, sig);
		struct ksr_key absent = {
			.ttl = context->config->ksk_policy.ttl};

		if (key == NULL && ksk != NULL)
			absent.dnskey = ksk->dnskey;
		check_one_signature(context, context->read_back, given, sig,
			key == NULL && ksk != NULL ? &absent : key, finding);
	}
}

static void check_bundle(
	const struct check_context *context, size_t b, struct finding *finding)
{
	const struct ksr_bundle *asked = &context->request->bundles[b];
	const struct ksr_bundle *given = &context->read_back->bundles[b];
	struct ksk_use *uses = NULL;
	struct err err = ERR_EMPTY;
	size_t count = 0, expected;

	if (!ksk_slot_uses(&context->schema->slots[b], context->ksks, &uses,
		    &count, &err)) {
		finding_fail(finding, "%s", err.text);
		return;
	}
	check_frame(context, asked, given, finding);
	expected = check_request_keys(asked, given, finding);
	for (size_t i = 0; i < count; i++)
		expected += uses[i].published;
	if (given->key_count != expected)
		finding_fail(finding, "bundle %s has %zu keys, expected %zu",
			given->id, given->key_count, expected);
	check_schema_keys(context->ksks, uses, count, given, finding);
	if (!check_has_lasting_signer(given))
		finding_fail(finding,
			"bundle %s: no key that is not revoked signs it",
			given->id);
	check_signatures(context, given, finding);
	free(uses);
}

void check_skr_verify(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *asked = context->request;
	const struct ksr *given = context->read_back;

	check_same_document(context, finding);
	check_size(context, finding);
	if (strcmp(asked->id, given->id) != 0 ||
		strcmp(asked->domain, given->domain) != 0 ||
		asked->serial != given->serial)
		finding_fail(
			finding, "id, domain or serial is not the request's");
	if (asked->bundle_count != given->bundle_count) {
		finding_fail(finding, "%zu bundles, the request has %zu",
			given->bundle_count, asked->bundle_count);
		return;
	}
	for (size_t b = 0; b < asked->bundle_count; b++)
		check_bundle(context, b, finding);
}
