/* SPDX-License-Identifier: ISC */
/* KSR-BUNDLE-UNIQUE, -ORDER, -COUNT, SKR-BUNDLE-COUNT. */
#include "lib/base/time.h"
#include "signer/checks/catalogue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *a, const void *b)
{
	const char *const *text_a = a, *const *text_b = b;

	return strcmp(*text_a, *text_b);
}

/* The ids in order, for searching; NULL and err when memory is exhausted. */
static const char **sorted_ids(const struct ksr *ksr, struct err *err)
{
	const char **ids = calloc(ksr->bundle_count + 1, sizeof(*ids));

	if (ids == NULL) {
		err_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < ksr->bundle_count; i++)
		ids[i] = ksr->bundles[i].id;
	qsort(ids, ksr->bundle_count, sizeof(*ids), compare_texts);
	return ids;
}

void check_ids(
	const struct ksr *ksr, const char *where, struct finding *finding)
{
	const char **ids = sorted_ids(ksr, finding->nomem);

	for (size_t i = 1; ids != NULL && i < ksr->bundle_count; i++)
		if (strcmp(ids[i - 1], ids[i]) == 0)
			finding_fail(finding, "bundle id %s occurs twice in %s",
				ids[i], where);
	free(ids);
}

void check_bundle_unique(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request, *old = context->previous;
	const char **ids = sorted_ids(ksr, finding->nomem);

	if (ids == NULL)
		return;
	check_ids(ksr, "the request", finding);
	for (size_t i = 0; old != NULL && i < old->bundle_count; i++)
		if (bsearch(&old->bundles[i].id, ids, ksr->bundle_count,
			    sizeof(*ids), compare_texts) != NULL)
			finding_fail(finding,
				"bundle id %s is in the previous response too",
				old->bundles[i].id);
	free(ids);
}

/* The next quarter takes no response before that has its bundles otherwise. */
static void check_follows(const struct ksr_bundle *before,
	const struct ksr_bundle *bundle, struct finding *finding)
{
	char from[TIME_TEXT_MAX], ends[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	time_format(bundle->inception, TIME_BARE, from);
	time_format(before->expiration, TIME_BARE, ends);
	time_format(bundle->expiration, TIME_BARE, to);
	if (before->inception == bundle->inception)
		finding_fail(finding, "bundles %s and %s both begin at %s",
			before->id, bundle->id, from);
	else if (bundle->expiration <= before->expiration)
		finding_fail(finding,
			"bundle %s, line %lu: ends at %s, expected after the bundle before, which ends at %s",
			bundle->id, bundle->line, to, ends);
	else if (bundle->inception > before->expiration)
		finding_warn(finding,
			"bundle %s, line %lu: begins at %s, after the bundle before has ended at %s: no request can follow the response",
			bundle->id, bundle->line, from, ends);
}

void check_bundle_order(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;

	if (ksr->reordered)
		finding_warn(finding,
			"the file has the bundles in another order than their inceptions; they are taken by inception");
	for (size_t i = 0; i < ksr->bundle_count; i++) {
		const struct ksr_bundle *bundle = &ksr->bundles[i];
		char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

		time_format(bundle->inception, TIME_BARE, from);
		time_format(bundle->expiration, TIME_BARE, to);
		if (bundle->inception >= bundle->expiration)
			finding_fail(finding,
				"bundle %s, line %lu: begins at %s and ends at %s",
				bundle->id, bundle->line, from, to);
		if (i > 0)
			check_follows(&ksr->bundles[i - 1], bundle, finding);
	}
}

static void check_count(const struct ksr *ksr, uint32_t expected,
	const char *setting, struct finding *finding)
{
	if (ksr->bundle_count != expected)
		finding_fail(finding, "%zu bundles, expected %" PRIu32 " (%s)",
			ksr->bundle_count, expected, setting);
}

void check_bundle_count(
	const struct check_context *context, struct finding *finding)
{
	check_count(context->request,
		context->config->request_policy.num_bundles,
		"request_policy.num_bundles", finding);
}

void check_skr_bundle_count(
	const struct check_context *context, struct finding *finding)
{
	const struct config *config = context->config;

	/* What this run has made has as many as it lets requests have. */
	if (context->previous_made_here)
		check_count(context->previous,
			config->request_policy.num_bundles,
			"request_policy.num_bundles", finding);
	else
		check_count(context->previous,
			config->response_policy.num_bundles,
			"response_policy.num_bundles", finding);
}
