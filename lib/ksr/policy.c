/* SPDX-License-Identifier: ISC */
/* What a policy states about keys: one entry for each kind of key. */
#include "lib/base/array.h"
#include "lib/dns/algorithm.h"
#include "lib/ksr/ksr.h"

#include <stdlib.h>
#include <string.h>

void ksr_policy_clear(struct ksr_policy *policy)
{
	free(policy->algorithms);
	*policy = (struct ksr_policy){0};
}

bool ksr_policy_copy(const struct ksr_policy *policy, struct ksr_policy *out,
	struct err *err)
{
	size_t size = policy->algorithm_count * sizeof(*policy->algorithms);
	struct ksr_algorithm *algorithms = malloc(size > 0 ? size : 1);

	if (algorithms == NULL)
		return err_nomem(err);
	if (size > 0)
		memcpy(algorithms, policy->algorithms, size);
	*out = *policy;
	out->algorithms = algorithms;
	return true;
}

enum ksr_family ksr_family_of(const struct algorithm *algorithm)
{
	static const enum ksr_family families[] = {
		[ALGORITHM_NONE] = KSR_RSA,
		[ALGORITHM_RSA] = KSR_RSA,
		[ALGORITHM_ECDSA] = KSR_ECDSA,
		[ALGORITHM_EDDSA] = KSR_EDDSA,
		[ALGORITHM_MLDSA] = KSR_EDDSA,
	};

	return families[algorithm->family];
}

/* The entry for a key: algorithm, family, size, exponent. */
static bool describe(
	const struct dnskey *dnskey, struct ksr_algorithm *out, struct err *err)
{
	struct dnskey_rsa rsa = {0};
	unsigned bits;

	if (!dnskey_size(dnskey, &bits, err))
		return false;
	out->algorithm = dnskey->algorithm;
	out->family = ksr_family_of(algorithm_by_number(dnskey->algorithm));
	if (out->family == KSR_RSA && !dnskey_rsa(dnskey, &rsa, err))
		return false;
	out->size = bits;
	out->exponent = rsa.exponent_value;
	return true;
}

static int compare_algorithms(
	const struct ksr_algorithm *x, const struct ksr_algorithm *y)
{
	if (x->algorithm != y->algorithm)
		return x->algorithm < y->algorithm ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->exponent > y->exponent) - (x->exponent < y->exponent);
}

bool ksr_policy_add(
	struct ksr_policy *policy, const struct dnskey *dnskey, struct err *err)
{
	struct ksr_algorithm entry = {0};
	size_t place = 0;
	int order = 1;

	if (!describe(dnskey, &entry, err))
		return false;
	for (; place < policy->algorithm_count; place++) {
		order = compare_algorithms(&policy->algorithms[place], &entry);
		if (order >= 0)
			break;
	}
	if (place < policy->algorithm_count && order == 0)
		return true;
	if (array_grow(&policy->algorithms, &policy->algorithm_count,
		    sizeof(entry), err) == NULL)
		return false;
	memmove(&policy->algorithms[place + 1], &policy->algorithms[place],
		(policy->algorithm_count - 1 - place) * sizeof(entry));
	policy->algorithms[place] = entry;
	return true;
}
