/* SPDX-License-Identifier: ISC */
/*
 * Keys that sign a bundle without being in it (sign_only in a schema, RFC 6781
 * section 4.1.4).  What verifies such a signature comes from the configuration,
 * from the trust anchor, or from a bundle that publishes the key.
 */
#include "lib/dns/ds.h"
#include "postcheck/second.h"

#include <stdlib.h>
#include <string.h>

/* A key that may have signed so. */
struct absent {
	const char *label;    /* NULL: whatever it is called */
	struct dnskey dnskey; /* flags 257, borrows its public key */
};

struct second_absents {
	struct absent *list;
	size_t count;
};

static bool add(struct second_absents *absents, const char *label,
	uint8_t algorithm, struct buf public_key, struct err *err)
{
	struct absent *absent = array_grow(
		&absents->list, &absents->count, sizeof(*absent), err);

	if (absent == NULL)
		return false;
	*absent = (struct absent){.label = label,
		.dnskey = {.flags = DNSKEY_FLAGS_KSK,
			.protocol = DNSKEY_PROTOCOL,
			.algorithm = algorithm,
			.public_key = public_key}};
	return true;
}

/*
 * Is it the configured key, which has its label?  By its DS, or where there is
 * none by its tag; where there is neither, by the label alone.
 */
static bool is_configured(const struct second *second,
	const struct config_key *config, const struct dnskey *dnskey, bool *out,
	struct err *err)
{
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len;

	*out = config->algorithm == dnskey->algorithm &&
	       (!config->has_key_tag || config->key_tag == dnskey_tag(dnskey));
	if (!*out || !config->has_ds_sha256)
		return true;
	if (!crypto_ds(dnskey, &second->owner, DS_SHA256, digest, &len, err))
		return false;
	*out = memcmp(digest, config->ds_sha256, len) == 0;
	return true;
}

/* The trust anchor's key that is this configured one, where it has its bytes.
 */
static bool add_from_anchor(const struct second *second,
	const struct config_key *config, struct second_absents *absents,
	struct err *err)
{
	const struct second_anchor *anchor = second->anchor;

	for (size_t i = 0; anchor != NULL && i < anchor->count; i++) {
		const struct second_anchor_key *entry = &anchor->keys[i];
		const struct dnskey dnskey = {.flags = DNSKEY_FLAGS_KSK,
			.protocol = DNSKEY_PROTOCOL,
			.algorithm = entry->algorithm,
			.public_key = entry->public_key};
		bool same = false, agrees = false;

		if (!second_anchor_agrees(entry, &second->owner, &agrees, err))
			return false;
		if (entry->public_key.len == 0 || !agrees ||
			!second_anchor_vouches(entry) ||
			(!config->has_ds_sha256 &&
				strcmp(entry->id, config->label) != 0))
			continue;
		if (!is_configured(second, config, &dnskey, &same, err))
			return false;
		if (same)
			return add(absents, config->label, dnskey.algorithm,
				dnskey.public_key, err);
	}
	return true;
}

/* The key that a bundle publishes under the label, where it is the one. */
static bool add_from_bundles(const struct second *second, const struct ksr *ksr,
	const struct config_key *config, struct second_absents *absents,
	struct err *err)
{
	for (size_t b = 0; ksr != NULL && b < ksr->bundle_count; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++) {
			const struct ksr_key *key = &ksr->bundles[b].keys[k];
			bool same = false;

			if (key->dnskey.flags != DNSKEY_FLAGS_KSK ||
				strcmp(key->identifier, config->label) != 0)
				continue;
			if (!is_configured(
				    second, config, &key->dnskey, &same, err))
				return false;
			if (same)
				return add(absents, config->label,
					key->dnskey.algorithm,
					key->dnskey.public_key, err);
		}
	return true;
}

static bool add_configured(const struct second *second,
	const struct config_key *config, struct second_absents *absents,
	struct err *err)
{
	size_t before = absents->count;

	if (config->public_key.len > 0)
		return add(absents, config->label, config->algorithm,
			config->public_key, err);
	return add_from_anchor(second, config, absents, err) &&
	       (absents->count > before ||
		       add_from_bundles(second, second->response, config,
			       absents, err)) &&
	       (absents->count > before ||
		       add_from_bundles(
			       second, second->previous, config, absents, err));
}

/* Each of the trust anchor that has its bytes, by whatever name. */
static bool add_all_of_anchor(const struct second *second,
	struct second_absents *absents, struct err *err)
{
	const struct second_anchor *anchor = second->anchor;

	for (size_t i = 0; anchor != NULL && i < anchor->count; i++) {
		const struct second_anchor_key *entry = &anchor->keys[i];
		bool agrees = false;

		if (entry->public_key.len == 0 || !second_anchor_vouches(entry))
			continue;
		if (!second_anchor_agrees(entry, &second->owner, &agrees, err))
			return false;
		if (agrees && !add(absents, NULL, entry->algorithm,
				      entry->public_key, err))
			return false;
	}
	return true;
}

bool second_absents_new(const struct second *second,
	struct second_absents **out, struct err *err)
{
	struct second_absents *made = calloc(1, sizeof(*made));
	bool ok = made != NULL || err_nomem(err);

	if (second->config != NULL)
		for (size_t i = 0; ok && i < second->config->key_count; i++)
			ok = add_configured(
				second, &second->config->keys[i], made, err);
	else
		ok = ok && add_all_of_anchor(second, made, err);
	if (!ok) {
		second_absents_free(made);
		return false;
	}
	*out = made;
	return true;
}

void second_absents_free(struct second_absents *absents)
{
	if (absents != NULL)
		free(absents->list);
	free(absents);
}

/* What signed, where the bundle has no key that its signature names. */
static const struct dnskey *look_up(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig)
{
	const struct second_absents *absents = second->absents;

	if (second_signer(second, bundle, sig) != NULL)
		return NULL;
	for (size_t i = 0; i < absents->count; i++) {
		const struct absent *absent = &absents->list[i];

		if ((absent->label == NULL ||
			    strcmp(absent->label, sig->identifier) == 0) &&
			absent->dnskey.algorithm == sig->algorithm &&
			dnskey_tag(&absent->dnskey) == sig->key_tag)
			return &absent->dnskey;
	}
	return NULL;
}

const struct dnskey *second_absent(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig)
{
	const struct dnskey *dnskey = look_up(second, bundle, sig);

	return dnskey == NULL || ksr_bundle_has_public(bundle, dnskey) ? NULL
								       : dnskey;
}

bool second_is_renamed(const struct second *second,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig)
{
	const struct dnskey *dnskey = look_up(second, bundle, sig);

	return dnskey != NULL && ksr_bundle_has_public(bundle, dnskey);
}

const struct dnskey *second_absent_key(
	const struct second *second, const char *label)
{
	const struct second_absents *absents = second->absents;

	for (size_t i = 0; i < absents->count; i++)
		if (absents->list[i].label != NULL &&
			strcmp(absents->list[i].label, label) == 0)
			return &absents->list[i].dnskey;
	return NULL;
}

size_t second_count_absent(const struct second *second,
	const struct ksr_bundle *bundle, const char *label)
{
	size_t count = 0;

	for (size_t s = 0; s < bundle->signature_count; s++)
		if (second_signer(second, bundle, &bundle->signatures[s]) ==
				NULL &&
			strcmp(bundle->signatures[s].identifier, label) == 0)
			count++;
	return count;
}
