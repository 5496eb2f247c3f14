/* SPDX-License-Identifier: ISC */
/* POST-HEADER and POST-KSK-POLICY. */
#include "base/time.h"
#include "dns/algorithm.h"
#include "dns/name.h"
#include "second/second.h"

#include <inttypes.h>
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
				"%s: algorithm %u, %" PRIu32 " bits, "
				"exponent %" PRIu64,
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
		out->family = KSR_EDDSA;
		return true;
	case ALGORITHM_NONE:
		break;
	}
	return false;
}

/* The entry for one KSK is stated; each is marked as used. */
static void look_for(const struct ksr_policy *stated, const struct ksr_key *key,
	bool *used, struct verdict *verdict)
{
	struct ksr_algorithm want = {0};

	if (!describe(&key->dnskey, &want)) {
		verdict_fail(verdict, "key %s is malformed", key->identifier);
		return;
	}
	for (size_t i = 0; i < stated->algorithm_count; i++) {
		const struct ksr_algorithm *a = &stated->algorithms[i];
		bool same = a->algorithm == want.algorithm &&
			    a->family == want.family && a->size == want.size;

		if (same && a->exponent == want.exponent) {
			used[a->algorithm] = true;
			return;
		}
		if (same && a->exponent == WRONG_EXPONENT) {
			if (!used[a->algorithm])
				verdict_note(verdict,
					"states exponent 3 where key %s has "
					"%" PRIu64 ", as signers of the past "
					"printed",
					key->identifier, want.exponent);
			used[a->algorithm] = true;
			return;
		}
	}
	verdict_fail(verdict,
		"states nothing like key %s: %s, %" PRIu32 " bits",
		key->identifier, algorithm_name(want.algorithm), want.size);
}

static void compare_ksk_algorithms(
	const struct ksr *response, struct verdict *verdict)
{
	const struct ksr_policy *stated = &response->ksk;
	bool used[UINT8_MAX + 1] = {false};

	for (size_t b = 0; b < response->bundle_count; b++)
		for (size_t k = 0; k < response->bundles[b].key_count; k++) {
			const struct ksr_key *key =
				&response->bundles[b].keys[k];

			if ((key->dnskey.flags & DNSKEY_FLAG_SEP) != 0)
				look_for(stated, key, used, verdict);
		}
	for (size_t i = 0; i < stated->algorithm_count; i++)
		if (!used[stated->algorithms[i].algorithm])
			verdict_fail(verdict,
				"states algorithm %u, which no KSK has",
				stated->algorithms[i].algorithm);
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
	compare_ksk_algorithms(second->response, verdict);
}
