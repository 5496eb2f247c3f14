/* SPDX-License-Identifier: ISC */
#include "signer/keyset/identity.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"
#include "lib/dns/ds.h"
#include "lib/dns/name.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
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

static void differs(struct identity *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void differs(struct identity *out, const char *fmt, ...)
{
	va_list ap;

	assert(out->count < IDENTITY_DIFFERENCES_MAX);
	va_start(ap, fmt);
	vsnprintf(out->differences[out->count++], IDENTITY_TEXT_MAX, fmt, ap);
	va_end(ap);
}

static bool compare_ds(const struct config_key *want, const struct dnskey *has,
	const char *zone, struct identity *out, struct err *err)
{
	struct buf owner = BUF_EMPTY, text = BUF_EMPTY;
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len = 0;
	bool ok;

	ok = name_wire(zone, &owner, err) &&
	     crypto_ds(has, &owner, DS_SHA256, digest, &len, err);
	if (ok)
		memcpy(out->ds, digest, sizeof(out->ds));
	if (ok && want->has_ds_sha256 &&
		memcmp(out->ds, want->ds_sha256, sizeof(out->ds)) != 0) {
		hex_encode_upper(&text, out->ds, sizeof(out->ds));
		differs(out, "DS %s is not the configured ds_sha256",
			buf_string(&text));
	}
	buf_free(&text);
	buf_free(&owner);
	return ok;
}

static bool compare_rsa(const struct config_key *want, const struct dnskey *has,
	struct identity *out, struct err *err)
{
	struct dnskey_rsa rsa;

	if (!dnskey_rsa(has, &rsa, err))
		return false;
	if (want->rsa_size != 0 && want->rsa_size != rsa.bits)
		differs(out, "%u bits are not the configured %" PRIu32,
			rsa.bits, want->rsa_size);
	if (want->rsa_exponent != 0 && want->rsa_exponent != rsa.exponent_value)
		differs(out,
			"exponent %" PRIu64 " is not the configured %" PRIu32,
			rsa.exponent_value, want->rsa_exponent);
	return true;
}

bool identity_compare(const struct config_key *want, const struct dnskey *has,
	const char *zone, struct identity *out, struct err *err)
{
	const struct algorithm *alg = algorithm_by_number(has->algorithm);
	struct identity found = {.count = 0};
	uint16_t tag = dnskey_tag(has);

	if (!compare_ds(want, has, zone, &found, err))
		return false;
	if (want->has_key_tag && want->key_tag != tag)
		differs(&found, "tag %05u is not the configured %05u", tag,
			want->key_tag);
	if (want->algorithm != has->algorithm)
		differs(&found, "algorithm %u is not the configured %u",
			has->algorithm, want->algorithm);
	if (alg != NULL && alg->family == ALGORITHM_RSA &&
		!compare_rsa(want, has, &found, err))
		return false;
	if (want->public_key.len > 0 &&
		!buf_equal(&want->public_key, &has->public_key))
		differs(&found, "it is not the configured public_key");
	*out = found;
	return true;
}
