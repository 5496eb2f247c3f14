/* SPDX-License-Identifier: ISC */
/* Which key each signature is by, for all bundles of all documents. */
#include "postcheck/second.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One bundle: the key of each signature, and the signatures of each key. */
struct bundle_signers {
	const struct ksr_key **by;
	size_t *counts;
};

struct document_signers {
	const struct ksr *ksr; /* NULL: there is none */
	struct bundle_signers *bundles;
};

#define DOCUMENTS 3

struct second_signers {
	struct document_signers documents[DOCUMENTS];
};

/* What a signature says of its key. */
struct named {
	const char *identifier;
	uint8_t algorithm;
	uint16_t tag;
	const struct ksr_key *key;
};

static int compare_names(const struct named *a, const struct named *b)
{
	int order = strcmp(a->identifier, b->identifier);

	if (order == 0)
		order = a->algorithm - b->algorithm;
	return order != 0 ? order : a->tag - b->tag;
}

/* Two keys of one name stay in the order of the bundle. */
static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = compare_names(x, y);

	return order != 0 ? order : (x->key > y->key) - (x->key < y->key);
}

/* The first key of that name; or NULL. */
static const struct ksr_key *look_up(const struct named *named, size_t count,
	const struct ksr_signature *signature)
{
	const struct named wanted = {.identifier = signature->identifier,
		.algorithm = signature->algorithm,
		.tag = signature->key_tag};
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_names(&named[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && compare_names(&named[low], &wanted) == 0
		       ? named[low].key
		       : NULL;
}

static bool find_signers(const struct ksr_bundle *bundle,
	struct bundle_signers *out, struct err *err)
{
	struct named *named = calloc(bundle->key_count + 1, sizeof(*named));

	out->by = calloc(bundle->signature_count + 1, sizeof(*out->by));
	out->counts = calloc(bundle->key_count + 1, sizeof(*out->counts));
	if (named == NULL || out->by == NULL || out->counts == NULL) {
		free(named);
		return err_nomem(err);
	}
	for (size_t k = 0; k < bundle->key_count; k++)
		named[k] = (struct named){.key = &bundle->keys[k],
			.identifier = bundle->keys[k].identifier,
			.algorithm = bundle->keys[k].dnskey.algorithm,
			.tag = dnskey_tag(&bundle->keys[k].dnskey)};
	if (bundle->key_count > 1)
		qsort(named, bundle->key_count, sizeof(*named), compare_named);
	for (size_t s = 0; s < bundle->signature_count; s++) {
		out->by[s] = look_up(
			named, bundle->key_count, &bundle->signatures[s]);
		if (out->by[s] != NULL)
			out->counts[out->by[s] - bundle->keys]++;
	}
	free(named);
	return true;
}

bool second_signers_new(const struct second *second,
	struct second_signers **out, struct err *err)
{
	const struct ksr *all[DOCUMENTS] = {
		second->request, second->response, second->previous};
	struct second_signers *made = calloc(1, sizeof(*made));
	bool ok = made != NULL || err_nomem(err);

	for (size_t d = 0; ok && d < DOCUMENTS; d++) {
		struct document_signers *document = &made->documents[d];

		if (all[d] == NULL)
			continue;
		document->bundles = calloc(
			all[d]->bundle_count, sizeof(*document->bundles));
		ok = document->bundles != NULL || err_nomem(err);
		document->ksr = ok ? all[d] : NULL;
		for (size_t b = 0; ok && b < all[d]->bundle_count; b++)
			ok = find_signers(&all[d]->bundles[b],
				&document->bundles[b], err);
	}
	if (!ok) {
		second_signers_free(made);
		return false;
	}
	*out = made;
	return true;
}

void second_signers_free(struct second_signers *signers)
{
	if (signers == NULL)
		return;
	for (size_t d = 0; d < DOCUMENTS; d++) {
		struct document_signers *document = &signers->documents[d];
		const struct ksr *ksr = document->ksr;

		for (size_t b = 0; ksr != NULL && b < ksr->bundle_count; b++) {
			free(document->bundles[b].by);
			free(document->bundles[b].counts);
		}
		free(document->bundles);
	}
	free(signers);
}

static const struct bundle_signers *signers_of(
	const struct second *second, const struct ksr_bundle *bundle)
{
	for (size_t d = 0; d < DOCUMENTS; d++) {
		const struct document_signers *document =
			&second->signers->documents[d];
		const struct ksr *ksr = document->ksr;

		if (ksr != NULL && bundle >= ksr->bundles &&
			bundle < ksr->bundles + ksr->bundle_count)
			return &document->bundles[bundle - ksr->bundles];
	}
	assert(false);
	return NULL;
}

const struct ksr_key *second_signer(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *signature)
{
	return signers_of(second, bundle)->by[signature - bundle->signatures];
}

size_t second_count_by(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key)
{
	return signers_of(second, bundle)->counts[key - bundle->keys];
}
