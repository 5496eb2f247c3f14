/* SPDX-License-Identifier: ISC */
/*
 * The layout of the root's published responses, byte for byte: one element
 * a line, no indentation, key tags with five digits, times with +00:00.
 */
#include "lib/base/base64.h"
#include "lib/base/time.h"
#include "lib/ksr/ksr.h"

#include <inttypes.h>

static void open_tag(struct buf *out, const char *name)
{
	buf_u8(out, '<');
	buf_text(out, name);
	buf_u8(out, '>');
}

static void close_tag(struct buf *out, const char *name)
{
	buf_text(out, "</");
	buf_text(out, name);
	buf_text(out, ">\n");
}

static void write_text(struct buf *out, const char *name, const char *text)
{
	open_tag(out, name);
	xml_write_text(out, text);
	close_tag(out, name);
}

static void write_number(struct buf *out, const char *name, uint32_t value)
{
	open_tag(out, name);
	buf_format(out, "%" PRIu32, value);
	close_tag(out, name);
}

static void write_time(struct buf *out, const char *name, int64_t t)
{
	char text[TIME_TEXT_MAX];

	time_format(t, TIME_OFFSET, text);
	write_text(out, name, text);
}

static void write_duration(struct buf *out, const char *name, int64_t seconds)
{
	char text[TIME_DURATION_MAX];

	time_duration_format(seconds, text);
	write_text(out, name, text);
}

static void write_base64(
	struct buf *out, const char *name, const struct buf *data)
{
	open_tag(out, name);
	base64_encode(out, data->data, data->len);
	close_tag(out, name);
}

/* <Key keyIdentifier="..." without the end of the tag */
static void write_identified(
	struct buf *out, const char *name, const char *identifier)
{
	buf_u8(out, '<');
	buf_text(out, name);
	buf_text(out, " keyIdentifier=\"");
	xml_write_text(out, identifier);
	buf_text(out, "\"");
}

static void write_algorithm(
	struct buf *out, const struct ksr_algorithm *algorithm)
{
	buf_format(out, "<SignatureAlgorithm algorithm=\"%u\">\n",
		algorithm->algorithm);
	if (algorithm->family == KSR_RSA)
		buf_format(out,
			"<RSA size=\"%" PRIu32 "\" exponent=\"%" PRIu64
			"\"/>\n",
			algorithm->size, algorithm->exponent);
	else
		buf_format(out, "<%s size=\"%" PRIu32 "\"/>\n",
			algorithm->family == KSR_ECDSA ? "ECDSA" : "EdDSA",
			algorithm->size);
	buf_text(out, "</SignatureAlgorithm>\n");
}

static void write_policy(
	struct buf *out, const char *name, const struct ksr_policy *policy)
{
	buf_format(out, "<%s>\n", name);
	write_duration(out, "PublishSafety", policy->publish_safety);
	write_duration(out, "RetireSafety", policy->retire_safety);
	write_duration(
		out, "MaxSignatureValidity", policy->max_signature_validity);
	write_duration(
		out, "MinSignatureValidity", policy->min_signature_validity);
	write_duration(out, "MaxValidityOverlap", policy->max_validity_overlap);
	write_duration(out, "MinValidityOverlap", policy->min_validity_overlap);
	for (size_t i = 0; i < policy->algorithm_count; i++)
		write_algorithm(out, &policy->algorithms[i]);
	close_tag(out, name);
}

static void write_key(struct buf *out, const struct ksr_key *key)
{
	write_identified(out, "Key", key->identifier);
	buf_format(out, " keyTag=\"%05u\">\n", key->tag);
	write_number(out, "TTL", key->ttl);
	write_number(out, "Flags", key->dnskey.flags);
	write_number(out, "Protocol", key->dnskey.protocol);
	write_number(out, "Algorithm", key->dnskey.algorithm);
	write_base64(out, "PublicKey", &key->dnskey.public_key);
	buf_text(out, "</Key>\n");
}

static void write_signature(
	struct buf *out, const struct ksr_signature *signature)
{
	write_identified(out, "Signature", signature->identifier);
	buf_text(out, ">\n");
	write_number(out, "TTL", signature->ttl);
	write_text(out, "TypeCovered", signature->type_covered);
	write_number(out, "Algorithm", signature->algorithm);
	write_number(out, "Labels", signature->labels);
	write_number(out, "OriginalTTL", signature->original_ttl);
	write_time(out, "SignatureExpiration", signature->expiration);
	write_time(out, "SignatureInception", signature->inception);
	buf_format(out, "<KeyTag>%05u</KeyTag>\n", signature->key_tag);
	write_text(out, "SignersName", signature->signers_name);
	write_base64(out, "SignatureData", &signature->signature);
	buf_text(out, "</Signature>\n");
}

static void write_bundle(
	struct buf *out, const char *name, const struct ksr_bundle *bundle)
{
	buf_format(out, "<%s id=\"", name);
	xml_write_text(out, bundle->id);
	buf_text(out, "\">\n");
	write_time(out, "Inception", bundle->inception);
	write_time(out, "Expiration", bundle->expiration);
	for (size_t i = 0; i < bundle->signer_count; i++) {
		write_identified(out, "Signer", bundle->signers[i]);
		buf_text(out, "/>\n");
	}
	for (size_t i = 0; i < bundle->key_count; i++)
		write_key(out, &bundle->keys[i]);
	for (size_t i = 0; i < bundle->signature_count; i++)
		write_signature(out, &bundle->signatures[i]);
	close_tag(out, name);
}

bool ksr_write(const struct ksr *ksr, struct buf *out, struct err *err)
{
	bool response = ksr->kind == KSR_RESPONSE;
	const char *kind = response ? "Response" : "Request";
	const char *bundle = response ? "ResponseBundle" : "RequestBundle";

	buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<KSR id=\"");
	xml_write_text(out, ksr->id);
	buf_text(out, "\" domain=\"");
	xml_write_text(out, ksr->domain);
	buf_format(out, "\" serial=\"%" PRId64 "\">\n<%s", ksr->serial, kind);
	if (ksr->timestamp != NULL && !response) {
		buf_text(out, " timestamp=\"");
		xml_write_text(out, ksr->timestamp);
		buf_text(out, "\"");
	}
	buf_format(out, ">\n<%sPolicy>\n", kind);
	if (response)
		write_policy(out, "KSK", &ksr->ksk);
	write_policy(out, "ZSK", &ksr->zsk);
	buf_format(out, "</%sPolicy>\n", kind);
	for (size_t i = 0; i < ksr->bundle_count; i++)
		write_bundle(out, bundle, &ksr->bundles[i]);
	buf_format(out, "</%s>\n</KSR>\n", kind);
	return buf_ok(out, err);
}
