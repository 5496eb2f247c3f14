/* SPDX-License-Identifier: ISC */
/*
 * POST-REQUEST, POST-SIGNATURE-FIELDS, POST-SIGNATURES and POST-ALGORITHMS:
 * what is signed, by whom, and whether it holds.
 */
#include "base/time.h"
#include "dns/name.h"
#include "second/second.h"

#include <inttypes.h>
#include <string.h>

const struct ksr_key *second_signer(
	const struct ksr_bundle *bundle, const struct ksr_signature *signature)
{
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if (strcmp(key->identifier, signature->identifier) == 0 &&
			key->dnskey.algorithm == signature->algorithm &&
			dnskey_tag(&key->dnskey) == signature->key_tag)
			return key;
	}
	return NULL;
}

bool second_verifies(const struct second *second, const struct ksr *ksr,
	const struct ksr_bundle *bundle, const struct ksr_signature *signature,
	const struct ksr_key *key, struct err *err)
{
	struct buf data = BUF_EMPTY;
	bool ok;

	ok = ksr_signed_data(bundle, signature, ksr->domain, &data, err) &&
	     crypto_verify(second->cache, &key->dnskey, &data,
		     &signature->signature, err);
	buf_free(&data);
	return ok;
}

/* Each signature of a bundle, by a key of it; false where one is not. */
static void prove_all(const struct second *second, const struct ksr *ksr,
	const struct ksr_bundle *bundle, struct verdict *verdict)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksr_key *key = second_signer(bundle, sig);
		struct err err = ERR_EMPTY;

		if (key == NULL)
			verdict_fail(verdict,
				"bundle %s, line %lu: signature by %s: the "
				"bundle has no such key with tag %05u and "
				"algorithm %u",
				bundle->id, sig->line, sig->identifier,
				sig->key_tag, sig->algorithm);
		else if (!second_verifies(second, ksr, bundle, sig, key, &err))
			verdict_fail(verdict,
				"bundle %s, line %lu: signature by %s: %s",
				bundle->id, sig->line, sig->identifier,
				err.text);
	}
}

static bool is_proven(
	const struct ksr_bundle *bundle, const struct ksr_key *key)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *signer =
			second_signer(bundle, &bundle->signatures[s]);

		if (signer != NULL &&
			dnskey_same_public(&signer->dnskey, &key->dnskey))
			return true;
	}
	return false;
}

static void look_at_request_key(const struct ksr_bundle *bundle,
	const struct ksr_key *key, struct verdict *verdict)
{
	uint16_t tag = dnskey_tag(&key->dnskey);

	if (!is_proven(bundle, key))
		verdict_fail(verdict, "bundle %s: key %s has no signature",
			bundle->id, key->identifier);
	if (key->tag != tag)
		verdict_fail(verdict,
			"bundle %s, line %lu: key %s: tag %05u, computed %05u",
			bundle->id, key->line, key->identifier, key->tag, tag);
}

void second_request_proof(const struct second *second, struct verdict *verdict)
{
	const struct ksr *request = second->request;

	for (size_t b = 0; b < request->bundle_count; b++) {
		const struct ksr_bundle *bundle = &request->bundles[b];

		prove_all(second, request, bundle, verdict);
		for (size_t k = 0; k < bundle->key_count; k++)
			look_at_request_key(bundle, &bundle->keys[k], verdict);
	}
}

static void look_at_fields(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	struct verdict *verdict)
{
	const char *domain = second->request->domain;
	uint32_t ttl = second->config != NULL
			       ? second->config->ksk_policy.ttl
			       : second->request->bundles[0].keys[0].ttl;
	struct err err = ERR_EMPTY;
	uint8_t labels = 0;

	if (!name_labels(domain, &labels, &err))
		verdict_fail(verdict, "the domain: %s", err.text);
	if (strcmp(sig->type_covered, "DNSKEY") != 0)
		verdict_fail(verdict, "bundle %s, line %lu: covers %s",
			bundle->id, sig->line, sig->type_covered);
	if (sig->labels != labels)
		verdict_fail(verdict,
			"bundle %s, line %lu: Labels %u, expected %u",
			bundle->id, sig->line, sig->labels, labels);
	if (sig->ttl != ttl || sig->original_ttl != ttl)
		verdict_fail(verdict,
			"bundle %s, line %lu: TTL %" PRIu32
			" and OriginalTTL %" PRIu32 ", expected %" PRIu32,
			bundle->id, sig->line, sig->ttl, sig->original_ttl,
			ttl);
	if (sig->inception != bundle->inception ||
		sig->expiration != bundle->expiration)
		verdict_fail(verdict,
			"bundle %s, line %lu: signed for another time than "
			"the bundle's",
			bundle->id, sig->line);
	if (!name_equal(sig->signers_name, domain))
		verdict_fail(verdict,
			"bundle %s, line %lu: SignersName %s, expected %s",
			bundle->id, sig->line, sig->signers_name, domain);
}

void second_signature_fields(
	const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;

	for (size_t b = 0; b < response->bundle_count; b++)
		for (size_t s = 0; s < response->bundles[b].signature_count;
			s++)
			look_at_fields(second, &response->bundles[b],
				&response->bundles[b].signatures[s], verdict);
}

/* Only KSKs sign a response, each once. */
static void look_at_signers(
	const struct ksr_bundle *bundle, struct verdict *verdict)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksr_key *key = second_signer(bundle, sig);

		if (key != NULL && (key->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
			verdict_fail(verdict,
				"bundle %s, line %lu: signed by %s, which is "
				"no "
				"KSK",
				bundle->id, sig->line, sig->identifier);
		for (size_t t = 0; key != NULL && t < s; t++)
			if (second_signer(bundle, &bundle->signatures[t]) ==
				key)
				verdict_fail(verdict,
					"bundle %s, line %lu: a second "
					"signature by %s",
					bundle->id, sig->line, sig->identifier);
	}
}

void second_signatures(const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;

	for (size_t b = 0; b < response->bundle_count; b++) {
		prove_all(second, response, &response->bundles[b], verdict);
		look_at_signers(&response->bundles[b], verdict);
	}
}

/* RFC 4035 §2.2: a set of keys is signed with each of its algorithms. */
void second_algorithms(const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;

	for (size_t b = 0; b < response->bundle_count; b++) {
		const struct ksr_bundle *bundle = &response->bundles[b];
		bool keys[UINT8_MAX + 1] = {false};
		bool signatures[UINT8_MAX + 1] = {false};

		for (size_t k = 0; k < bundle->key_count; k++)
			if ((bundle->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) ==
				0)
				keys[bundle->keys[k].dnskey.algorithm] = true;
		for (size_t s = 0; s < bundle->signature_count; s++)
			signatures[bundle->signatures[s].algorithm] = true;
		for (unsigned a = 0; a <= UINT8_MAX; a++)
			if (keys[a] != signatures[a])
				verdict_fail(verdict,
					"bundle %s: algorithm %u has %s but no "
					"%s",
					bundle->id, a,
					keys[a] ? "ZSKs" : "signatures",
					keys[a] ? "signatures" : "ZSKs");
	}
}
