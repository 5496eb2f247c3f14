/* SPDX-License-Identifier: ISC */
/* POST-HEADER and POST-KSK-POLICY. */
#include "lib/base/time.h"
#include "lib/dns/algorithm.h"
#include "lib/dns/name.h"
#include "postcheck/second.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What the signer of the root's first years printed for every KSK. */
#define WRONG_EXPONENT 3

static void compare_duration(const char *name, int64_t stated, int64_t expected,
	struct verdict *verdict)
{
	char has[TIME_DURATION_MAX], wants[TIME_DURATION_MAX];

	if (stated == expected)
		return;
	time_duration_format(stated, has);
	time_duration_format(expected, wants);
	verdict_fail(verdict, "%s is %s, expected %s", name, has, wants);
}

static bool has_entry(
	const struct ksr_policy *policy, const struct ksr_algorithm *entry)
{
	for (size_t i = 0; i < policy->algorithm_count; i++) {
		const struct ksr_algorithm *a = &policy->algorithms[i];

		if (a->algorithm == entry->algorithm &&
			a->family == entry->family && a->size == entry->size &&
			a->exponent == entry->exponent)
			return true;
	}
	return false;
}

static void compare_entries(const char *what, const struct ksr_policy *from,
	const struct ksr_policy *in, struct verdict *verdict)
{
	for (size_t i = 0; i < from->algorithm_count; i++)
		if (!has_entry(in, &from->algorithms[i]))
			verdict_fail(verdict,
				"%s: algorithm %u, %" PRIu32
				" bits, exponent %" PRIu64,
				what, from->algorithms[i].algorithm,
				from->algorithms[i].size,
				from->algorithms[i].exponent);
}

static void compare_zsk_policy(const struct ksr_policy *response,
	const struct ksr_policy *request, struct verdict *verdict)
{
	compare_duration("PublishSafety", response->publish_safety,
		request->publish_safety, verdict);
	compare_duration("RetireSafety", response->retire_safety,
		request->retire_safety, verdict);
	compare_duration("MaxSignatureValidity",
		response->max_signature_validity,
		request->max_signature_validity, verdict);
	compare_duration("MinSignatureValidity",
		response->min_signature_validity,
		request->min_signature_validity, verdict);
	compare_duration("MaxValidityOverlap", response->max_validity_overlap,
		request->max_validity_overlap, verdict);
	compare_duration("MinValidityOverlap", response->min_validity_overlap,
		request->min_validity_overlap, verdict);
	if (response->algorithm_count != request->algorithm_count)
		verdict_fail(verdict, "%zu entries of algorithms, expected %zu",
			response->algorithm_count, request->algorithm_count);
	compare_entries("in the request alone", request, response, verdict);
	compare_entries("in the response alone", response, request, verdict);
}

void second_header(const struct second *second, struct verdict *verdict)
{
	const struct ksr *request = second->request;
	const struct ksr *response = second->response;

	if (strcmp(request->id, response->id) != 0)
		verdict_fail(verdict, "id %s, expected %s", response->id,
			request->id);
	if (!name_equal(request->domain, response->domain))
		verdict_fail(verdict, "domain %s, expected %s",
			response->domain, request->domain);
	if (request->serial != response->serial)
		verdict_fail(verdict, "serial %" PRId64 ", expected %" PRId64,
			response->serial, request->serial);
	compare_zsk_policy(&response->zsk, &request->zsk, verdict);
}

/* What the policy must say of a key; false where the key is malformed. */
static bool describe(const struct dnskey *dnskey, struct ksr_algorithm *out)
{
	const struct algorithm *alg = algorithm_by_number(dnskey->algorithm);
	struct dnskey_rsa rsa = {0};
	struct err ignored = ERR_EMPTY;
	unsigned bits = 0;

	if (!dnskey_size(dnskey, &bits, &ignored))
		return false;
	out->algorithm = dnskey->algorithm;
	out->size = bits;
	switch (alg->family) {
	case ALGORITHM_RSA:
		out->family = KSR_RSA;
		if (!dnskey_rsa(dnskey, &rsa, &ignored))
			return false;
		out->exponent = rsa.exponent_value;
		return true;
	case ALGORITHM_ECDSA:
		out->family = KSR_ECDSA;
		return true;
	case ALGORITHM_EDDSA:
	case ALGORITHM_MLDSA: /* the format has no other element for it */
		out->family = KSR_EDDSA;
		return true;
	case ALGORITHM_NONE:
		break;
	}
	return false;
}

/* The entry for one KSK is stated; each is marked as used. */
static void look_for(const struct ksr_policy *stated, const char *name,
	const struct dnskey *dnskey, bool *used, struct verdict *verdict)
{
	struct ksr_algorithm want = {0};

	if (!describe(dnskey, &want)) {
		verdict_fail(verdict, "key %s is malformed", name);
		return;
	}
	for (size_t i = 0; i < stated->algorithm_count; i++) {
		const struct ksr_algorithm *a = &stated->algorithms[i];
		bool same = a->algorithm == want.algorithm &&
			    a->family == want.family && a->size == want.size;

		if (same && a->exponent == want.exponent) {
			used[i] = true;
			return;
		}
		if (same && a->exponent == WRONG_EXPONENT) {
			if (!used[i])
				verdict_note(verdict,
					"states exponent 3 where key %s has %" PRIu64
					", as signers of the past printed",
					name, want.exponent);
			used[i] = true;
			return;
		}
	}
	verdict_fail(verdict,
		"states nothing like key %s: %s, %" PRIu32 " bits", name,
		algorithm_name(want.algorithm), want.size);
}

/* The KSKs of a bundle, and those that sign it without being in it. */
static void look_at_ksks(const struct second *second,
	const struct ksr_bundle *bundle, bool *used, struct verdict *verdict)
{
	const struct ksr_policy *stated = &second->response->ksk;

	for (size_t k = 0; k < bundle->key_count; k++)
		if ((bundle->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) != 0)
			look_for(stated, bundle->keys[k].identifier,
				&bundle->keys[k].dnskey, used, verdict);
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct dnskey *absent =
			second_absent(second, bundle, &bundle->signatures[s]);

		if (absent != NULL)
			look_for(stated, bundle->signatures[s].identifier,
				absent, used, verdict);
	}
}

static void compare_ksk_algorithms(
	const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;
	const struct ksr_policy *stated = &response->ksk;
	bool *used = calloc(stated->algorithm_count, sizeof(*used));

	if (used == NULL) {
		verdict->nomem = true;
		return;
	}
	for (size_t b = 0; b < response->bundle_count; b++)
		look_at_ksks(second, &response->bundles[b], used, verdict);
	for (size_t i = 0; i < stated->algorithm_count; i++)
		if (!used[i])
			verdict_fail(verdict,
				"states algorithm %u, %" PRIu32
				" bits, which no KSK has",
				stated->algorithms[i].algorithm,
				stated->algorithms[i].size);
	free(used);
}

const struct config_request_policy *second_policy(const struct second *second)
{
	static const struct config_request_policy all_on = {
		.max_file_size = KSR_SIZE_DEFAULT,
		.check_bundle_overlap = true,
		.signature_validity_match_zsk_policy = true,
		.check_chain_keys = true,
		.check_chain_keys_in_hsm = true,
		.check_chain_overlap = true,
		.check_keys_publish_safety = true,
		.check_keys_retire_safety = true};

	return second->config != NULL ? &second->config->request_policy
				      : &all_on;
}

bool second_is_on(bool setting, const char *name, struct verdict *verdict)
{
	if (!setting)
		verdict_unlooked(verdict, "%s is false", name);
	return setting;
}

void second_ksk_policy(const struct second *second, struct verdict *verdict)
{
	const struct config_ksk_policy *ours = &second->config->ksk_policy;
	const struct ksr_policy *stated = &second->response->ksk;

	compare_duration("PublishSafety", stated->publish_safety,
		ours->publish_safety, verdict);
	compare_duration("RetireSafety", stated->retire_safety,
		ours->retire_safety, verdict);
	compare_duration("MaxSignatureValidity", stated->max_signature_validity,
		ours->max_signature_validity, verdict);
	compare_duration("MinSignatureValidity", stated->min_signature_validity,
		ours->min_signature_validity, verdict);
	compare_duration("MaxValidityOverlap", stated->max_validity_overlap,
		ours->max_validity_overlap, verdict);
	compare_duration("MinValidityOverlap", stated->min_validity_overlap,
		ours->min_validity_overlap, verdict);
	if (ours->signers_name != NULL &&
		!name_equal(ours->signers_name, second->response->domain))
		verdict_fail(verdict, "the zone is %s, configured is %s",
			second->response->domain, ours->signers_name);
	compare_ksk_algorithms(second, verdict);
}
