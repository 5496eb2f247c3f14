/* SPDX-License-Identifier: ISC */
/* Records as a zone file has them (RFC 4034 §2.2 and §3.2). */
#include "base/base64.h"
#include "base/time.h"
#include "second/second.h"

#include <inttypes.h>
#include <string.h>

/* The name with its final dot. */
static void put_name(struct buf *out, const char *name)
{
	size_t len = strlen(name);

	buf_text(out, name);
	if (len == 0 || name[len - 1] != '.')
		buf_text(out, ".");
}

static void put_key(
	struct buf *out, const char *owner, const struct ksr_key *key)
{
	put_name(out, owner);
	buf_format(out, " %" PRIu32 " IN DNSKEY %u %u %u ", key->ttl,
		key->dnskey.flags, key->dnskey.protocol, key->dnskey.algorithm);
	base64_encode(
		out, key->dnskey.public_key.data, key->dnskey.public_key.len);
	buf_text(out, "\n");
}

static void put_signature(
	struct buf *out, const char *owner, const struct ksr_signature *sig)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	time_format(sig->inception, TIME_DNS, from);
	time_format(sig->expiration, TIME_DNS, to);
	put_name(out, owner);
	buf_format(out, " %" PRIu32 " IN RRSIG %s %u %u %" PRIu32 " %s %s %u ",
		sig->ttl, sig->type_covered, sig->algorithm, sig->labels,
		sig->original_ttl, to, from, sig->key_tag);
	put_name(out, sig->signers_name);
	buf_text(out, " ");
	base64_encode(out, sig->signature.data, sig->signature.len);
	buf_text(out, "\n");
}

void second_zone(
	const struct ksr *ksr, const struct ksr_bundle *bundle, struct buf *out)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	time_format(bundle->inception, TIME_BARE, from);
	time_format(bundle->expiration, TIME_BARE, to);
	buf_format(out, "; bundle %s, %s to %s\n", bundle->id, from, to);
	for (size_t k = 0; k < bundle->key_count; k++)
		put_key(out, ksr->domain, &bundle->keys[k]);
	for (size_t s = 0; s < bundle->signature_count; s++)
		put_signature(out, ksr->domain, &bundle->signatures[s]);
}
