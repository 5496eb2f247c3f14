/* SPDX-License-Identifier: ISC */
#include "postcheck/second.h"

#include "lib/base/array.h"
#include "lib/base/text.h"
#include "lib/dns/ds.h"
#include "lib/dns/name.h"

#include <stdlib.h>
#include <string.h>

const struct second_question second_table[] = {
	{"POST-REQUEST", "each key of the request proves that it is possessed",
		SECOND_NEEDS_NOTHING, second_request_proof},
	{"POST-HEADER", "id, domain, serial and ZSK policy are the request's",
		SECOND_NEEDS_NOTHING, second_header},
	{"POST-KSK-POLICY", "the stated KSK policy is the configuration's",
		SECOND_NEEDS_CONFIG, second_ksk_policy},
	{"POST-STATED", "the bundles keep to the policies that are stated",
		SECOND_NEEDS_NOTHING, second_policies},
	{"POST-BUNDLES", "exactly the request's bundles, ids and times",
		SECOND_NEEDS_NOTHING, second_bundles},
	{"POST-ZSKS", "exactly the request's keys in each bundle",
		SECOND_NEEDS_NOTHING, second_zsks},
	{"POST-KSK-FORM", "all other keys are well-formed KSKs",
		SECOND_NEEDS_NOTHING, second_ksk_form},
	{"POST-KSK-SCHEMA",
		"exactly the schema's keys, published, revoked and signing",
		SECOND_NEEDS_CONFIG, second_ksk_schema},
	{"POST-KSK-IDENTITY", "each KSK is the one that is configured",
		SECOND_NEEDS_CONFIG, second_ksk_identity},
	{"POST-ANCHOR", "each bundle is signed by a key of the trust anchor",
		SECOND_NEEDS_ANCHOR, second_trust},
	{"POST-SIGNATURE-FIELDS", "what signatures state is right",
		SECOND_NEEDS_NOTHING, second_signature_fields},
	{"POST-SIGNATURES", "each signature verifies, by a KSK, one for each",
		SECOND_NEEDS_NOTHING, second_signatures},
	{"POST-ALGORITHMS", "keys and signatures have the same algorithms",
		SECOND_NEEDS_NOTHING, second_algorithms},
	{"POST-PREVIOUS", "what the response before states, signatures cover",
		SECOND_NEEDS_PREVIOUS, second_previous},
	{"POST-CHAIN", "the response continues the one before",
		SECOND_NEEDS_PREVIOUS, second_chain},
	{"POST-PUBLISH-SAFETY", "what begins to sign was published long enough",
		SECOND_NEEDS_NOTHING, second_publish_safety},
	{"POST-RETIRE-SAFETY", "what signed stays published long enough",
		SECOND_NEEDS_NOTHING, second_retire_safety},
	{"POST-LOG", "the log tells of these files and of no trouble",
		SECOND_NEEDS_LOG, second_record},
	{0},
};

void second_clear(struct second *second)
{
	crypto_cache_free(second->cache);
	buf_free(&second->owner);
	free(second->ksks);
	second_signers_free(second->signers);
	second_absents_free(second->absents);
	free(second->tied);
	second->tied = NULL;
	second->signers = NULL;
	second->absents = NULL;
	second->cache = NULL;
	second->ksks = NULL;
	second->ksk_count = 0;
}

/* Is this the key that the configuration, or the anchor instead, means? */
static bool is_meant(const struct second *second, const struct second_ksk *ksk,
	const struct ksr_key *key, bool *out, struct err *err)
{
	struct dnskey plain = key->dnskey; /* borrows */
	struct second_anchor_asked asked;
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len;

	if (ksk->instead != NULL) {
		second_anchor_ask(&plain, &second->owner, &asked);
		return second_anchor_is(ksk->instead, &asked, out, err);
	}
	*out = strcmp(key->identifier, ksk->label) == 0;
	if (!ksk->config->has_ds_sha256)
		return true;
	plain.flags = DNSKEY_FLAGS_KSK;
	if (!crypto_ds(&plain, &second->owner, DS_SHA256, digest, &len, err))
		return false;
	*out = memcmp(digest, ksk->config->ds_sha256, len) == 0;
	return true;
}

static bool find_in(const struct second *second, const struct ksr *ksr,
	struct second_ksk *ksk, struct err *err)
{
	for (size_t b = 0; ksk->found == NULL && b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++) {
			const struct ksr_key *key = &ksr->bundles[b].keys[k];
			bool meant = false;

			if ((key->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
				continue;
			if (!is_meant(second, ksk, key, &meant, err))
				return false;
			if (!meant)
				continue;
			ksk->found = key;
			ksk->known = true;
			ksk->plain = ksk->revoked = key->dnskey;
			ksk->plain.flags = DNSKEY_FLAGS_KSK;
			ksk->revoked.flags = DNSKEY_FLAGS_KSK_REVOKED;
			break;
		}
	return true;
}

static bool add_ksk(struct second *second, const char *name, struct err *err)
{
	struct second_ksk *ksk;

	for (size_t i = 0; i < second->ksk_count; i++)
		if (strcmp(second->ksks[i].config->name, name) == 0)
			return true;
	ksk = array_grow(&second->ksks, &second->ksk_count, sizeof(*ksk), err);
	if (ksk == NULL)
		return false;
	ksk->config = config_key(second->config, name);
	ksk->label = ksk->config->label;
	return true;
}

static bool add_names(struct second *second, const struct config_names *names,
	struct err *err)
{
	for (size_t i = 0; i < names->count; i++)
		if (!add_ksk(second, names->names[i], err))
			return false;
	return true;
}

/* A key that signs only may be in no bundle at all. */
static void take_absent(const struct second *second, struct second_ksk *ksk)
{
	const struct dnskey *dnskey = second_absent_key(second, ksk->label);

	if (ksk->known || dnskey == NULL)
		return;
	ksk->known = true;
	ksk->plain = ksk->revoked = *dnskey;
	ksk->revoked.flags = DNSKEY_FLAGS_KSK_REVOKED;
}

static bool find_all(struct second *second, struct err *err)
{
	for (size_t i = 0; i < second->ksk_count; i++) {
		if (!find_in(second, second->response, &second->ksks[i], err) ||
			(second->previous != NULL &&
				!find_in(second, second->previous,
					&second->ksks[i], err)))
			return false;
		take_absent(second, &second->ksks[i]);
	}
	return true;
}

bool second_prepare(struct second *second, struct err *err)
{
	const struct config_schema *schema = second->schema;

	if (!name_wire(second->response->domain, &second->owner, err) ||
		!crypto_cache_new(&second->cache, err) ||
		!second_signers_new(second, &second->signers, err) ||
		!second_absents_new(second, &second->absents, err))
		return false;
	if (second->previous != NULL && !second_tie(second, &second->tied, err))
		return false;
	for (size_t i = 0; schema != NULL && i < schema->slot_count &&
			   i < second->response->bundle_count;
		i++) {
		const struct config_slot *slot = &schema->slots[i];

		if (!add_names(second, &slot->publish, err) ||
			!add_names(second, &slot->revoke, err) ||
			!add_names(second, &slot->sign, err) ||
			!add_names(second, &slot->sign_only, err))
			return false;
	}
	return second_choose_instead(second, err) && find_all(second, err);
}

/* Why a question cannot be asked; NULL where it can. */
static const char *missing(const struct second *second, unsigned needs)
{
	if ((needs & SECOND_NEEDS_CONFIG) != 0 && second->config == NULL)
		return "no configuration (--config)";
	if ((needs & SECOND_NEEDS_ANCHOR) != 0 && second->anchor == NULL)
		return "no trust anchor (--anchor)";
	if ((needs & SECOND_NEEDS_PREVIOUS) != 0 && second->previous == NULL)
		return second->no_previous;
	if ((needs & SECOND_NEEDS_LOG) != 0 && second->log == NULL)
		return "no log (--log)";
	return NULL;
}

bool second_ask(const struct second *second,
	const struct second_question *question, struct verdict *verdict,
	struct err *err)
{
	const char *reason = missing(second, question->needs);

	verdict->name = question->name;
	if (reason != NULL) {
		verdict->result = VERDICT_SKIP;
		verdict->reason = reason;
	} else {
		question->ask(second, verdict);
	}
	return !verdict->nomem || err_nomem(err);
}
