/* SPDX-License-Identifier: ISC */
/*
 * POST-STATED: a response must not contradict the policies that it prints.
 * Where both of them, the KSK's and the ZSK's, have a bound, the tighter one
 * holds.
 */
#include "lib/base/time.h"
#include "postcheck/second.h"

#include <inttypes.h>

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A duration that may be negative, as a text. */
static const char *put_duration(
	int64_t seconds, char out[TIME_DURATION_MAX + 1])
{
	out[0] = '-';
	time_duration_format(seconds < 0 ? -seconds : seconds, out + 1);
	return seconds < 0 ? out : out + 1;
}

static void compare_bounds(const char *id, const char *what, int64_t has,
	int64_t min, int64_t max, struct verdict *verdict)
{
	char has_text[TIME_DURATION_MAX + 1], min_text[TIME_DURATION_MAX + 1];
	char max_text[TIME_DURATION_MAX + 1];

	if (has >= min && has <= max)
		return;
	verdict_fail(verdict, "bundle %s: its %s is %s, stated are %s to %s",
		id, what, put_duration(has, has_text),
		put_duration(min, min_text), put_duration(max, max_text));
}

static void look_at_lengths(
	const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;
	int64_t min = larger(response->ksk.min_signature_validity,
		response->zsk.min_signature_validity);
	int64_t max = smaller(response->ksk.max_signature_validity,
		response->zsk.max_signature_validity);

	for (size_t b = 0; b < response->bundle_count; b++)
		compare_bounds(response->bundles[b].id, "signature validity",
			response->bundles[b].expiration -
				response->bundles[b].inception,
			min, max, verdict);
}

static void look_at_overlaps(
	const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;
	int64_t min = larger(response->ksk.min_validity_overlap,
		response->zsk.min_validity_overlap);
	int64_t max = smaller(response->ksk.max_validity_overlap,
		response->zsk.max_validity_overlap);

	for (size_t b = 1; b < response->bundle_count; b++)
		compare_bounds(response->bundles[b].id,
			"overlap with the bundle before",
			response->bundles[b - 1].expiration -
				response->bundles[b].inception,
			min, max, verdict);
}

void second_policies(const struct second *second, struct verdict *verdict)
{
	const struct config_request_policy *policy = second_policy(second);

	if (second_is_on(policy->signature_validity_match_zsk_policy,
		    "signature_validity_match_zsk_policy", verdict))
		look_at_lengths(second, verdict);
	if (second_is_on(policy->check_bundle_overlap, "check_bundle_overlap",
		    verdict))
		look_at_overlaps(second, verdict);
}
