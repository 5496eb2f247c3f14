/* SPDX-License-Identifier: ISC */
#include "signer/sign/sign.h"

#include "lib/base/buf.h"
#include "lib/base/stop.h"
#include "signer/keyset/identity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a step said of the key, and not of the token, is a reason; anything
 * else ends the run.
 */
static bool take_reason(struct ksk *ksk, const struct err *why, struct err *err)
{
	if (why->about_key)
		return ksk_set_reason(ksk, why->text, err);
	*err = *why;
	return false;
}

/* The key of that label; *found stays NULL where it is not to be used. */
static bool look_for(struct token_set *tokens, const struct config_key *key,
	const struct token_key **found, struct dnskey *dnskey, struct err *why)
{
	if (!token_set_find(tokens, key->label, found, why))
		return false;
	if (*found != NULL)
		return token_key_dnskey(
			*found, DNSKEY_FLAGS_KSK, key->algorithm, dnskey, why);
	err_set(why, ERR_HSM, "the HSM has no key of this label (keys.%s)",
		key->name);
	why->about_key = true;
	return false;
}

static bool find_key(struct token_set *tokens, const struct config_key *key,
	struct ksk_set *out, struct err *err)
{
	const struct token_key *found = NULL;
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct err why = ERR_EMPTY;
	bool there = look_for(tokens, key, &found, &dnskey, &why);
	bool ok;

	ok = ksk_set_add(out, key->label, key, there ? found : NULL,
		there ? &dnskey : NULL, err);
	dnskey_free(&dnskey);
	if (!ok || there)
		return ok;
	return take_reason(&out->keys[out->count - 1], &why, err);
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

/*
 * What can be known of a key before anything is signed.  One that is only
 * published must be able to sign, too: anybody with the token can put a public
 * key into it, and validators would follow that.
 */
static bool try_key(struct ksk *ksk, struct err *err)
{
	uint8_t algorithm = ksk->config->algorithm;
	bool hash_in_hsm = ksk->config->hash_using_hsm, proven = false;
	struct err why = ERR_EMPTY;

	if (token_can_sign(
		    ksk->token_key, algorithm, hash_in_hsm, &proven, &why) &&
		(proven || token_prove(ksk->token_key, algorithm, hash_in_hsm,
				   &why) == TOKEN_PROVEN))
		return true;
	return take_reason(ksk, &why, err);
}

bool sign_find_keys(struct token_set *tokens, const struct config *config,
	const struct config_schema *schema, size_t count, struct ksk_set *out,
	struct err *err)
{
	for (size_t i = 0; i < count && i < schema->slot_count; i++) {
		const struct config_slot *slot = &schema->slots[i];

		if (!find_names(tokens, config, &slot->publish, out, err) ||
			!find_names(tokens, config, &slot->revoke, out, err) ||
			!find_names(tokens, config, &slot->sign, out, err) ||
			!find_names(tokens, config, &slot->sign_only, out, err))
			return false;
	}
	for (size_t i = 0; i < out->count; i++)
		if (out->keys[i].token_key != NULL &&
			!try_key(&out->keys[i], err))
			return false;
	return true;
}

/*
 * That a key of the past is the HSM's: it is what the configuration says of
 * that label, and where that is not enough to know it, its private half has to
 * sign.  A public key alone anybody can put into a token, and that of an
 * elliptic curve beside a private half that it does not belong to.
 */
static bool judge_signer(
	const struct config *config, struct ksk *ksk, struct err *err)
{
	const struct config_key *want = config_key_labelled(config, ksk->label);
	struct err why = ERR_EMPTY;
	struct identity is;

	if (want != NULL) {
		if (!identity_compare(want, &ksk->dnskey, identity_zone(config),
			    &is, err))
			return false;
		if (is.count > 0) {
			err_set(&why, ERR_HSM,
				"the HSM's key of that label is not keys.%s: %s",
				want->name, is.differences[0]);
			return ksk_set_reason(ksk, why.text, err);
		}
		if (want->has_ds_sha256 || want->public_key.len > 0)
			return true;
	}
	if (!ksk->token_key->has_private)
		return ksk_set_reason(ksk,
			"the HSM has no private half of it, and no ds_sha256 says that it is the one",
			err);
	return token_prove(ksk->token_key, ksk->dnskey.algorithm,
		       want != NULL && want->hash_using_hsm,
		       &why) == TOKEN_PROVEN ||
	       take_reason(ksk, &why, err);
}

/* The key that made a signature of the past, added found or not. */
static bool find_signer(struct token_set *tokens, const struct config *config,
	const struct ksr_signature *sig, struct ksk_set *out, struct err *err)
{
	const struct token_key *found = NULL;
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct err why = ERR_EMPTY, other = ERR_EMPTY;
	bool there = token_set_find(tokens, sig->identifier, &found, &why);
	bool ok;

	/* A key of another kind is another key: the check says so. */
	if (found != NULL && !token_key_dnskey(found, DNSKEY_FLAGS_KSK,
				     sig->algorithm, &dnskey, &other))
		dnskey.algorithm = 0;
	ok = ksk_set_add(out, sig->identifier, NULL, found, &dnskey, err);
	if (ok && there && found != NULL && dnskey.algorithm != 0)
		ok = judge_signer(config, &out->keys[out->count - 1], err);
	dnskey_free(&dnskey);
	if (!ok || there)
		return ok;
	return take_reason(&out->keys[out->count - 1], &why, err);
}

/* The keys that signed a bundle and are not in it, as far as configured. */
static bool find_absent(struct token_set *tokens, const struct config *config,
	const struct ksr_bundle *bundle, struct ksk_set *out, struct err *err)
{
	const struct ksr_key **signers = NULL;
	bool ok = ksr_signers(bundle, &signers, err);

	for (size_t s = 0; ok && s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];

		if (signers[s] == NULL &&
			config_key_labelled(config, sig->identifier) != NULL &&
			ksk_by_label(out, sig->identifier) == NULL)
			ok = find_signer(tokens, config, sig, out, err);
	}
	free(signers);
	return ok;
}

bool sign_find_previous(struct token_set *tokens, const struct config *config,
	const struct ksr *previous, struct ksk_set *out, struct err *err)
{
	const struct ksr_bundle *last =
		&previous->bundles[previous->bundle_count - 1];

	for (size_t s = 0; s < last->signature_count; s++)
		if (ksk_by_label(out, last->signatures[s].identifier) == NULL &&
			!find_signer(
				tokens, config, &last->signatures[s], out, err))
			return false;
	for (size_t b = 0; b < previous->bundle_count; b++)
		if (!find_absent(
			    tokens, config, &previous->bundles[b], out, err))
			return false;
	return true;
}

/* The key of the set that is to make this signature. */
static const struct ksk *signer_of(const struct ksk_set *ksks,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig)
{
	const struct ksr_key *key = ksr_signature_key(bundle, sig);

	if (key == NULL)
		return ksk_by_signature(ksks, sig); /* sign_only */
	for (size_t i = 0; i < ksks->count; i++)
		if (dnskey_same_public(&ksks->keys[i].dnskey, &key->dnskey))
			return &ksks->keys[i];
	return NULL;
}

static bool sign_one(const struct ksk_set *ksks, const struct ksr *response,
	const struct ksr_bundle *bundle, struct ksr_signature *sig,
	struct err *err)
{
	const struct ksk *ksk = signer_of(ksks, bundle, sig);
	struct buf data = BUF_EMPTY, made = BUF_EMPTY;
	bool ok;

	assert(ksk != NULL && ksk->token_key != NULL);
	assert(sig->signature.len == 0);
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
static bool prove_one(const struct ksk_set *ksks, struct crypto_cache *cache,
	const struct ksr *response, const struct ksr_bundle *bundle,
	const struct ksr_signature *sig, struct err *err)
{
	const struct ksr_key *key = ksr_signature_key(bundle, sig);
	const struct dnskey *dnskey =
		key != NULL ? &key->dnskey
			    : &ksk_by_signature(ksks, sig)->dnskey;
	struct buf data = BUF_EMPTY;
	bool ok = ksr_signed_data(bundle, sig, response->domain, &data, err);

	if (ok && !crypto_verify(cache, dnskey, &data, &sig->signature, err)) {
		err->kind = ERR_HSM;
		ok = err_prefix(err, "what the HSM returned");
	}
	buf_free(&data);
	return ok || err_prefix(err, "bundle %s, key %s", bundle->id,
			     sig->identifier);
}

static bool sign_bundle(const struct ksk_set *ksks, struct crypto_cache *cache,
	const struct ksr *response, struct ksr_bundle *bundle, struct err *err)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		struct ksr_signature *sig = &bundle->signatures[s];

		if (!stop_check(err) ||
			!sign_one(ksks, response, bundle, sig, err) ||
			!prove_one(ksks, cache, response, bundle, sig, err))
			return false;
	}
	return true;
}

bool sign_response(const struct ksk_set *ksks, struct crypto_cache *cache,
	struct ksr *response, struct err *err)
{
	for (size_t b = 0; b < response->bundle_count; b++)
		if (!sign_bundle(
			    ksks, cache, response, &response->bundles[b], err))
			return false;
	return true;
}
