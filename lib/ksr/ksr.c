/* SPDX-License-Identifier: ISC */
#include "lib/ksr/ksr.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/dns/name.h"

#include <stdlib.h>
#include <string.h>

void ksr_key_clear(struct ksr_key *key)
{
	free(key->identifier);
	dnskey_free(&key->dnskey);
	*key = (struct ksr_key){0};
}

void ksr_signature_clear(struct ksr_signature *signature)
{
	free(signature->identifier);
	free(signature->type_covered);
	free(signature->signers_name);
	buf_free(&signature->signature);
	*signature = (struct ksr_signature){0};
}

void ksr_bundle_clear(struct ksr_bundle *bundle)
{
	free(bundle->id);
	for (size_t i = 0; i < bundle->signer_count; i++)
		free(bundle->signers[i]);
	free(bundle->signers);
	for (size_t i = 0; i < bundle->key_count; i++)
		ksr_key_clear(&bundle->keys[i]);
	free(bundle->keys);
	for (size_t i = 0; i < bundle->signature_count; i++)
		ksr_signature_clear(&bundle->signatures[i]);
	free(bundle->signatures);
	*bundle = (struct ksr_bundle){0};
}

void ksr_free(struct ksr *ksr)
{
	if (ksr == NULL)
		return;
	free(ksr->id);
	free(ksr->domain);
	free(ksr->timestamp);
	ksr_policy_clear(&ksr->ksk);
	ksr_policy_clear(&ksr->zsk);
	for (size_t i = 0; i < ksr->bundle_count; i++)
		ksr_bundle_clear(&ksr->bundles[i]);
	free(ksr->bundles);
	free(ksr);
}

bool ksr_key_copy(
	const struct ksr_key *key, struct ksr_key *out, struct err *err)
{
	struct ksr_key copy = {.tag = key->tag, .ttl = key->ttl};

	copy.identifier = text_copy(key->identifier, err);
	if (copy.identifier == NULL ||
		!dnskey_copy(&key->dnskey, &copy.dnskey, err)) {
		ksr_key_clear(&copy);
		return false;
	}
	*out = copy;
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	const struct ksr_key *key_a = a, *key_b = b;

	return dnskey_compare(&key_a->dnskey, &key_b->dnskey);
}

static int compare_bundles(const void *a, const void *b)
{
	const struct ksr_bundle *bundle_a = a, *bundle_b = b;

	if (bundle_a->inception != bundle_b->inception)
		return bundle_a->inception < bundle_b->inception ? -1 : 1;
	if (bundle_a->expiration != bundle_b->expiration)
		return bundle_a->expiration < bundle_b->expiration ? -1 : 1;
	return strcmp(bundle_a->id, bundle_b->id);
}

/* A key with the tag that is computed once, to be searched for. */
struct tagged {
	const struct ksr_key *key;
	uint16_t tag;
};

static int compare_tagged(const void *a, const void *b)
{
	const struct tagged *x = a, *y = b;
	int order = strcmp(x->key->identifier, y->key->identifier);

	if (order != 0)
		return order;
	if (x->key->dnskey.algorithm != y->key->dnskey.algorithm)
		return x->key->dnskey.algorithm < y->key->dnskey.algorithm ? -1
									   : 1;
	return (x->tag > y->tag) - (x->tag < y->tag);
}

static int compare_places(const void *a, const void *b)
{
	const struct tagged *x = a, *y = b;
	int order = compare_tagged(x, y);

	return order != 0 ? order : (x->key > y->key) - (x->key < y->key);
}

/* The first of the sorted keys that the signature states; or NULL. */
static const struct ksr_key *find_tagged(const struct tagged *keys,
	size_t count, const struct ksr_signature *signature)
{
	const struct ksr_key stated = {.identifier = signature->identifier,
		.dnskey.algorithm = signature->algorithm};
	const struct tagged wanted = {&stated, signature->key_tag};
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_tagged(&keys[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < count && compare_tagged(&keys[low], &wanted) == 0)
		return keys[low].key;
	return NULL;
}

bool ksr_signers(const struct ksr_bundle *bundle, const struct ksr_key ***out,
	struct err *err)
{
	struct tagged *keys = calloc(bundle->key_count + 1, sizeof(*keys));
	const struct ksr_key **signers =
		calloc(bundle->signature_count + 1, sizeof(*signers));

	if (keys == NULL || signers == NULL) {
		free(keys);
		free(signers);
		return err_nomem(err);
	}
	for (size_t k = 0; k < bundle->key_count; k++)
		keys[k] = (struct tagged){
			&bundle->keys[k], dnskey_tag(&bundle->keys[k].dnskey)};
	qsort(keys, bundle->key_count, sizeof(*keys), compare_places);
	for (size_t s = 0; s < bundle->signature_count; s++)
		signers[s] = find_tagged(
			keys, bundle->key_count, &bundle->signatures[s]);
	free(keys);
	*out = signers;
	return true;
}

/* A signature on its way to its place: that of its key, then the file's. */
struct moving {
	struct ksr_signature signature;
	const struct ksr_key *key;
	size_t number;
};

static int compare_moving(const void *a, const void *b)
{
	const struct moving *x = a, *y = b;

	/* Those without a key stand last. */
	if (x->key != y->key)
		return x->key == NULL || (y->key != NULL && x->key > y->key)
			       ? 1
			       : -1;
	return (x->number > y->number) - (x->number < y->number);
}

static bool sort_signatures(struct ksr_bundle *bundle, struct err *err)
{
	size_t count = bundle->signature_count;
	const struct ksr_key **signers = NULL;
	struct moving *all = NULL;

	if (count < 2)
		return true;
	all = calloc(count, sizeof(*all));
	if (all == NULL || !ksr_signers(bundle, &signers, err)) {
		free(all);
		return err_nomem(err);
	}
	for (size_t s = 0; s < count; s++)
		all[s] = (struct moving){bundle->signatures[s], signers[s], s};
	qsort(all, count, sizeof(*all), compare_moving);
	for (size_t s = 0; s < count; s++)
		bundle->signatures[s] = all[s].signature;
	free(signers);
	free(all);
	return true;
}

bool ksr_sort(struct ksr *ksr, struct err *err)
{
	if (ksr->bundle_count > 1)
		qsort(ksr->bundles, ksr->bundle_count, sizeof(*ksr->bundles),
			compare_bundles);
	for (size_t i = 0; i < ksr->bundle_count; i++) {
		struct ksr_bundle *bundle = &ksr->bundles[i];

		if (bundle->key_count > 1)
			qsort(bundle->keys, bundle->key_count,
				sizeof(*bundle->keys), compare_keys);
		if (!sort_signatures(bundle, err))
			return false;
	}
	return true;
}

const struct ksr_key *ksr_key_by_identifier(
	const struct ksr_bundle *bundle, const char *identifier)
{
	for (size_t i = 0; i < bundle->key_count; i++)
		if (strcmp(bundle->keys[i].identifier, identifier) == 0)
			return &bundle->keys[i];
	return NULL;
}

const struct ksr_key *ksr_signature_key(
	const struct ksr_bundle *bundle, const struct ksr_signature *signature)
{
	for (size_t i = 0; i < bundle->key_count; i++) {
		const struct ksr_key *key = &bundle->keys[i];

		if (key->dnskey.algorithm == signature->algorithm &&
			strcmp(key->identifier, signature->identifier) == 0 &&
			dnskey_tag(&key->dnskey) == signature->key_tag)
			return key;
	}
	return NULL;
}

bool ksr_bundle_has(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t i = 0; i < bundle->key_count; i++)
		if (dnskey_compare(&bundle->keys[i].dnskey, dnskey) == 0)
			return true;
	return false;
}

bool ksr_bundle_has_public(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t i = 0; i < bundle->key_count; i++)
		if (dnskey_same_public(&bundle->keys[i].dnskey, dnskey))
			return true;
	return false;
}

bool ksr_key_is_zsk(const struct ksr_key *key)
{
	return key->dnskey.flags == DNSKEY_FLAGS_ZSK;
}

bool ksr_signed_data(const struct ksr_bundle *bundle,
	const struct ksr_signature *signature, const char *owner,
	struct buf *out, struct err *err)
{
	struct rrsig sig = {.type_covered = DNSKEY_TYPE,
		.algorithm = signature->algorithm,
		.labels = signature->labels,
		.original_ttl = signature->original_ttl,
		.inception = signature->inception,
		.expiration = signature->expiration,
		.key_tag = signature->key_tag};
	const struct dnskey **keys = NULL;
	struct buf owner_wire = BUF_EMPTY;
	bool ok = false;

	keys = calloc(bundle->key_count + 1, sizeof(*keys));
	if (keys == NULL) {
		err_nomem(err);
		goto done;
	}
	for (size_t i = 0; i < bundle->key_count; i++)
		keys[i] = &bundle->keys[i].dnskey;
	if (!name_wire(owner, &owner_wire, err))
		goto done;
	if (!name_wire(signature->signers_name, &sig.signer, err))
		goto done;
	ok = rrsig_signed_data(
		&sig, &owner_wire, keys, bundle->key_count, out, err);
done:
	rrsig_free(&sig);
	buf_free(&owner_wire);
	free(keys);
	return ok;
}
