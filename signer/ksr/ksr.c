/* SPDX-License-Identifier: ISC */
#include "ksr/ksr.h"

#include "base/text.h"
#include "dns/name.h"

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

void *ksr_grow(void *array, size_t *count, size_t size, struct err *err)
{
	void **slot = array;
	char *grown = *slot;

	/* Room doubles: it is full at each power of two. */
	if ((*count & (*count - 1)) == 0) {
		size_t room = *count > 0 ? *count * 2 : 1;

		grown = reallocarray(*slot, room, size);
		if (grown == NULL) {
			err_nomem(err);
			return NULL;
		}
		*slot = grown;
	}
	memset(grown + *count * size, 0, size);
	(*count)++;
	return grown + (*count - 1) * size;
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

/* The place of the signature's key among the bundle's; count if none. */
static size_t key_place(
	const struct ksr_bundle *bundle, const struct ksr_signature *signature)
{
	const struct ksr_key *key = ksr_signature_key(bundle, signature);

	return key != NULL ? (size_t)(key - bundle->keys) : bundle->key_count;
}

/* Insertion: a bundle has a handful, and order among equals must stay. */
static void sort_signatures(struct ksr_bundle *bundle)
{
	for (size_t i = 1; i < bundle->signature_count; i++) {
		struct ksr_signature moving = bundle->signatures[i];
		size_t place = key_place(bundle, &moving), j = i;

		for (; j > 0 &&
			key_place(bundle, &bundle->signatures[j - 1]) > place;
			j--)
			bundle->signatures[j] = bundle->signatures[j - 1];
		bundle->signatures[j] = moving;
	}
}

void ksr_sort(struct ksr *ksr)
{
	if (ksr->bundle_count > 1)
		qsort(ksr->bundles, ksr->bundle_count, sizeof(*ksr->bundles),
			compare_bundles);
	for (size_t i = 0; i < ksr->bundle_count; i++) {
		struct ksr_bundle *bundle = &ksr->bundles[i];

		if (bundle->key_count > 1)
			qsort(bundle->keys, bundle->key_count,
				sizeof(*bundle->keys), compare_keys);
		sort_signatures(bundle);
	}
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
