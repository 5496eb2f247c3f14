/* SPDX-License-Identifier: ISC */
/* KSR-BUNDLE-POP and SKR-SIGNATURES: proof of possession, proof of signing. */
#include "lib/base/buf.h"
#include "lib/dns/name.h"
#include "signer/checks/catalogue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WHERE "bundle %s, line %lu: signature by %s: "

/* The fields beside the signature itself; false where one is wrong. */
static bool check_fields(const struct ksr *ksr, const struct ksr_bundle *bundle,
	const struct ksr_signature *sig, const struct ksr_key *key,
	struct finding *finding)
{
	struct err err = ERR_EMPTY;
	uint8_t labels = 0;
	bool ok = true;

	if (strcmp(sig->type_covered, "DNSKEY") != 0) {
		finding_fail(finding, WHERE "covers %s, expected DNSKEY",
			bundle->id, sig->line, sig->identifier,
			sig->type_covered);
		ok = false;
	}
	if (!name_labels(ksr->domain, &labels, &err) || sig->labels != labels) {
		finding_fail(finding, WHERE "Labels %u, expected %u",
			bundle->id, sig->line, sig->identifier, sig->labels,
			labels);
		ok = false;
	}
	if (sig->original_ttl != key->ttl || sig->ttl != key->ttl) {
		finding_fail(finding,
			WHERE "TTL %" PRIu32 " and OriginalTTL %" PRIu32
			      ", expected %" PRIu32,
			bundle->id, sig->line, sig->identifier, sig->ttl,
			sig->original_ttl, key->ttl);
		ok = false;
	}
	if (!name_equal(sig->signers_name, ksr->domain)) {
		finding_fail(finding, WHERE "SignersName \"%s\"", bundle->id,
			sig->line, sig->identifier, sig->signers_name);
		ok = false;
	}
	if (sig->inception >= sig->expiration) {
		finding_fail(finding, WHERE "ends before it begins", bundle->id,
			sig->line, sig->identifier);
		ok = false;
	}
	return ok;
}

void check_one_signature(const struct check_context *context,
	const struct ksr *ksr, const struct ksr_bundle *bundle,
	const struct ksr_signature *sig, const struct ksr_key *key,
	struct finding *finding)
{
	struct buf data = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	if (key == NULL) {
		finding_fail(finding,
			WHERE
			"no key of the bundle has that identifier, tag %05u and algorithm %u",
			bundle->id, sig->line, sig->identifier, sig->key_tag,
			sig->algorithm);
		return;
	}
	if (!check_fields(ksr, bundle, sig, key, finding))
		return;
	if (!ksr_signed_data(bundle, sig, ksr->domain, &data, &err) ||
		!crypto_verify(context->cache, &key->dnskey, &data,
			&sig->signature, &err))
		finding_fail(finding, WHERE "%s", bundle->id, sig->line,
			sig->identifier, err.text);
	buf_free(&data);
}

/* A key of a bundle that is a configured one, by its label, not seen yet. */
static void take_public(const struct config *config, const struct ksr_key *key,
	struct dnskey *keys)
{
	if (key->dnskey.flags != DNSKEY_FLAGS_KSK)
		return;
	for (size_t i = 0; i < config->key_count; i++)
		if (keys[i].public_key.len == 0 &&
			keys[i].algorithm == key->dnskey.algorithm &&
			strcmp(config->keys[i].label, key->identifier) == 0)
			keys[i] = key->dnskey;
}

/*
 * The configured keys that a response may be signed by without publishing them
 * (sign_only), one for each: as configured, or as a bundle publishes it; empty
 * where neither has it.  They borrow.
 */
static struct dnskey *find_absents(const struct config *config,
	const struct ksr *ksr, struct finding *finding)
{
	struct dnskey *keys = calloc(config->key_count + 1, sizeof(*keys));

	if (keys == NULL) {
		err_nomem(finding->nomem);
		return NULL;
	}
	for (size_t i = 0; i < config->key_count; i++)
		keys[i] = (struct dnskey){.flags = DNSKEY_FLAGS_KSK,
			.protocol = DNSKEY_PROTOCOL,
			.algorithm = config->keys[i].algorithm,
			.public_key = config->keys[i].public_key};
	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++)
			take_public(config, &ksr->bundles[b].keys[k], keys);
	return keys;
}

/*
 * A signature of a response whose key is not in its bundle must be that of a
 * configured key.  No signature covers an identifier, so that the key must not
 * be there by another one: it would be a signer that nobody sees.  Where
 * nothing here has its bytes, they are those of the HSM, and KSR-CHAIN-KEYS-HSM
 * looks.
 */
static void check_absent(const struct check_context *context,
	const struct ksr *ksr, const struct ksr_bundle *bundle,
	const struct ksr_signature *sig, const struct dnskey *absents,
	struct finding *finding)
{
	const struct config *config = context->config;
	struct ksr_key key = {.ttl = bundle->keys[0].ttl};
	size_t i = 0;

	while (i < config->key_count &&
		(strcmp(config->keys[i].label, sig->identifier) != 0 ||
			config->keys[i].algorithm != sig->algorithm))
		i++;
	if (i < config->key_count)
		key.dnskey = absents[i];
	if (i == config->key_count ||
		(key.dnskey.public_key.len > 0 &&
			dnskey_tag(&key.dnskey) != sig->key_tag))
		check_one_signature(context, ksr, bundle, sig, NULL, finding);
	else if (key.dnskey.public_key.len > 0 &&
		 ksr_bundle_has_public(bundle, &key.dnskey))
		finding_fail(finding,
			WHERE
			"the bundle has its key by another identifier or with other flags",
			bundle->id, sig->line, sig->identifier);
	else if (key.dnskey.public_key.len > 0)
		check_one_signature(context, ksr, bundle, sig, &key, finding);
	else if (!config->request_policy.check_chain_keys_in_hsm)
		finding_fail(finding,
			WHERE
			"the key is not published: expected keys.%s.public_key, to verify it",
			bundle->id, sig->line, sig->identifier,
			config->keys[i].name);
	else if (check_fields(ksr, bundle, sig, &key, finding))
		finding_note(finding,
			"the signature by %s, which is not published, is left to KSR-CHAIN-KEYS-HSM: no keys.%s.public_key is configured",
			sig->identifier, config->keys[i].name);
}

/*
 * Every signature of a bundle; its signers are for the caller to free.  absents
 * is NULL where each must be by a key of the bundle.
 */
static const struct ksr_key **check_all(const struct check_context *context,
	const struct ksr *ksr, const struct ksr_bundle *bundle,
	const struct dnskey *absents, struct finding *finding)
{
	const struct ksr_key **signers = NULL;

	if (!ksr_signers(bundle, &signers, finding->nomem))
		return NULL;
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (signers[s] == NULL && absents != NULL)
			check_absent(context, ksr, bundle,
				&bundle->signatures[s], absents, finding);
		else
			check_one_signature(context, ksr, bundle,
				&bundle->signatures[s], signers[s], finding);
	return signers;
}

/*
 * Each key has a signature.  The same key under a second identifier is its
 * neighbour in canonical order, and is proven with it.
 */
static void check_proven(const struct ksr_bundle *bundle,
	const struct ksr_key *const *signers, struct finding *finding)
{
	bool *proven = calloc(bundle->key_count + 1, sizeof(*proven));

	if (proven == NULL) {
		err_nomem(finding->nomem);
		return;
	}
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (signers[s] != NULL)
			proven[signers[s] - bundle->keys] = true;
	for (size_t k = 0, next; k < bundle->key_count; k = next) {
		bool any = false;

		for (next = k; next < bundle->key_count &&
			       dnskey_compare(&bundle->keys[next].dnskey,
				       &bundle->keys[k].dnskey) == 0;
			next++)
			any |= proven[next];
		if (!any)
			finding_fail(finding,
				"bundle %s, line %lu: key %s has no signature",
				bundle->id, bundle->keys[k].line,
				bundle->keys[k].identifier);
	}
	free(proven);
}

void check_bundle_pop(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->request;

	for (size_t b = 0; b < ksr->bundle_count; b++) {
		const struct ksr_bundle *bundle = &ksr->bundles[b];
		const struct ksr_key **signers =
			check_all(context, ksr, bundle, NULL, finding);

		if (signers != NULL)
			check_proven(bundle, signers, finding);
		free(signers);
	}
}

bool check_has_lasting_signer(const struct ksr_bundle *bundle)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		if (key != NULL && key->dnskey.flags == DNSKEY_FLAGS_KSK)
			return true;
	}
	return false;
}

static bool signs_among(const struct ksr_bundle *bundle,
	const struct ksr_key *const *signers, const struct ksr_key *key)
{
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (signers[s] == key)
			return true;
	return false;
}

/*
 * A signature that was removed leaves no other trace: a revoked key signs the
 * set that it is in, or nobody believes it (RFC 5011 section 2.1).
 * SKR-POLICY-RETIRE-SAFETY does not count such a revocation.
 */
static void warn_revoked(const struct ksr_bundle *bundle,
	const struct ksr_key *const *signers, struct finding *finding)
{
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if (key->dnskey.flags == DNSKEY_FLAGS_KSK_REVOKED &&
			!signs_among(bundle, signers, key))
			finding_warn(finding,
				"bundle %s, line %lu: key %s is revoked, and its signature is missing",
				bundle->id, key->line, key->identifier);
	}
}

/* What no signature covers must be what the signatures say. */
static void check_uncovered(const struct ksr_bundle *bundle,
	const struct ksr_key *const *signers, struct finding *finding)
{
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];
		uint16_t tag = dnskey_tag(&key->dnskey);

		if (key->tag != tag)
			finding_fail(finding,
				"bundle %s, line %lu: key %s: tag %05u, computed %05u",
				bundle->id, key->line, key->identifier,
				key->tag, tag);
		if (key->ttl != bundle->keys[0].ttl)
			finding_fail(finding,
				"bundle %s, line %lu: key %s: TTL %" PRIu32
				", another key of the bundle has %" PRIu32,
				bundle->id, key->line, key->identifier,
				key->ttl, bundle->keys[0].ttl);
	}
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];

		if (sig->inception != bundle->inception ||
			sig->expiration != bundle->expiration)
			finding_fail(finding,
				WHERE "has other times than the bundle",
				bundle->id, sig->line, sig->identifier);
		if (signers[s] != NULL &&
			(signers[s]->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
			finding_fail(finding,
				WHERE
				"a key with flags %u signs, expected a KSK",
				bundle->id, sig->line, sig->identifier,
				signers[s]->dnskey.flags);
	}
	warn_revoked(bundle, signers, finding);
	if (!check_has_lasting_signer(bundle))
		finding_fail(finding,
			"bundle %s, line %lu: no key that is not revoked signs it",
			bundle->id, bundle->line);
}

/* The bundles of a response: distinct, each after the one before, no gap. */
static void check_sequence(const struct ksr *ksr, struct finding *finding)
{
	for (size_t b = 0; b < ksr->bundle_count; b++) {
		const struct ksr_bundle *bundle = &ksr->bundles[b];
		const struct ksr_bundle *before =
			b > 0 ? &ksr->bundles[b - 1] : NULL;

		if (bundle->inception >= bundle->expiration)
			finding_fail(finding,
				"bundle %s, line %lu: ends before it begins",
				bundle->id, bundle->line);
		if (before == NULL)
			continue;
		if (bundle->inception <= before->inception ||
			bundle->expiration <= before->expiration)
			finding_fail(finding,
				"bundle %s, line %lu: does not begin and end after bundle %s",
				bundle->id, bundle->line, before->id);
		else if (bundle->inception > before->expiration)
			finding_fail(finding,
				"bundle %s, line %lu: begins after bundle %s has ended",
				bundle->id, bundle->line, before->id);
	}
}

void check_skr_signatures(
	const struct check_context *context, struct finding *finding)
{
	const struct ksr *ksr = context->previous;
	struct dnskey *absents = find_absents(context->config, ksr, finding);

	for (size_t b = 0; absents != NULL && b < ksr->bundle_count; b++) {
		const struct ksr_bundle *bundle = &ksr->bundles[b];
		const struct ksr_key **signers =
			check_all(context, ksr, bundle, absents, finding);

		if (signers != NULL)
			check_uncovered(bundle, signers, finding);
		free(signers);
	}
	free(absents);
	check_sequence(ksr, finding);
	check_ids(ksr, "the previous response", finding);
}
