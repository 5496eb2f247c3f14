/* SPDX-License-Identifier: ISC */
#include "keys/identity.h"

#include "crypto/crypto.h"
#include "dns/algorithm.h"
#include "dns/ds.h"
#include "dns/name.h"

#include <stdio.h>
#include <string.h>

const char *identity_zone(const struct config *config)
{
	const struct config_names *domains =
		&config->request_policy.acceptable_domains;

	if (config->ksk_policy.signers_name != NULL)
		return config->ksk_policy.signers_name;
	return domains->count > 0 ? domains->names[0] : ".";
}

static bool compare_ds(const struct config *config,
	const struct config_key *want, const struct dnskey *dnskey, bool *same,
	struct err *err)
{
	uint8_t digest[CRYPTO_DIGEST_MAX];
	struct buf owner = BUF_EMPTY;
	size_t length = 0;
	bool ok;

	ok = name_wire(identity_zone(config), &owner, err) &&
	     crypto_ds(dnskey, &owner, DS_SHA256, digest, &length, err);
	*same = ok && memcmp(digest, want->ds_sha256, CONFIG_SHA256_SIZE) == 0;
	buf_free(&owner);
	return ok;
}

bool identity_compare(const struct config *config,
	const struct config_key *want, const struct token_key *key,
	struct dnskey *dnskey, char text[IDENTITY_TEXT_MAX], struct err *err)
{
	struct err kind = ERR_EMPTY;
	bool same = true;

	text[0] = '\0';
	if (!token_key_dnskey(
		    key, DNSKEY_FLAGS_KSK, want->algorithm, dnskey, &kind)) {
		snprintf(text, IDENTITY_TEXT_MAX, "%s is no key for %s",
			token_key_type_name(key->type),
			algorithm_name(want->algorithm));
		return true;
	}
	if (want->has_ds_sha256 &&
		!compare_ds(config, want, dnskey, &same, err))
		return false;
	if (!same)
		snprintf(text, IDENTITY_TEXT_MAX,
			"DS is not the configured ds_sha256");
	else if (want->has_key_tag && want->key_tag != dnskey_tag(dnskey))
		snprintf(text, IDENTITY_TEXT_MAX,
			"tag %05u is not the configured %05u",
			dnskey_tag(dnskey), want->key_tag);
	else if (want->rsa_size != 0 && want->rsa_size != key->bits)
		snprintf(text, IDENTITY_TEXT_MAX,
			"%u bits are not the configured %u", key->bits,
			want->rsa_size);
	else if (want->rsa_exponent != 0 && want->rsa_exponent != key->exponent)
		snprintf(text, IDENTITY_TEXT_MAX,
			"exponent %u is not the configured %u", key->exponent,
			want->rsa_exponent);
	return true;
}
