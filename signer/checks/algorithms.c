/* SPDX-License-Identifier: ISC */
/* KSR-POLICY-ALG and SKR-ALGORITHMS. */
#include "checks/catalogue.h"
#include "dns/algorithm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Judges an algorithm that is stated or used; where is said in messages.
 * False where it was refused, so that its size need not be looked at.
 */
static bool check_algorithm(const struct check_context *context, uint8_t number,
	const char *where, struct finding *finding)
{
	const struct config_request_policy *policy =
		&context->config->request_policy;
	const struct algorithm *alg = algorithm_by_number(number);

	if (algorithm_is_deprecated(number))
		finding_fail(finding, "%s: algorithm %u (%s) is deprecated",
			where, number, alg->name);
	else if (!algorithm_is_supported(alg))
		finding_fail(finding, "%s: algorithm %u is not supported",
			where, number);
	else if (alg->family == ALGORITHM_ECDSA &&
		 !policy->enable_unsupported_ecdsa)
		finding_fail(finding,
			"%s: %s, but enable_unsupported_ecdsa is false", where,
			alg->name);
	else if (alg->family == ALGORITHM_EDDSA &&
		 !policy->enable_unsupported_edwards_dsa)
		finding_fail(finding,
			"%s: %s, but enable_unsupported_edwards_dsa is false",
			where, alg->name);
	else if (policy->signature_algorithms_match_zsk_policy &&
		 !config_numbers_has(&policy->approved_algorithms, number))
		finding_fail(finding, "%s: %s is not in approved_algorithms",
			where, alg->name);
	else
		return true;
	return false;
}

static void check_rsa(const struct check_context *context, uint32_t size,
	uint64_t exponent, const char *where, struct finding *finding)
{
	const struct config_request_policy *policy =
		&context->config->request_policy;

	if (!policy->signature_algorithms_match_zsk_policy)
		return;
	if (!config_numbers_has(&policy->rsa_approved_key_sizes, size))
		finding_fail(finding,
			"%s: RSA size %" PRIu32
			" is not in rsa_approved_key_sizes",
			where, size);
	if (exponent > UINT32_MAX ||
		!config_numbers_has(
			&policy->rsa_approved_exponents, (uint32_t)exponent))
		finding_fail(finding,
			"%s: RSA exponent %" PRIu64
			" is not in rsa_approved_exponents",
			where, exponent);
}

static void check_stated_entry(const struct check_context *context,
	const struct ksr_algorithm *entry, struct finding *finding)
{
	static const char where[] = "stated ZSK policy";
	static const enum ksr_family families[] = {
		[ALGORITHM_NONE] = KSR_RSA,
		[ALGORITHM_RSA] = KSR_RSA,
		[ALGORITHM_ECDSA] = KSR_ECDSA,
		[ALGORITHM_EDDSA] = KSR_EDDSA,
	};
	const struct algorithm *alg = algorithm_by_number(entry->algorithm);

	if (!check_algorithm(context, entry->algorithm, where, finding))
		return;
	if (families[alg->family] != entry->family)
		finding_fail(finding, "%s: the parameters are not those of %s",
			where, alg->name);
	else if (alg->family == ALGORITHM_RSA)
		check_rsa(
			context, entry->size, entry->exponent, where, finding);
	else if (entry->size != alg->bits)
		finding_fail(finding, "%s: %s size %" PRIu32 ", expected %u",
			where, alg->name, entry->size, alg->bits);
}

static void check_used_key(const struct check_context *context,
	const struct ksr_key *key, struct finding *finding)
{
	const struct algorithm *alg =
		algorithm_by_number(key->dnskey.algorithm);
	struct err err = ERR_EMPTY;
	struct dnskey_rsa rsa;
	char where[400];

	snprintf(where, sizeof(where), "line %lu: key %s", key->line,
		key->identifier);
	if (!check_algorithm(context, key->dnskey.algorithm, where, finding))
		return;
	if (alg->family != ALGORITHM_RSA)
		return;
	if (!dnskey_rsa(&key->dnskey, &rsa, &err))
		finding_fail(finding, "%s: %s", where, err.text);
	else
		check_rsa(
			context, rsa.bits, rsa.exponent_value, where, finding);
}

static bool same_as_before(const struct ksr *ksr, size_t b, size_t k)
{
	const struct dnskey *key = &ksr->bundles[b].keys[k].dnskey;

	return b > 0 && ksr_bundle_has(&ksr->bundles[b - 1], key);
}

void check_policy_alg(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;

	for (size_t i = 0; i < ksr->zsk.algorithm_count; i++)
		check_stated_entry(context, &ksr->zsk.algorithms[i], finding);
	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++)
			if (!same_as_before(ksr, b, k))
				check_used_key(context,
					&ksr->bundles[b].keys[k], finding);
	if (!context->config->request_policy
			.signature_algorithms_match_zsk_policy)
		finding_note(finding,
			"signature_algorithms_match_zsk_policy is false: "
			"approved algorithms, sizes and exponents not "
			"compared");
}

/* The algorithms of a set, one bit each. */
struct algorithm_set {
	uint64_t bits[4];
};

static void set_add(struct algorithm_set *set, uint8_t number)
{
	set->bits[number / 64] |= UINT64_C(1) << (number % 64);
}

void check_skr_algorithms(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->response;

	for (size_t b = 0; b < ksr->bundle_count; b++) {
		const struct ksr_bundle *bundle = &ksr->bundles[b];
		struct algorithm_set zsks = {0}, signatures = {0};

		for (size_t k = 0; k < bundle->key_count; k++)
			if (ksr_key_is_zsk(&bundle->keys[k]))
				set_add(&zsks,
					bundle->keys[k].dnskey.algorithm);
		for (size_t s = 0; s < bundle->signature_count; s++)
			set_add(&signatures, bundle->signatures[s].algorithm);
		if (memcmp(&zsks, &signatures, sizeof(zsks)) != 0)
			finding_fail(finding,
				"bundle %s: the ZSKs and the signatures have "
				"different sets of algorithms",
				bundle->id);
	}
}
