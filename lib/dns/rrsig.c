/* SPDX-License-Identifier: ISC */
#include "lib/dns/rrsig.h"

#include <stdlib.h>
#include <string.h>

#define CLASS_IN 1U

void rrsig_free(struct rrsig *sig)
{
	buf_free(&sig->signer);
	buf_free(&sig->signature);
}

static int compare_pointers(const void *a, const void *b)
{
	const struct dnskey *const *key_a = a, *const *key_b = b;

	return dnskey_compare(*key_a, *key_b);
}

/* Sorted, as a bundle that was read has its keys: thousands, if it is hostile.
 */
static void sort(const struct dnskey **keys, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (dnskey_compare(keys[i - 1], keys[i]) > 0) {
			qsort(keys, count, sizeof(*keys), compare_pointers);
			return;
		}
}

static void write_rdata_head(const struct rrsig *sig, struct buf *out)
{
	buf_u16(out, sig->type_covered);
	buf_u8(out, sig->algorithm);
	buf_u8(out, sig->labels);
	buf_u32(out, sig->original_ttl);
	/* 32 bits, serial number arithmetic (RFC 4034 §3.1.5) */
	buf_u32(out, (uint32_t)sig->expiration);
	buf_u32(out, (uint32_t)sig->inception);
	buf_u16(out, sig->key_tag);
	buf_bytes(out, sig->signer.data, sig->signer.len);
}

static void write_record(const struct rrsig *sig, const struct buf *owner,
	const struct dnskey *key, struct buf *out)
{
	buf_bytes(out, owner->data, owner->len);
	buf_u16(out, sig->type_covered);
	buf_u16(out, CLASS_IN);
	buf_u32(out, sig->original_ttl);
	buf_u16(out, (uint16_t)(4 + key->public_key.len));
	dnskey_rdata(key, out);
}

bool rrsig_signed_data(const struct rrsig *sig, const struct buf *owner,
	const struct dnskey *const *keys, size_t count, struct buf *out,
	struct err *err)
{
	const struct dnskey **sorted = NULL;

	for (size_t i = 0; i < count; i++)
		if (keys[i]->public_key.len > UINT16_MAX - 4)
			return err_set(err, ERR_INPUT,
				"public key of %zu bytes does not fit a record",
				keys[i]->public_key.len);
	sorted = calloc(count > 0 ? count : 1, sizeof(*sorted));
	if (sorted == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		sorted[i] = keys[i];
	sort(sorted, count);
	write_rdata_head(sig, out);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || dnskey_compare(sorted[i - 1], sorted[i]) != 0)
			write_record(sig, owner, sorted[i], out);
	free(sorted);
	return buf_ok(out, err);
}
