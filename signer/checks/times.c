/* SPDX-License-Identifier: ISC */
/*
 * KSR-BUNDLE-CYCLE-DURATION, KSR-POLICY-SIG-OVERLAP, -SIG-VALIDITY,
 * -SIG-HORIZON, -BUNDLE-INTERVALS: the bundles on the calendar.
 */
#include "lib/base/time.h"
#include "signer/checks/catalogue.h"

#include <inttypes.h>

/* A duration that may be negative: a gap is a negative overlap. */
static void format_signed(int64_t seconds, char out[TIME_DURATION_MAX + 1])
{
	out[0] = '-';
	time_duration_format(
		seconds < 0 ? -seconds : seconds, out + (seconds < 0 ? 1 : 0));
}

/* Fails where the value is not within the bounds; subject says whose. */
static void check_bounds(int64_t value, int64_t min, int64_t max,
	const char *what, const struct ksr_bundle *bundle,
	struct finding *finding)
{
	char value_text[TIME_DURATION_MAX + 1];
	char min_text[TIME_DURATION_MAX], max_text[TIME_DURATION_MAX];

	if (value >= min && value <= max)
		return;
	format_signed(value, value_text);
	time_duration_format(min, min_text);
	time_duration_format(max, max_text);
	finding_fail(finding, "bundle %s, line %lu: %s %s, expected %s to %s",
		bundle->id, bundle->line, what, value_text, min_text, max_text);
}

void check_cycle_duration(
	const struct check_context *context, struct finding *finding)
{
	const struct config_request_policy *policy =
		&context->config->request_policy;
	const struct ksr *ksr = context->request;
	const struct ksr_bundle *last = &ksr->bundles[ksr->bundle_count - 1];

	check_bounds(last->inception - ksr->bundles[0].inception,
		policy->min_cycle_inception_length,
		policy->max_cycle_inception_length,
		"begins after the first bundle by", last, finding);
}

void check_sig_overlap(
	const struct check_context *context, struct finding *finding)
{
	const struct config_ksk_policy *ours = &context->config->ksk_policy;
	const struct ksr *ksr = context->request;

	for (size_t i = 1; i < ksr->bundle_count; i++) {
		int64_t overlap = ksr->bundles[i - 1].expiration -
				  ksr->bundles[i].inception;

		check_bounds(overlap, ksr->zsk.min_validity_overlap,
			ksr->zsk.max_validity_overlap,
			"overlaps the bundle before (stated policy) by",
			&ksr->bundles[i], finding);
		check_bounds(overlap, ours->min_validity_overlap,
			ours->max_validity_overlap,
			"overlaps the bundle before (ksk_policy) by",
			&ksr->bundles[i], finding);
	}
}

void check_sig_validity(
	const struct check_context *context, struct finding *finding)
{
	const struct config_ksk_policy *ours = &context->config->ksk_policy;
	const struct ksr *ksr = context->request;

	for (size_t i = 0; i < ksr->bundle_count; i++) {
		const struct ksr_bundle *bundle = &ksr->bundles[i];
		int64_t length = bundle->expiration - bundle->inception;

		check_bounds(length, ksr->zsk.min_signature_validity,
			ksr->zsk.max_signature_validity,
			"is valid for (stated policy)", bundle, finding);
		check_bounds(length, ours->min_signature_validity,
			ours->max_signature_validity,
			"is valid for (ksk_policy)", bundle, finding);
	}
}

void check_sig_horizon(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;
	uint32_t days = context->config->request_policy.signature_horizon_days;
	int64_t horizon = context->now + days * TIME_DAY;
	char clock[TIME_TEXT_MAX];

	time_format(context->now, TIME_Z, clock);
	for (size_t i = 0; i < ksr->bundle_count; i++) {
		const struct ksr_bundle *bundle = &ksr->bundles[i];
		char expires[TIME_TEXT_MAX];

		time_format(bundle->expiration, TIME_Z, expires);
		if (bundle->expiration <= context->now)
			finding_fail(finding,
				"bundle %s, line %lu: expired at %s (the clock says %s)",
				bundle->id, bundle->line, expires, clock);
		else if (bundle->expiration > horizon)
			finding_fail(finding,
				"bundle %s, line %lu: expires at %s, more than %" PRIu32
				" days ahead (the clock says %s)",
				bundle->id, bundle->line, expires, days, clock);
	}
}

void check_bundle_intervals(
	const struct check_context *context, struct finding *finding)
{
	const struct config_request_policy *policy =
		&context->config->request_policy;
	const struct ksr *ksr = context->request;

	for (size_t i = 1; i < ksr->bundle_count; i++)
		check_bounds(ksr->bundles[i].inception -
				     ksr->bundles[i - 1].inception,
			policy->min_bundle_interval,
			policy->max_bundle_interval,
			"begins after the bundle before by", &ksr->bundles[i],
			finding);
}
