/* SPDX-License-Identifier: ISC */
/*
 * Records as a zone file has them (RFC 4034 §2.2 and §3.2).  Names are written
 * from their wire form and numbers from their values; what is text in a
 * document stands in comments alone, escaped.
 */
#include "lib/base/base64.h"
#include "lib/base/experiment.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/dns/name.h"
#include "postcheck/second.h"

#include <inttypes.h>
#include <string.h>

/* Letters, digits, hyphens, underscores: what name_wire() lets through. */
static bool put_name(struct buf *out, const char *name, struct err *err)
{
	struct buf wire = BUF_EMPTY;
	bool ok = name_wire(name, &wire, err);

	for (size_t at = 0; ok && wire.data[at] != 0;
		at += wire.data[at] + 1U) {
		buf_bytes(out, wire.data + at + 1, wire.data[at]);
		buf_text(out, ".");
	}
	if (ok && wire.len == 1)
		buf_text(out, ".");
	buf_free(&wire);
	if (!ok)
		err->kind = ERR_REFUSED;
	return ok;
}

static bool put_key(struct buf *out, const char *owner,
	const struct ksr_key *key, struct err *err)
{
	if (!put_name(out, owner, err))
		return false;
	buf_format(out, " %" PRIu32 " IN DNSKEY %u %u %u ", key->ttl,
		key->dnskey.flags, key->dnskey.protocol, key->dnskey.algorithm);
	base64_encode(
		out, key->dnskey.public_key.data, key->dnskey.public_key.len);
	buf_text(out, "\n");
	return true;
}

static bool put_signature(struct buf *out, const char *owner,
	const struct ksr_signature *sig, struct err *err)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	if (strcmp(sig->type_covered, "DNSKEY") != 0)
		return err_set(err, ERR_REFUSED,
			"line %lu: a signature that covers %s, expected DNSKEY",
			sig->line, sig->type_covered);
	time_format(sig->inception, TIME_DNS, from);
	time_format(sig->expiration, TIME_DNS, to);
	if (!put_name(out, owner, err))
		return false;
	buf_format(out,
		" %" PRIu32 " IN RRSIG DNSKEY %u %u %" PRIu32 " %s %s %u ",
		sig->ttl, sig->algorithm, sig->labels, sig->original_ttl, to,
		from, sig->key_tag);
	if (!put_name(out, sig->signers_name, err))
		return false;
	buf_text(out, " ");
	base64_encode(out, sig->signature.data, sig->signature.len);
	buf_text(out, "\n");
	return true;
}

bool second_zone(const struct ksr *ksr, const struct ksr_bundle *bundle,
	struct buf *out, struct err *err)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	time_format(bundle->inception, TIME_BARE, from);
	time_format(bundle->expiration, TIME_BARE, to);
	buf_format(out, "; %sbundle ", experiment_mark());
	text_escape(out, bundle->id, strlen(bundle->id));
	buf_format(out, ", %s to %s\n", from, to);
	for (size_t k = 0; k < bundle->key_count; k++)
		if (!put_key(out, ksr->domain, &bundle->keys[k], err))
			return false;
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (!put_signature(
			    out, ksr->domain, &bundle->signatures[s], err))
			return false;
	return buf_ok(out, err);
}
