/* SPDX-License-Identifier: ISC */
/* KSR-POLICY-ALG and SKR-ALGORITHMS. */
#include "lib/dns/algorithm.h"
#include "signer/checks/catalogue.h"

#include <inttypes.h>
#include <stdio.h>

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

static void check_rsa(const struct check_context *context, uint8_t algorithm,
	uint32_t size, uint64_t exponent, const char *where,
	struct finding *finding)
{
	const struct config_request_policy *policy =
		&context->config->request_policy;
	const struct config_algorithm_policy *own =
		config_algorithm_policy(policy, algorithm);
	const struct config_numbers *sizes = &policy->rsa_approved_key_sizes;
	const struct config_numbers *exponents =
		&policy->rsa_approved_exponents;

	if (!policy->signature_algorithms_match_zsk_policy)
		return;
	/* What is stated of one algorithm takes the place of what is of all. */
	if (own != NULL && own->rsa_approved_key_sizes.count > 0)
		sizes = &own->rsa_approved_key_sizes;
	if (own != NULL && own->rsa_approved_exponents.count > 0)
		exponents = &own->rsa_approved_exponents;
	if (!config_numbers_has(sizes, size))
		finding_fail(finding,
			"%s: RSA size %" PRIu32
			" is not in rsa_approved_key_sizes",
			where, size);
	if (exponent > UINT32_MAX ||
		!config_numbers_has(exponents, (uint32_t)exponent))
		finding_fail(finding,
			"%s: RSA exponent %" PRIu64
			" is not in rsa_approved_exponents",
			where, exponent);
}

static void check_stated_entry(const struct check_context *context,
	const struct ksr_algorithm *entry, struct finding *finding)
{
	static const char where[] = "stated ZSK policy";
	const struct algorithm *alg = algorithm_by_number(entry->algorithm);

	if (!check_algorithm(context, entry->algorithm, where, finding))
		return;
	if (ksr_family_of(alg) != entry->family)
		finding_fail(finding, "%s: the parameters are not those of %s",
			where, alg->name);
	else if (alg->family == ALGORITHM_RSA)
		check_rsa(context, entry->algorithm, entry->size,
			entry->exponent, where, finding);
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
		check_rsa(context, key->dnskey.algorithm, rsa.bits,
			rsa.exponent_value, where, finding);
}

static bool same_as_before(const struct ksr *ksr, size_t b, size_t k)
{
	const struct dnskey *key = &ksr->bundles[b].keys[k].dnskey;

	return b > 0 && ksr_bundle_has(&ksr->bundles[b - 1], key);
}

/* The algorithms of a set, one bit each. */
struct algorithm_set {
	uint64_t bits[4];
};

static void set_add(struct algorithm_set *set, uint8_t number)
{
	set->bits[number / 64] |= UINT64_C(1) << (number % 64);
}

/* A zone's keys and signatures have the same algorithms (RFC 4035 2.2). */
static void set_compare(const struct algorithm_set *keys,
	const struct algorithm_set *signatures, const char *bundle,
	struct finding *finding)
{
	for (unsigned number = 0; number <= UINT8_MAX; number++) {
		uint64_t bit = UINT64_C(1) << (number % 64);
		bool published = (keys->bits[number / 64] & bit) != 0;
		bool signs = (signatures->bits[number / 64] & bit) != 0;

		if (published && !signs)
			finding_fail(finding,
				"bundle %s: a key of %s is published, and no signature is of that algorithm",
				bundle, algorithm_name((uint8_t)number));
		else if (signs && !published)
			finding_fail(finding,
				"bundle %s: a signature of %s, and no key of that algorithm is published",
				bundle, algorithm_name((uint8_t)number));
	}
}

/*
 * The published KSKs that do not sign count as all others do.  And because
 * each algorithm must sign the whole zone, each needs a ZSK.
 */
static void compare_zsks(
	const struct ksr_bundle *bundle, struct finding *finding)
{
	struct algorithm_set zsks = {0};

	for (size_t k = 0; k < bundle->key_count; k++)
		if (ksr_key_is_zsk(&bundle->keys[k]))
			set_add(&zsks, bundle->keys[k].dnskey.algorithm);
	for (size_t k = 0; k < bundle->key_count; k++) {
		uint8_t number = bundle->keys[k].dnskey.algorithm;

		if ((zsks.bits[number / 64] >> number % 64 & 1) != 0)
			continue;
		finding_fail(finding, "bundle %s: %s has no ZSK", bundle->id,
			algorithm_name(number));
		set_add(&zsks, number);
	}
}

/* Exactly the algorithms of a list that the slot states. */
static void compare_stated(const struct algorithm_set *has,
	const struct config_numbers *stated, const char *bundle,
	const char *what, const char *list, struct finding *finding)
{
	for (unsigned number = 0; number <= UINT8_MAX; number++) {
		bool is = (has->bits[number / 64] >> number % 64 & 1) != 0;

		if (is == config_numbers_has(stated, number))
			continue;
		finding_fail(finding,
			"bundle %s: %s %s%s, which algorithms.%s %s", bundle,
			is ? "" : "no ", algorithm_name(number), what, list,
			is ? "does not state" : "states");
	}
}

/* The algorithms of one bundle. */
static void check_bundle(const struct ksr_bundle *bundle,
	const struct config_slot_algorithms *stated, struct finding *finding)
{
	struct algorithm_set keys = {0}, zsks = {0}, signatures = {0};

	for (size_t k = 0; k < bundle->key_count; k++) {
		set_add(&keys, bundle->keys[k].dnskey.algorithm);
		if (ksr_key_is_zsk(&bundle->keys[k]))
			set_add(&zsks, bundle->keys[k].dnskey.algorithm);
	}
	for (size_t s = 0; s < bundle->signature_count; s++)
		set_add(&signatures, bundle->signatures[s].algorithm);
	if (stated == NULL || !stated->stated) {
		set_compare(&keys, &signatures, bundle->id, finding);
		compare_zsks(bundle, finding);
		return;
	}
	compare_stated(&keys, &stated->published, bundle->id, " key",
		"published", finding);
	compare_stated(&signatures, &stated->signing, bundle->id, " signature",
		"signing", finding);
	compare_stated(&zsks,
		stated->has_zsks ? &stated->zsks : &stated->published,
		bundle->id, " ZSK", stated->has_zsks ? "zsks" : "published",
		finding);
}

void check_skr_algorithms(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->response;

	for (size_t b = 0; b < ksr->bundle_count; b++) {
		const struct config_slot *slot = check_slot(context, b);

		check_bundle(&ksr->bundles[b],
			slot != NULL ? &slot->algorithms : NULL, finding);
	}
}

/*
 * Which ZSKs a slot wants that states its algorithms is known without the HSM,
 * so that the maintainer sees it, too.
 */
static void compare_request(
	const struct check_context *context, size_t b, struct finding *finding)
{
	const struct ksr_bundle *bundle = &context->request->bundles[b];
	const struct config_slot *slot = check_slot(context, b);
	struct algorithm_set zsks = {0};

	if (slot == NULL || !slot->algorithms.stated)
		return;
	for (size_t k = 0; k < bundle->key_count; k++)
		set_add(&zsks, bundle->keys[k].dnskey.algorithm);
	if (slot->algorithms.has_zsks)
		compare_stated(&zsks, &slot->algorithms.zsks, bundle->id,
			" ZSK", "zsks", finding);
	else
		compare_stated(&zsks, &slot->algorithms.published, bundle->id,
			" ZSK", "published", finding);
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
	for (size_t b = 0; b < ksr->bundle_count; b++)
		compare_request(context, b, finding);
	if (!context->config->request_policy
			.signature_algorithms_match_zsk_policy)
		finding_note(finding,
			"signature_algorithms_match_zsk_policy is false: approved algorithms, sizes and exponents not compared");
}
