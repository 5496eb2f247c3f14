/* SPDX-License-Identifier: ISC */
#include "sign/sign.h"

#include "base/stop.h"

#include <assert.h>

static bool find_key(struct token_set *tokens, const struct config_key *key,
	struct ksk_set *out, struct err *err)
{
	const struct token_key *found = NULL;
	struct dnskey dnskey = DNSKEY_EMPTY;
	bool ok;

	if (!token_set_find(tokens, key->label, &found, err))
		return false;
	if (found == NULL)
		return err_set(err, ERR_HSM,
			"no key labelled %s in the HSM (keys.%s)", key->label,
			key->name);
	if (!token_key_dnskey(
		    found, DNSKEY_FLAGS_KSK, key->algorithm, &dnskey, err)) {
		err->kind = ERR_REFUSED;
		return err_prefix(err, "KSK-IDENTITY: key %s", key->label);
	}
	ok = ksk_set_add(out, key->label, key, found, &dnskey, err);
	dnskey_free(&dnskey);
	return ok;
}

static bool find_names(struct token_set *tokens, const struct config *config,
	const struct config_names *names, struct ksk_set *out, struct err *err)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct config_key *key =
			config_key(config, names->names[i]);

		assert(key != NULL); /* the reader refuses unknown names */
		if (ksk_by_name(out, key->name) == NULL &&
			!find_key(tokens, key, out, err))
			return false;
	}
	return true;
}

bool sign_find_keys(struct token_set *tokens, const struct config *config,
	const struct config_schema *schema, size_t count, struct ksk_set *out,
	struct err *err)
{
	for (size_t i = 0; i < count && i < schema->slot_count; i++) {
		const struct config_slot *slot = &schema->slots[i];

		if (!find_names(tokens, config, &slot->publish, out, err) ||
			!find_names(tokens, config, &slot->revoke, out, err) ||
			!find_names(tokens, config, &slot->sign, out, err))
			return false;
	}
	return true;
}

bool sign_find_previous(struct token_set *tokens, const struct ksr *previous,
	struct ksk_set *out, struct err *err)
{
	const struct ksr_bundle *last =
		&previous->bundles[previous->bundle_count - 1];

	for (size_t s = 0; s < last->signature_count; s++) {
		const struct ksr_signature *sig = &last->signatures[s];
		const struct token_key *found = NULL;
		struct dnskey dnskey = DNSKEY_EMPTY;
		struct err other = ERR_EMPTY;
		bool ok;

		if (ksk_by_label(out, sig->identifier) != NULL)
			continue;
		if (!token_set_find(tokens, sig->identifier, &found, err))
			return false;
		/* A key of another kind is another key: the check says so. */
		if (found != NULL && !token_key_dnskey(found, DNSKEY_FLAGS_KSK,
					     sig->algorithm, &dnskey, &other))
			dnskey.algorithm = 0;
		ok = ksk_set_add(
			out, sig->identifier, NULL, found, &dnskey, err);
		dnskey_free(&dnskey);
		if (!ok)
			return false;
	}
	return true;
}

/* The key of the set that is to make this signature. */
static const struct ksk *signer_of(
	const struct ksk_set *ksks, const struct dnskey *dnskey)
{
	for (size_t i = 0; i < ksks->count; i++)
		if (dnskey_same_public(&ksks->keys[i].dnskey, dnskey))
			return &ksks->keys[i];
	return NULL;
}

static bool sign_one(const struct ksk_set *ksks, const struct ksr *response,
	const struct ksr_bundle *bundle, struct ksr_signature *sig,
	struct err *err)
{
	const struct ksr_key *key = ksr_signature_key(bundle, sig);
	const struct ksk *ksk;
	struct buf data = BUF_EMPTY, made = BUF_EMPTY;
	bool ok;

	assert(key != NULL && sig->signature.len == 0);
	ksk = signer_of(ksks, &key->dnskey);
	assert(ksk != NULL && ksk->token_key != NULL);
	ok = ksr_signed_data(bundle, sig, response->domain, &data, err) &&
	     token_sign(ksk->token_key, sig->algorithm,
		     ksk->config->hash_using_hsm, &data, &made, err);
	buf_free(&data);
	if (!ok) {
		buf_free(&made);
		return err_prefix(
			err, "bundle %s, key %s", bundle->id, sig->identifier);
	}
	sig->signature = made;
	return true;
}

/* A token may return a well-formed but wrong signature. */
static bool prove_one(struct crypto_cache *cache, const struct ksr *response,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig,
	struct err *err)
{
	const struct ksr_key *key = ksr_signature_key(bundle, sig);
	struct buf data = BUF_EMPTY;
	bool ok = ksr_signed_data(bundle, sig, response->domain, &data, err);

	if (ok && !crypto_verify(
			  cache, &key->dnskey, &data, &sig->signature, err)) {
		err->kind = ERR_HSM;
		ok = err_prefix(err, "what the HSM returned");
	}
	buf_free(&data);
	return ok || err_prefix(err, "bundle %s, key %s", bundle->id,
			     sig->identifier);
}

static bool sign_bundle(const struct ksk_set *ksks, const struct ksr *response,
	struct ksr_bundle *bundle, struct err *err)
{
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (!stop_check(err) || !sign_one(ksks, response, bundle,
						&bundle->signatures[s], err))
			return false;
	return true;
}

static bool prove_bundle(struct crypto_cache *cache, const struct ksr *response,
	const struct ksr_bundle *bundle, struct err *err)
{
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (!prove_one(cache, response, bundle, &bundle->signatures[s],
			    err))
			return false;
	return true;
}

bool sign_response(const struct ksk_set *ksks, struct crypto_cache *cache,
	struct prover *prover, struct ksr *response, struct err *err)
{
	size_t count = response->bundle_count, made = 0, proven = 0;
	bool ahead = count >= SIGN_BATCH;
	bool ok = true;

	while (ok && proven < count) {
		size_t from = made, end = from + (ahead ? SIGN_BATCH : 1);

		for (; ok && made < count && made < end; made++)
			ok = sign_bundle(
				ksks, response, &response->bundles[made], err);
		/* The thread has this batch, and had time for the one before.
		 */
		end = ahead && made > from ? from : made;
		if (ok && made > end)
			prover_add(prover, response, from, made - from);
		for (; ok && proven < end; proven++)
			ok = prove_bundle(cache, response,
				&response->bundles[proven], err);
	}
	prover_stop(prover);
	return ok;
}
