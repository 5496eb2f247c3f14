/* SPDX-License-Identifier: ISC */
/*
 * POST-REQUEST, POST-SIGNATURE-FIELDS, POST-SIGNATURES and POST-ALGORITHMS:
 * what is signed, by whom, and whether it holds.
 */
#include "lib/base/buf.h"
#include "lib/base/time.h"
#include "lib/dns/name.h"
#include "postcheck/second.h"

#include <inttypes.h>
#include <string.h>

bool second_verifies(const struct second *second, const struct ksr *ksr,
	const struct ksr_bundle *bundle, const struct ksr_signature *signature,
	const struct dnskey *dnskey, struct err *err)
{
	struct buf data = BUF_EMPTY;
	bool ok;

	ok = ksr_signed_data(bundle, signature, ksr->domain, &data, err) &&
	     crypto_verify(
		     second->cache, dnskey, &data, &signature->signature, err);
	buf_free(&data);
	return ok;
}

/* Each signature of a bundle, by a key of it; false where one is not. */
static void prove_all(const struct second *second, const struct ksr *ksr,
	const struct ksr_bundle *bundle, struct verdict *verdict)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksr_key *key = second_signer(second, bundle, sig);
		const struct dnskey *dnskey = key != NULL ? &key->dnskey : NULL;
		struct err err = ERR_EMPTY;

		if (ksr->kind == KSR_RESPONSE && key == NULL)
			dnskey = second_absent(second, bundle, sig);
		if (dnskey == NULL)
			verdict_fail(verdict,
				"bundle %s, line %lu: signature by %s: the bundle has no such key with tag %05u and algorithm %u",
				bundle->id, sig->line, sig->identifier,
				sig->key_tag, sig->algorithm);
		else if (!second_verifies(
				 second, ksr, bundle, sig, dnskey, &err))
			verdict_fail(verdict,
				"bundle %s, line %lu: signature by %s: %s",
				bundle->id, sig->line, sig->identifier,
				err.text);
	}
}

/* What is stated of a signature of either document. */
static void look_at_common(const struct ksr *ksr,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	struct verdict *verdict)
{
	struct err err = ERR_EMPTY;
	uint8_t labels = 0;

	if (!name_labels(ksr->domain, &labels, &err))
		verdict_fail(verdict, "the domain: %s", err.text);
	if (strcmp(sig->type_covered, "DNSKEY") != 0)
		verdict_fail(verdict, "bundle %s, line %lu: covers %s",
			bundle->id, sig->line, sig->type_covered);
	if (sig->labels != labels)
		verdict_fail(verdict,
			"bundle %s, line %lu: Labels %u, expected %u",
			bundle->id, sig->line, sig->labels, labels);
	if (!name_equal(sig->signers_name, ksr->domain))
		verdict_fail(verdict,
			"bundle %s, line %lu: SignersName %s, expected %s",
			bundle->id, sig->line, sig->signers_name, ksr->domain);
}

/* By its own name, or by another name of the same key. */
static bool is_proven(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key)
{
	if (second_count_by(second, bundle, key) > 0)
		return true;
	for (size_t k = 0; k < bundle->key_count; k++)
		if (dnskey_same_public(&bundle->keys[k].dnskey, &key->dnskey) &&
			second_count_by(second, bundle, &bundle->keys[k]) > 0)
			return true;
	return false;
}

static void look_at_request_key(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_key *key,
	struct verdict *verdict)
{
	uint16_t tag = dnskey_tag(&key->dnskey);

	if (!is_proven(second, bundle, key))
		verdict_fail(verdict, "bundle %s: key %s has no signature",
			bundle->id, key->identifier);
	if (key->tag != tag)
		verdict_fail(verdict,
			"bundle %s, line %lu: key %s: tag %05u, computed %05u",
			bundle->id, key->line, key->identifier, key->tag, tag);
}

static void look_at_request_signature(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	struct verdict *verdict)
{
	const struct ksr_key *key = second_signer(second, bundle, sig);

	look_at_common(second->request, bundle, sig, verdict);
	if (key != NULL && sig->original_ttl != key->ttl)
		verdict_fail(verdict,
			"bundle %s, line %lu: OriginalTTL %" PRIu32
			", the key has %" PRIu32,
			bundle->id, sig->line, sig->original_ttl, key->ttl);
}

void second_request_proof(const struct second *second, struct verdict *verdict)
{
	const struct ksr *request = second->request;

	for (size_t b = 0; b < request->bundle_count; b++) {
		const struct ksr_bundle *bundle = &request->bundles[b];

		prove_all(second, request, bundle, verdict);
		for (size_t s = 0; s < bundle->signature_count; s++)
			look_at_request_signature(second, bundle,
				&bundle->signatures[s], verdict);
		for (size_t k = 0; k < bundle->key_count; k++)
			look_at_request_key(
				second, bundle, &bundle->keys[k], verdict);
	}
}

static void look_at_fields(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	struct verdict *verdict)
{
	uint32_t ttl = second->config != NULL
			       ? second->config->ksk_policy.ttl
			       : second->request->bundles[0].keys[0].ttl;

	look_at_common(second->response, bundle, sig, verdict);
	if (sig->ttl != ttl || sig->original_ttl != ttl)
		verdict_fail(verdict,
			"bundle %s, line %lu: TTL %" PRIu32
			" and OriginalTTL %" PRIu32 ", expected %" PRIu32,
			bundle->id, sig->line, sig->ttl, sig->original_ttl,
			ttl);
	if (sig->inception != bundle->inception ||
		sig->expiration != bundle->expiration)
		verdict_fail(verdict,
			"bundle %s, line %lu: signed for another time than the bundle's",
			bundle->id, sig->line);
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

/*
 * Only KSKs sign a response, each once, and one at least that is not revoked:
 * no validator follows a revoked key (RFC 5011 §2.1).
 */
static void look_at_signers(const struct second *second,
	const struct ksr_bundle *bundle, struct verdict *verdict)
{
	bool followed = false;

	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];
		size_t count = second_count_by(second, bundle, key);

		if (count > 0 && (key->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
			verdict_fail(verdict,
				"bundle %s, line %lu: signed by %s, which is no KSK",
				bundle->id, key->line, key->identifier);
		if (count > 1)
			verdict_fail(verdict,
				"bundle %s, line %lu: %zu signatures by %s",
				bundle->id, key->line, count, key->identifier);
		followed |= count > 0 &&
			    (key->dnskey.flags & DNSKEY_FLAG_REVOKE) == 0;
	}
	if (!followed)
		verdict_fail(verdict,
			"bundle %s: no key signs it that is not revoked",
			bundle->id);
}

void second_signatures(const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;

	for (size_t b = 0; b < response->bundle_count; b++) {
		prove_all(second, response, &response->bundles[b], verdict);
		look_at_signers(second, &response->bundles[b], verdict);
	}
}

/* Which algorithms a bundle has. */
struct algorithms {
	bool keys[UINT8_MAX + 1];
	bool zsks[UINT8_MAX + 1];
	bool signatures[UINT8_MAX + 1];
};

static void find_algorithms(
	const struct ksr_bundle *bundle, struct algorithms *out)
{
	*out = (struct algorithms){0};
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct dnskey *dnskey = &bundle->keys[k].dnskey;

		out->keys[dnskey->algorithm] = true;
		if ((dnskey->flags & DNSKEY_FLAG_SEP) == 0)
			out->zsks[dnskey->algorithm] = true;
	}
	for (size_t s = 0; s < bundle->signature_count; s++)
		out->signatures[bundle->signatures[s].algorithm] = true;
}

/*
 * RFC 4035 §2.2: the zone is signed with each algorithm of its keys.  So each
 * signs this set, also one of a key that does not sign itself, and each has a
 * ZSK to sign the rest.
 */
static void expect_complete(
	const char *id, const struct algorithms *has, struct verdict *verdict)
{
	for (unsigned a = 0; a <= UINT8_MAX; a++) {
		if (has->keys[a] != has->signatures[a])
			verdict_fail(verdict,
				"bundle %s: algorithm %u has %s but no %s", id,
				a, has->keys[a] ? "keys" : "signatures",
				has->keys[a] ? "signatures" : "keys");
		if (has->keys[a] && !has->zsks[a])
			verdict_fail(verdict,
				"bundle %s: algorithm %u has a KSK but no ZSK",
				id, a);
	}
}

static void expect_list(const char *id, const char *what,
	const bool has[UINT8_MAX + 1], const struct config_numbers *stated,
	struct verdict *verdict)
{
	for (unsigned a = 0; a <= UINT8_MAX; a++)
		if (has[a] != config_numbers_has(stated, a))
			verdict_fail(verdict,
				"bundle %s: algorithm %u has %s, and the slot states that it has %s",
				id, a, has[a] ? what : "none of these",
				has[a] ? "none of these" : what);
}

/* Where the slot states its algorithms, exactly these. */
void second_algorithms(const struct second *second, struct verdict *verdict)
{
	const struct ksr *response = second->response;
	struct algorithms has;

	for (size_t b = 0; b < response->bundle_count; b++) {
		const struct config_slot_algorithms *stated =
			second_stated(second, b);
		const char *id = response->bundles[b].id;

		find_algorithms(&response->bundles[b], &has);
		if (stated == NULL) {
			expect_complete(id, &has, verdict);
			continue;
		}
		expect_list(id, "keys", has.keys, &stated->published, verdict);
		expect_list(id, "signatures", has.signatures, &stated->signing,
			verdict);
		expect_list(id, "ZSKs", has.zsks,
			stated->has_zsks ? &stated->zsks : &stated->published,
			verdict);
	}
}
