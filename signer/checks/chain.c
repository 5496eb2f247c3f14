/* SPDX-License-Identifier: ISC */
/* KSR-CHAIN-*: the request continues where the last response ended. */
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/dns/keyset.h"
#include "signer/checks/catalogue.h"
#include "signer/keyset/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ksr_bundle *last_bundle(const struct ksr *ksr)
{
	return &ksr->bundles[ksr->bundle_count - 1];
}

/* Every ZSK of one bundle must be in the other. */
static void check_contained(const struct ksr_bundle *inner,
	const struct ksr_bundle *outer, const char *what,
	struct finding *finding)
{
	for (size_t k = 0; k < inner->key_count; k++) {
		const struct ksr_key *key = &inner->keys[k];

		if (ksr_key_is_zsk(key) && !ksr_bundle_has(outer, &key->dnskey))
			finding_fail(finding, "ZSK %05u (%s) is in %s",
				dnskey_tag(&key->dnskey), key->identifier,
				what);
	}
}

/* Keys of the one document, then of the other, by their identifiers. */
struct named {
	const struct ksr_key *key;
	bool old;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->key->identifier, y->key->identifier);
}

static void add_named(
	const struct ksr *ksr, bool old, struct named *all, size_t *count)
{
	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++)
			all[(*count)++] =
				(struct named){&ksr->bundles[b].keys[k], old};
}

static size_t count_keys(const struct ksr *ksr)
{
	size_t count = 0;

	for (size_t b = 0; b < ksr->bundle_count; b++)
		count += ksr->bundles[b].key_count;
	return count;
}

/* One identifier is one key, in the request and in what it continues. */
static void check_identifiers(
	const struct ksr *old, const struct ksr *new, struct finding *finding)
{
	struct named *all =
		calloc(count_keys(old) + count_keys(new) + 1, sizeof(*all));
	size_t count = 0;

	if (all == NULL) {
		err_nomem(finding->nomem);
		return;
	}
	add_named(old, true, all, &count);
	add_named(new, false, all, &count);
	qsort(all, count, sizeof(*all), compare_named);
	for (size_t i = 1; i < count; i++) {
		const struct ksr_key *a = all[i - 1].key, *b = all[i].key;

		if (strcmp(a->identifier, b->identifier) == 0 &&
			!dnskey_same_public(&a->dnskey, &b->dnskey))
			finding_fail(finding,
				"keyIdentifier %s is key %05u on line %lu of the %s and key %05u on line %lu of the %s",
				a->identifier, dnskey_tag(&a->dnskey), a->line,
				all[i - 1].old ? "previous response"
					       : "request",
				dnskey_tag(&b->dnskey), b->line,
				all[i].old ? "previous response" : "request");
	}
	free(all);
}

/* Is it the configured key of that label, by more than its name? */
static bool is_configured(const struct check_context *context,
	const struct config_key *want, const struct ksr_key *key)
{
	struct dnskey plain = key->dnskey; /* borrows */
	struct identity found;
	struct err ignored = ERR_EMPTY;

	plain.flags = DNSKEY_FLAGS_KSK;
	return !ksr_key_is_zsk(key) &&
	       identity_compare(want, &plain, context->previous->domain, &found,
		       &ignored) &&
	       found.count == 0;
}

/*
 * Which keys of the bundle sign it: (*out)[k] is of keys[k].  The caller frees
 * the array.
 */
static bool find_signing(
	const struct ksr_bundle *bundle, bool **out, struct err *err)
{
	const struct ksr_key **signers = NULL;

	*out = calloc(bundle->key_count + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(err);
	if (!ksr_signers(bundle, &signers, err))
		return false;
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (signers[s] != NULL)
			(*out)[signers[s] - bundle->keys] = true;
	free(signers);
	return true;
}

static void check_bundle_names(const struct check_context *context,
	const struct ksr_bundle *bundle, bool signers, struct finding *finding)
{
	bool *signing = NULL;

	if (find_signing(bundle, &signing, finding->nomem))
		for (size_t k = 0; k < bundle->key_count; k++) {
			const struct ksr_key *key = &bundle->keys[k];
			const struct config_key *want = config_key_labelled(
				context->config, key->identifier);

			if (want != NULL && (signers || !signing[k]) &&
				!is_configured(context, want, key))
				finding_fail(finding,
					"bundle %s of the previous response, line %lu: %s is not the configured key of that label",
					bundle->id, key->line, key->identifier);
		}
	free(signing);
}

/*
 * No signature covers a name: under another one, a key would be shown, and
 * compared, as what it is not.  Those that sign are left to KSR-CHAIN-KEYS-HSM
 * where it looks.
 */
static void check_names(const struct check_context *context, bool signers,
	struct finding *finding)
{
	const struct ksr *old = context->previous;

	for (size_t b = 0; b < old->bundle_count; b++)
		check_bundle_names(context, &old->bundles[b], signers, finding);
}

void check_chain_keys(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr_bundle *old = last_bundle(context->previous);
	const struct ksr_bundle *new = &context->request->bundles[0];

	check_contained(new, old,
		"the request's first bundle, but not in the previous response's last",
		finding);
	check_contained(old, new,
		"the previous response's last bundle, but not in the request's first",
		finding);
	check_identifiers(context->previous, context->request, finding);
	check_names(context,
		check_previous_member(context, finding) ||
			!context->config->request_policy
				.check_chain_keys_in_hsm,
		finding);
}

static void check_seam(int64_t ends, int64_t begins, int64_t min, int64_t max,
	const char *whose, struct finding *finding)
{
	char ends_text[TIME_TEXT_MAX], begins_text[TIME_TEXT_MAX];
	char min_text[TIME_DURATION_MAX], max_text[TIME_DURATION_MAX];

	if (ends - begins >= min && ends - begins <= max)
		return;
	time_format(ends, TIME_BARE, ends_text);
	time_format(begins, TIME_BARE, begins_text);
	time_duration_format(min, min_text);
	time_duration_format(max, max_text);
	finding_fail(finding,
		"the previous response ends at %s, the request begins at %s, expected an overlap of %s to %s (%s)",
		ends_text, begins_text, min_text, max_text, whose);
}

/* By both policies: the response states ours, and must not contradict it. */
void check_chain_overlap(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr_policy *stated = &context->request->zsk;
	const struct config_ksk_policy *ours = &context->config->ksk_policy;
	int64_t ends = last_bundle(context->previous)->expiration;
	int64_t begins = context->request->bundles[0].inception;

	check_seam(ends, begins, stated->min_validity_overlap,
		stated->max_validity_overlap, "stated policy", finding);
	check_seam(ends, begins, ours->min_validity_overlap,
		ours->max_validity_overlap, "ksk_policy", finding);
}

/* The signer of a signature, where it is a KSK. */
static const struct ksr_key *ksk_signer(
	const struct ksr_bundle *bundle, const struct ksr_signature *sig)
{
	const struct ksr_key *key = ksr_signature_key(bundle, sig);

	return key != NULL && (key->dnskey.flags & DNSKEY_FLAG_SEP) != 0 ? key
									 : NULL;
}

/* Has the bundle a signature of that name?  Others are known for theirs. */
static bool has_named(const struct ksr_bundle *bundle, const char *label)
{
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (strcmp(bundle->signatures[s].identifier, label) == 0)
			return true;
	return false;
}

/*
 * The keys of the HSM that signed the last bundle; where these are not to be
 * compared, whoever signed it.
 */
static bool trust_last(const struct check_context *context,
	struct keyset *trusted, struct err *err)
{
	const struct ksr_bundle *bundle = last_bundle(context->previous);
	const struct ksk_set *ksks = context->previous_ksks;

	if (context->config->request_policy.check_chain_keys_in_hsm) {
		for (size_t i = 0; ksks != NULL && i < ksks->count; i++)
			if (ksks->keys[i].token_key != NULL &&
				ksks->keys[i].reason == NULL &&
				has_named(bundle, ksks->keys[i].label) &&
				!keyset_add(
					trusted, &ksks->keys[i].dnskey, err))
				return false;
		return true;
	}
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksk_signer(bundle, &bundle->signatures[s]);

		if (key != NULL && !keyset_add(trusted, &key->dnskey, err))
			return false;
	}
	return true;
}

/*
 * Does the signature hold, for the times of its bundle?  SKR-SIGNATURES has
 * looked, unless it is switched off: even then what nobody has signed counts
 * for nothing.
 */
static bool holds(const struct check_context *context,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	const struct ksr_key *key)
{
	struct buf data = BUF_EMPTY;
	struct err ignored = ERR_EMPTY;
	bool ok;

	if (context->config->response_policy.validate_signatures)
		return true;
	ok = sig->inception == bundle->inception &&
	     sig->expiration == bundle->expiration &&
	     ksr_signed_data(
		     bundle, sig, context->previous->domain, &data, &ignored) &&
	     crypto_verify(context->cache, &key->dnskey, &data, &sig->signature,
		     &ignored);
	buf_free(&data);
	return ok;
}

static bool is_tied(const struct check_context *context,
	const struct ksr_bundle *bundle, const struct keyset *trusted)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksk_signer(bundle, &bundle->signatures[s]);

		if (key != NULL && keyset_has(trusted, &key->dnskey) &&
			holds(context, bundle, &bundle->signatures[s], key))
			return true;
	}
	return false;
}

bool check_tied(
	const struct check_context *context, bool *tied, struct err *err)
{
	const struct ksr *old = context->previous;
	struct keyset trusted = KEYSET_EMPTY;
	bool ok;

	if (context->previous_is_planned) {
		for (size_t b = 0; b < old->bundle_count; b++)
			tied[b] = true;
		return true;
	}
	ok = trust_last(context, &trusted, err);
	for (size_t b = old->bundle_count; ok && b-- > 0;) {
		const struct ksr_bundle *bundle = &old->bundles[b];

		tied[b] = is_tied(context, bundle, &trusted);
		for (size_t k = 0; ok && tied[b] && k < bundle->key_count; k++)
			if ((bundle->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) !=
				0)
				ok = keyset_add(
					&trusted, &bundle->keys[k].dnskey, err);
	}
	keyset_clear(&trusted);
	return ok;
}

/* What stands before the last bundle is believed where it hangs on it. */
static void check_earlier(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *old = context->previous;
	bool *tied = calloc(old->bundle_count, sizeof(*tied));
	size_t end = old->bundle_count;

	/* Who signed the last one is known; its times, from SKR-SIGNATURES. */
	if (context->config->response_policy.validate_signatures)
		end--;
	if (tied == NULL || !check_tied(context, tied, finding->nomem)) {
		err_nomem(finding->nomem);
		free(tied);
		return;
	}
	for (size_t b = 0; b < end; b++)
		if (!tied[b])
			finding_fail(finding,
				"the previous response's bundle %s is signed neither by a key of the HSM nor by one that a bundle so signed has published",
				old->bundles[b].id);
	free(tied);
}

/* A signature of the past, with the HSM's bytes and the flags it had then. */
static void verify_old(const struct check_context *context,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	const struct ksk *ksk, uint16_t flags, struct finding *finding)
{
	struct dnskey as_signed = ksk->dnskey;
	char where[TEXT_NAME_MAX + 10] = "last bundle";
	struct buf data = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	as_signed.flags = flags;
	if (bundle != last_bundle(context->previous))
		snprintf(where, sizeof(where), "bundle %s", bundle->id);
	if (!ksr_signed_data(
		    bundle, sig, context->previous->domain, &data, &err) ||
		!crypto_verify(context->cache, &as_signed, &data,
			&sig->signature, &err))
		finding_fail(finding,
			"the previous response's %s, by the HSM's key %s: %s",
			where, sig->identifier, err.text);
	buf_free(&data);
}

/*
 * By a key that is not in its bundle, by no other identifier either, and that
 * the HSM must have.
 */
static bool is_by_absent(const struct ksr_bundle *bundle, const struct ksk *ksk,
	const struct ksr_signature *sig)
{
	return ksk->dnskey.algorithm == sig->algorithm &&
	       dnskey_tag(&ksk->dnskey) == sig->key_tag &&
	       !ksr_bundle_has_public(bundle, &ksk->dnskey);
}

/* Those of earlier bundles; SKR-SIGNATURES knows that they are configured. */
static void check_absent(const struct check_context *context,
	const struct ksr_bundle *bundle, struct finding *finding)
{
	const struct ksr_key **signers = NULL;

	if (!ksr_signers(bundle, &signers, finding->nomem))
		return;
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksk *ksk =
			ksk_by_label(context->previous_ksks, sig->identifier);

		/* One that is not configured is for SKR-SIGNATURES. */
		if (signers[s] != NULL || ksk == NULL)
			continue;
		if (ksk->token_key == NULL || ksk->reason != NULL ||
			!is_by_absent(bundle, ksk, sig))
			finding_fail(finding,
				"the HSM has no key %s of tag %05u and algorithm %u, which signed the previous response's bundle %s without being in it",
				sig->identifier, sig->key_tag, sig->algorithm,
				bundle->id);
		else
			verify_old(context, bundle, sig, ksk, DNSKEY_FLAGS_KSK,
				finding);
	}
	free(signers);
}

static void check_last_signer(const struct check_context *context,
	const struct ksr_signature *sig, struct finding *finding)
{
	const struct ksr_bundle *bundle = last_bundle(context->previous);
	const struct ksr_key *key = ksr_signature_key(bundle, sig);
	const struct ksk *ksk =
		ksk_by_label(context->previous_ksks, sig->identifier);

	if (ksk != NULL && ksk->reason != NULL) {
		finding_fail(finding,
			"key %s, which signed the previous response's last bundle: %s",
			sig->identifier, ksk->reason);
		return;
	}
	if (ksk == NULL || ksk->token_key == NULL) {
		finding_fail(finding,
			"the HSM has no key %s, which signed the previous response's last bundle",
			sig->identifier);
		return;
	}
	if (key == NULL ? !is_by_absent(bundle, ksk, sig)
			: !dnskey_same_public(&ksk->dnskey, &key->dnskey)) {
		finding_fail(finding,
			"the HSM's key %s is another key than the one that signed the previous response",
			sig->identifier);
		return;
	}
	verify_old(context, bundle, sig, ksk,
		key != NULL ? key->dnskey.flags : DNSKEY_FLAGS_KSK, finding);
}

static void check_label(const struct check_context *context,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	bool signing, struct finding *finding)
{
	const struct config_key *want =
		config_key_labelled(context->config, key->identifier);
	const struct ksk *ksk = ksk_by_label(context->ksks, key->identifier);

	if (want != NULL && signing && !is_configured(context, want, key))
		finding_fail(finding,
			"bundle %s of the previous response, line %lu: %s, which signed it, is not the configured key of that label",
			bundle->id, key->line, key->identifier);
	else if (ksk != NULL && ksk->token_key != NULL &&
		 !dnskey_same_public(&ksk->dnskey, &key->dnskey))
		finding_fail(finding,
			"bundle %s of the previous response, line %lu: %s is another key than the HSM's key of that label",
			bundle->id, key->line, key->identifier);
}

/* Nor is a name of the past that of another key of today. */
static void check_labels(
	const struct check_context *context, struct finding *finding)
{
	for (size_t b = 0; b < context->previous->bundle_count; b++) {
		const struct ksr_bundle *bundle =
			&context->previous->bundles[b];
		bool *signing = NULL;

		if (find_signing(bundle, &signing, finding->nomem))
			for (size_t k = 0; k < bundle->key_count; k++)
				check_label(context, bundle, &bundle->keys[k],
					signing[k], finding);
		free(signing);
	}
}

void check_chain_keys_hsm(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr_bundle *bundle = last_bundle(context->previous);

	for (size_t s = 0; s < bundle->signature_count; s++)
		check_last_signer(context, &bundle->signatures[s], finding);
	for (size_t b = 0; b + 1 < context->previous->bundle_count; b++)
		check_absent(context, &context->previous->bundles[b], finding);
	check_earlier(context, finding);
	check_labels(context, finding);
}
