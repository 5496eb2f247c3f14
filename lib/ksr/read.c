/* SPDX-License-Identifier: ISC */
/* From a valid document to struct ksr: every value parsed strictly. */
#include "lib/base/array.h"
#include "lib/base/base64.h"
#include "lib/base/experiment.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/ksr/ksr.h"

#include <stdlib.h>
#include <string.h>

/* RFC 4034 §3.1.5: times in an RRSIG are 32 bits. */
#define DNS_TIME_MAX INT64_C(4294967295)
/* The key and signature of RSA-4096, twice over. */
#define MATERIAL_MAX 1100
/* The same of an experiment's. */
#define MATERIAL_MAX_EXPERIMENT 4900

/* Of a DNSKEY record: owner, type, class, TTL, length, fixed fields. */
#define RECORD_OVERHEAD ((size_t)15)

/* What is carried through the reading of one document. */
struct reading {
	enum ksr_kind kind;
	struct buf text; /* of the element at hand */
	struct err *err;
};

/* "line 12: TTL" before the message that is there. */
static bool located(
	struct reading *r, const struct xml_node *node, const char *attribute)
{
	if (attribute != NULL)
		return err_prefix(r->err, "line %lu: %s of %s", xml_line(node),
			attribute, xml_name(node));
	return err_prefix(
		r->err, "line %lu: %s", xml_line(node), xml_name(node));
}

static const struct xml_node *need(
	struct reading *r, const struct xml_node *parent, const char *name)
{
	const struct xml_node *node = xml_child(parent, name);

	if (node == NULL)
		err_set(r->err, ERR_INPUT, "line %lu: %s without %s",
			xml_line(parent), xml_name(parent), name);
	return node;
}

/* The text without the blanks around it, borrowed until the next call. */
static char *trimmed(struct buf *text)
{
	static const char blanks[] = " \t\r\n";
	const char *end;
	char *start;

	while (text->len > 0 &&
		strchr(blanks, text->data[text->len - 1]) != NULL)
		text->len--;
	end = buf_string(text);
	start = text->failed ? NULL : (char *)text->data;
	return start != NULL ? start + strspn(end, blanks) : NULL;
}

/*
 * The text of an element, or of its attribute where one is named.  Typed
 * values stand without the blanks around them.
 */
static char *value_text(
	struct reading *r, const struct xml_node *node, const char *attribute)
{
	bool ok;
	char *text;

	if (attribute != NULL)
		ok = xml_attribute(node, attribute, &r->text, r->err);
	else
		ok = xml_text(node, &r->text, r->err);
	if (!ok)
		return NULL;
	text = trimmed(&r->text);
	if (text == NULL)
		err_nomem(r->err);
	return text;
}

static bool attribute_number(struct reading *r, const struct xml_node *node,
	const char *name, int64_t min, int64_t max, int64_t *out)
{
	const char *text = value_text(r, node, name);

	if (text == NULL)
		return false;
	if (!number_parse(text, min, max, out, r->err))
		return located(r, node, name);
	return true;
}

static bool child_number(struct reading *r, const struct xml_node *parent,
	const char *name, int64_t max, int64_t *out)
{
	const struct xml_node *node = need(r, parent, name);
	const char *text = node != NULL ? value_text(r, node, NULL) : NULL;

	if (text == NULL)
		return false;
	if (!number_parse(text, 0, max, out, r->err))
		return located(r, node, NULL);
	return true;
}

static bool child_u32(struct reading *r, const struct xml_node *parent,
	const char *name, uint32_t *out)
{
	int64_t value;

	if (!child_number(r, parent, name, UINT32_MAX, &value))
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool child_u16(struct reading *r, const struct xml_node *parent,
	const char *name, uint16_t *out)
{
	int64_t value;

	if (!child_number(r, parent, name, UINT16_MAX, &value))
		return false;
	*out = (uint16_t)value;
	return true;
}

static bool child_u8(struct reading *r, const struct xml_node *parent,
	const char *name, uint8_t *out)
{
	int64_t value;

	if (!child_number(r, parent, name, UINT8_MAX, &value))
		return false;
	*out = (uint8_t)value;
	return true;
}

/* A signer of the past wrote a blank for the T in its responses. */
static void allow_blank(const struct reading *r, char *text)
{
	if (r->kind == KSR_RESPONSE && strlen(text) > 10 && text[10] == ' ')
		text[10] = 'T';
}

static bool child_time(struct reading *r, const struct xml_node *parent,
	const char *name, int64_t *out)
{
	const struct xml_node *node = need(r, parent, name);
	char *text = node != NULL ? value_text(r, node, NULL) : NULL;
	int64_t t;

	if (text == NULL)
		return false;
	allow_blank(r, text);
	if (!time_parse(text, &t, r->err))
		return located(r, node, NULL);
	if (t > DNS_TIME_MAX) {
		err_set(r->err, ERR_INPUT,
			"\"%s\" is later than an RRSIG can say (2106)", text);
		return located(r, node, NULL);
	}
	*out = t;
	return true;
}

static bool child_duration(struct reading *r, const struct xml_node *parent,
	const char *name, int64_t *out)
{
	const struct xml_node *node = need(r, parent, name);
	const char *text = node != NULL ? value_text(r, node, NULL) : NULL;

	if (text == NULL)
		return false;
	if (!time_duration_parse(text, out, r->err))
		return located(r, node, NULL);
	return true;
}

static bool child_material(struct reading *r, const struct xml_node *parent,
	const char *name, struct buf *out)
{
	const struct xml_node *node = need(r, parent, name);
	const char *text = node != NULL ? value_text(r, node, NULL) : NULL;
	int max = experiment_is_on() ? MATERIAL_MAX_EXPERIMENT : MATERIAL_MAX;

	if (text == NULL)
		return false;
	if (!base64_decode(text, out, r->err))
		return located(r, node, NULL);
	if (out->len == 0 || out->len > (size_t)max) {
		err_set(r->err, ERR_INPUT, "%zu bytes, expected 1 to %d",
			out->len, max);
		return located(r, node, NULL);
	}
	return true;
}

/* A text that people will read: it cannot look like anything else. */
static bool take_name(struct reading *r, const struct xml_node *node,
	const char *attribute, const char *text, char **out)
{
	if (text == NULL)
		return err_nomem(r->err);
	if (!text_is_name(text, strlen(text))) {
		err_set(r->err, ERR_INPUT,
			"\"%.40s\"%s, expected 1 to %d characters of printable ASCII, no blank at either end and no two together",
			text, strlen(text) > 40 ? " and more" : "",
			TEXT_NAME_MAX);
		return located(r, node, attribute);
	}
	*out = text_copy(text, r->err);
	return *out != NULL;
}

static bool child_text(struct reading *r, const struct xml_node *parent,
	const char *name, char **out)
{
	const struct xml_node *node = need(r, parent, name);
	const char *text = node != NULL ? value_text(r, node, NULL) : NULL;

	return text != NULL && take_name(r, node, NULL, text, out);
}

/* Identifiers are taken as they are, blanks included. */
static bool attribute_text(struct reading *r, const struct xml_node *node,
	const char *name, char **out)
{
	return xml_attribute(node, name, &r->text, r->err) &&
	       take_name(r, node, name, buf_string(&r->text), out);
}

/* That a request's is not empty is for KSR-ID to say. */
static bool document_id(
	struct reading *r, const struct xml_node *root, char **out)
{
	if (!xml_attribute(root, "id", &r->text, r->err))
		return false;
	if (r->text.len > 0 || r->kind == KSR_RESPONSE)
		return take_name(r, root, "id", buf_string(&r->text), out);
	*out = text_copy("", r->err);
	return *out != NULL;
}

static bool read_timestamp(
	struct reading *r, const struct xml_node *body, char **out)
{
	struct err absent = ERR_EMPTY;
	char *text;
	int64_t ignored;

	if (!xml_attribute(body, "timestamp", &r->text, &absent))
		return true;
	text = value_text(r, body, "timestamp");
	if (text == NULL)
		return false;
	allow_blank(r, text);
	if (!time_parse(text, &ignored, r->err))
		return located(r, body, "timestamp");
	*out = text_copy(text, r->err);
	return *out != NULL;
}

static bool read_algorithm(struct reading *r, const struct xml_node *node,
	struct ksr_algorithm *out)
{
	static const struct {
		const char *name;
		enum ksr_family family;
	} kinds[] = {
		{"RSA", KSR_RSA}, {"ECDSA", KSR_ECDSA}, {"EdDSA", KSR_EDDSA}};
	const struct xml_node *kind = NULL;
	int64_t number, size, exponent = 0;

	for (size_t i = 0; kind == NULL && i < 3; i++) {
		kind = xml_child(node, kinds[i].name);
		out->family = kinds[i].family;
	}
	if (kind == NULL) {
		err_set(r->err, ERR_INPUT, "without RSA, ECDSA or EdDSA in it");
		return located(r, node, NULL);
	}
	if (!attribute_number(r, node, "algorithm", 0, UINT8_MAX, &number) ||
		!attribute_number(r, kind, "size", 0, UINT16_MAX, &size))
		return false;
	if (out->family == KSR_RSA &&
		!attribute_number(r, kind, "exponent", 0, INT64_MAX, &exponent))
		return false;
	out->algorithm = (uint8_t)number;
	out->size = (uint32_t)size;
	out->exponent = (uint64_t)exponent;
	return true;
}

static bool read_policy(
	struct reading *r, const struct xml_node *node, struct ksr_policy *out)
{
	const struct xml_node *entry;

	if (!child_duration(r, node, "PublishSafety", &out->publish_safety) ||
		!child_duration(r, node, "RetireSafety", &out->retire_safety) ||
		!child_duration(r, node, "MaxSignatureValidity",
			&out->max_signature_validity) ||
		!child_duration(r, node, "MinSignatureValidity",
			&out->min_signature_validity) ||
		!child_duration(r, node, "MaxValidityOverlap",
			&out->max_validity_overlap) ||
		!child_duration(r, node, "MinValidityOverlap",
			&out->min_validity_overlap))
		return false;
	entry = need(r, node, "SignatureAlgorithm");
	if (entry == NULL)
		return false;
	for (; entry != NULL; entry = xml_next(entry)) {
		struct ksr_algorithm *algorithm = array_grow(&out->algorithms,
			&out->algorithm_count, sizeof(*algorithm), r->err);

		if (algorithm == NULL || !read_algorithm(r, entry, algorithm))
			return false;
	}
	return true;
}

static bool read_key(
	struct reading *r, const struct xml_node *node, struct ksr_key *out)
{
	int64_t tag;

	out->line = xml_line(node);
	if (!attribute_text(r, node, "keyIdentifier", &out->identifier) ||
		!attribute_number(r, node, "keyTag", 0, UINT16_MAX, &tag))
		return false;
	out->tag = (uint16_t)tag;
	return child_u32(r, node, "TTL", &out->ttl) &&
	       child_u16(r, node, "Flags", &out->dnskey.flags) &&
	       child_u8(r, node, "Protocol", &out->dnskey.protocol) &&
	       child_u8(r, node, "Algorithm", &out->dnskey.algorithm) &&
	       child_material(r, node, "PublicKey", &out->dnskey.public_key);
}

static bool read_signature(struct reading *r, const struct xml_node *node,
	struct ksr_signature *out)
{
	out->line = xml_line(node);
	return attribute_text(r, node, "keyIdentifier", &out->identifier) &&
	       child_u32(r, node, "TTL", &out->ttl) &&
	       child_text(r, node, "TypeCovered", &out->type_covered) &&
	       child_u8(r, node, "Algorithm", &out->algorithm) &&
	       child_u8(r, node, "Labels", &out->labels) &&
	       child_u32(r, node, "OriginalTTL", &out->original_ttl) &&
	       child_time(r, node, "SignatureExpiration", &out->expiration) &&
	       child_time(r, node, "SignatureInception", &out->inception) &&
	       child_u16(r, node, "KeyTag", &out->key_tag) &&
	       child_text(r, node, "SignersName", &out->signers_name) &&
	       child_material(r, node, "SignatureData", &out->signature);
}

static bool read_bundle_keys(
	struct reading *r, const struct xml_node *node, struct ksr_bundle *out)
{
	const struct xml_node *entry;

	for (entry = xml_child(node, "Signer"); entry != NULL;
		entry = xml_next(entry)) {
		char **signer = array_grow(&out->signers, &out->signer_count,
			sizeof(*signer), r->err);

		if (signer == NULL ||
			!attribute_text(r, entry, "keyIdentifier", signer))
			return false;
	}
	for (entry = xml_child(node, "Key"); entry != NULL;
		entry = xml_next(entry)) {
		struct ksr_key *key = array_grow(
			&out->keys, &out->key_count, sizeof(*key), r->err);

		if (key == NULL || !read_key(r, entry, key))
			return false;
	}
	return true;
}

/*
 * The keys of a bundle are one RRset, and that is what each of its signatures
 * covers: more than a DNS message can hold is of no use to anybody.
 */
static bool fits_a_message(struct reading *r, const struct xml_node *node,
	const struct ksr_bundle *bundle)
{
	size_t size = 0;

	for (size_t k = 0; k < bundle->key_count; k++)
		size += RECORD_OVERHEAD + bundle->keys[k].dnskey.public_key.len;
	if (size <= UINT16_MAX)
		return true;
	err_set(r->err, ERR_INPUT,
		"%zu keys of %zu bytes, more than the %d of a DNS message",
		bundle->key_count, size, UINT16_MAX);
	return located(r, node, NULL);
}

static bool read_bundle(
	struct reading *r, const struct xml_node *node, struct ksr_bundle *out)
{
	const struct xml_node *entry;

	out->line = xml_line(node);
	if (!attribute_text(r, node, "id", &out->id) ||
		!child_time(r, node, "Inception", &out->inception) ||
		!child_time(r, node, "Expiration", &out->expiration) ||
		!read_bundle_keys(r, node, out))
		return false;
	for (entry = xml_child(node, "Signature"); entry != NULL;
		entry = xml_next(entry)) {
		struct ksr_signature *signature = array_grow(&out->signatures,
			&out->signature_count, sizeof(*signature), r->err);

		if (signature == NULL || !read_signature(r, entry, signature))
			return false;
	}
	return fits_a_message(r, node, out);
}

static bool read_bundles(struct reading *r, const struct xml_node *node,
	const char *name, struct ksr *out)
{
	const struct xml_node *entry = need(r, node, name);
	int64_t last = INT64_MIN;

	if (entry == NULL)
		return false;
	for (; entry != NULL; entry = xml_next(entry)) {
		struct ksr_bundle *bundle = array_grow(&out->bundles,
			&out->bundle_count, sizeof(*bundle), r->err);

		if (bundle == NULL)
			return false;
		if (!read_bundle(r, entry, bundle))
			return bundle->id == NULL
				       ? false
				       : err_prefix(r->err, "bundle %.80s",
						 bundle->id);
		out->reordered |= bundle->inception < last;
		last = bundle->inception;
	}
	return true;
}

static bool read_policies(struct reading *r, const struct xml_node *body,
	const char *name, struct ksr *out)
{
	const struct xml_node *node = need(r, body, name);
	const struct xml_node *ksk, *zsk;

	if (node == NULL)
		return false;
	if (r->kind == KSR_RESPONSE) {
		ksk = need(r, node, "KSK");
		if (ksk == NULL || !read_policy(r, ksk, &out->ksk))
			return false;
	}
	zsk = need(r, node, "ZSK");
	return zsk != NULL && read_policy(r, zsk, &out->zsk);
}

static bool read_document(
	struct reading *r, const struct xml_node *root, struct ksr *out)
{
	bool response = r->kind == KSR_RESPONSE;
	const char *name = response ? "Response" : "Request";
	const struct xml_node *body = xml_child(root, name);

	if (body == NULL)
		return err_set(r->err, ERR_INPUT, "a %s, expected a %s",
			response ? "request" : "response",
			response ? "response" : "request");
	if (!document_id(r, root, &out->id) ||
		!attribute_text(r, root, "domain", &out->domain) ||
		!attribute_number(
			r, root, "serial", INT64_MIN, INT64_MAX, &out->serial))
		return false;
	return read_timestamp(r, body, &out->timestamp) &&
	       read_policies(r, body,
		       response ? "ResponsePolicy" : "RequestPolicy", out) &&
	       read_bundles(r, body,
		       response ? "ResponseBundle" : "RequestBundle", out);
}

bool ksr_read(const struct xml_schema *schema, const void *data, size_t len,
	enum ksr_kind kind, struct ksr **out, struct err *err)
{
	struct reading reading = {.kind = kind, .err = err};
	struct xml_doc *doc = NULL;
	struct ksr *ksr = NULL;
	bool ok = false;

	ksr = calloc(1, sizeof(*ksr));
	if (ksr == NULL) {
		err_nomem(err);
		goto done;
	}
	ksr->kind = kind;
	if (!xml_read(schema, data, len, &doc, err))
		goto done;
	if (!read_document(&reading, xml_root(doc), ksr))
		goto done;
	if (!ksr_sort(ksr, err))
		goto done;
	*out = ksr;
	ksr = NULL;
	ok = true;
done:
	ksr_free(ksr);
	xml_doc_free(doc);
	buf_free(&reading.text);
	return ok;
}
