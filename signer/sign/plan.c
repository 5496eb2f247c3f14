/* SPDX-License-Identifier: ISC */
#include "signer/sign/plan.h"

#include "lib/base/array.h"
#include "lib/base/text.h"
#include "lib/dns/name.h"

#include <stdlib.h>
#include <string.h>

/* What all bundles share. */
struct planning {
	const struct config *config;
	const struct ksr *request;
	uint32_t ttl;
	uint8_t labels;
	struct err *err;
};

/* The keys as requested; the same record twice is one. */
static bool add_request_keys(const struct planning *p,
	const struct ksr_bundle *asked, struct ksr_bundle *out)
{
	for (size_t k = 0; k < asked->key_count; k++) {
		struct ksr_key *key;

		if (ksr_bundle_has(out, &asked->keys[k].dnskey))
			continue;
		key = array_grow(
			&out->keys, &out->key_count, sizeof(*key), p->err);
		if (key == NULL || !ksr_key_copy(&asked->keys[k], key, p->err))
			return false;
		key->ttl = p->ttl;
	}
	return true;
}

static bool add_ksk(const struct planning *p, const struct ksk_use *use,
	struct ksr_bundle *out)
{
	const struct dnskey *dnskey = ksk_use_dnskey(use);
	struct ksr_key *key;

	if (ksr_bundle_has(out, dnskey))
		return true;
	key = array_grow(&out->keys, &out->key_count, sizeof(*key), p->err);
	if (key == NULL)
		return false;
	key->ttl = p->ttl;
	key->tag = dnskey_tag(dnskey);
	key->identifier = text_copy(use->ksk->label, p->err);
	return key->identifier != NULL &&
	       dnskey_copy(dnskey, &key->dnskey, p->err);
}

static bool add_signature(const struct planning *p, const struct ksk_use *use,
	struct ksr_bundle *out)
{
	const struct dnskey *dnskey = ksk_use_dnskey(use);
	struct ksr_signature *sig = array_grow(
		&out->signatures, &out->signature_count, sizeof(*sig), p->err);

	if (sig == NULL)
		return false;
	sig->ttl = p->ttl;
	sig->algorithm = dnskey->algorithm;
	sig->labels = p->labels;
	sig->original_ttl = p->ttl;
	sig->expiration = out->expiration;
	sig->inception = out->inception;
	sig->key_tag = dnskey_tag(dnskey);
	sig->identifier = text_copy(use->ksk->label, p->err);
	sig->type_covered = text_copy("DNSKEY", p->err);
	sig->signers_name = text_copy(p->request->domain, p->err);
	return sig->identifier != NULL && sig->type_covered != NULL &&
	       sig->signers_name != NULL;
}

static bool plan_bundle(const struct planning *p,
	const struct config_slot *slot, const struct ksk_set *ksks,
	const struct ksr_bundle *asked, struct ksr_bundle *out)
{
	struct ksk_use *uses = NULL;
	size_t count = 0;
	bool ok = false;

	out->inception = asked->inception;
	out->expiration = asked->expiration;
	out->id = text_copy(asked->id, p->err);
	if (out->id == NULL || !add_request_keys(p, asked, out))
		goto done;
	if (!ksk_slot_uses(slot, ksks, &uses, &count, p->err))
		goto done;
	for (size_t i = 0; i < count; i++)
		if ((uses[i].published && !add_ksk(p, &uses[i], out)) ||
			(uses[i].signs && !add_signature(p, &uses[i], out)))
			goto done;
	ok = true;
done:
	free(uses);
	return ok;
}

static bool plan_head(
	const struct planning *p, const struct ksk_set *ksks, struct ksr *out)
{
	const struct config_ksk_policy *ours = &p->config->ksk_policy;

	out->kind = KSR_RESPONSE;
	out->serial = p->request->serial;
	out->id = text_copy(p->request->id, p->err);
	out->domain = text_copy(p->request->domain, p->err);
	if (out->id == NULL || out->domain == NULL ||
		!ksr_policy_copy(&p->request->zsk, &out->zsk, p->err))
		return false;
	out->ksk.publish_safety = ours->publish_safety;
	out->ksk.retire_safety = ours->retire_safety;
	out->ksk.max_signature_validity = ours->max_signature_validity;
	out->ksk.min_signature_validity = ours->min_signature_validity;
	out->ksk.max_validity_overlap = ours->max_validity_overlap;
	out->ksk.min_validity_overlap = ours->min_validity_overlap;
	for (size_t i = 0; i < ksks->count; i++)
		if (!ksr_policy_add(&out->ksk, &ksks->keys[i].dnskey, p->err))
			return false;
	return true;
}

static bool plan_bundles(const struct planning *p,
	const struct config_schema *schema, const struct ksk_set *ksks,
	struct ksr *out)
{
	for (size_t b = 0; b < p->request->bundle_count; b++) {
		struct ksr_bundle *bundle = array_grow(&out->bundles,
			&out->bundle_count, sizeof(*bundle), p->err);

		if (bundle == NULL || !plan_bundle(p, &schema->slots[b], ksks,
					      &p->request->bundles[b], bundle))
			return false;
	}
	return true;
}

bool plan_response(const struct config *config,
	const struct config_schema *schema, const struct ksk_set *ksks,
	const struct ksr *request, struct ksr **out, struct err *err)
{
	struct planning p = {.config = config,
		.request = request,
		.ttl = config->ksk_policy.ttl,
		.err = err};
	struct ksr *response;

	if (schema->slot_count < request->bundle_count)
		return err_set(err, ERR_USAGE,
			"schema %s has %zu slots, the request has %zu bundles",
			schema->name, schema->slot_count,
			request->bundle_count);
	if (!name_labels(request->domain, &p.labels, err))
		return false;
	response = calloc(1, sizeof(*response));
	if (response == NULL)
		return err_nomem(err);
	if (!plan_head(&p, ksks, response) ||
		!plan_bundles(&p, schema, ksks, response) ||
		!ksr_sort(response, err)) {
		ksr_free(response);
		return false;
	}
	*out = response;
	return true;
}
