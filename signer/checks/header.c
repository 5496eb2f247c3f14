/* SPDX-License-Identifier: ISC */
/* KSR-DOMAIN, KSR-ID, KSR-SERIAL: the attributes of the document. */
#include "lib/dns/name.h"
#include "signer/checks/catalogue.h"

#include <inttypes.h>
#include <string.h>

static bool domain_acceptable(
	const struct config_names *domains, const char *domain)
{
	for (size_t i = 0; i < domains->count; i++)
		if (name_equal(domains->names[i], domain))
			return true;
	return false;
}

void check_ksr_domain(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;
	const struct config *config = context->config;

	if (!domain_acceptable(
		    &config->request_policy.acceptable_domains, ksr->domain))
		finding_fail(finding,
			"domain \"%s\" is not in acceptable_domains",
			ksr->domain);
	if (config->ksk_policy.signers_name != NULL &&
		!name_equal(config->ksk_policy.signers_name, ksr->domain))
		finding_fail(finding,
			"domain \"%s\" is not ksk_policy.signers_name \"%s\"",
			ksr->domain, config->ksk_policy.signers_name);
	for (size_t b = 0; b < ksr->bundle_count; b++) {
		const struct ksr_bundle *bundle = &ksr->bundles[b];

		for (size_t s = 0; s < bundle->signature_count; s++)
			if (!name_equal(bundle->signatures[s].signers_name,
				    ksr->domain))
				finding_fail(finding,
					"bundle %s, line %lu: SignersName \"%s\", expected \"%s\"",
					bundle->id, bundle->signatures[s].line,
					bundle->signatures[s].signers_name,
					ksr->domain);
	}
}

void check_ksr_id(const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;

	if (ksr->id[0] == '\0')
		finding_fail(finding, "the id is empty");
	if (context->previous != NULL &&
		strcmp(ksr->id, context->previous->id) == 0)
		finding_fail(finding,
			"id %s is the previous response's: this request was already signed",
			ksr->id);
}

void check_ksr_serial(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;

	if (ksr->serial < 0)
		finding_fail(finding, "serial %" PRId64 ", expected 0 or more",
			ksr->serial);
	if (context->previous != NULL &&
		!name_equal(ksr->domain, context->previous->domain))
		finding_fail(finding,
			"domain \"%s\", the previous response's is \"%s\"",
			ksr->domain, context->previous->domain);
}
