/* SPDX-License-Identifier: ISC */
#include "postcheck/anchor.h"

#include "lib/base/array.h"
#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/dns/ds.h"
#include "lib/ksr/ksr.h"
#include "lib/xml/xml.h"

#include <stdlib.h>
#include <string.h>

void second_anchor_free(struct second_anchor *anchor)
{
	if (anchor == NULL)
		return;
	for (size_t i = 0; i < anchor->count; i++) {
		free(anchor->keys[i].id);
		buf_free(&anchor->keys[i].digest);
		buf_free(&anchor->keys[i].public_key);
	}
	free(anchor->keys);
	free(anchor->zone);
	free(anchor);
}

/* What is carried through the reading. */
struct reading {
	struct buf text;
	struct err *err;
};

/* The element's text without blanks around it, borrowed; or NULL. */
static const char *child_text(
	struct reading *r, const struct xml_node *parent, const char *name)
{
	static const char blanks[] = " \t\r\n";
	const struct xml_node *node = xml_child(parent, name);
	const char *text;

	/* The schema made sure of it. */
	if (node == NULL || !xml_text(node, &r->text, r->err))
		return NULL;
	while (r->text.len > 0 &&
		strchr(blanks, r->text.data[r->text.len - 1]) != NULL)
		r->text.len--;
	text = buf_string(&r->text);
	return text + strspn(text, blanks);
}

static bool child_number(struct reading *r, const struct xml_node *parent,
	const char *name, int64_t max, int64_t *out)
{
	const char *text = child_text(r, parent, name);

	if (text == NULL)
		return false;
	if (number_parse(text, 0, max, out, r->err))
		return true;
	return err_prefix(r->err, "line %lu: %s", xml_line(parent), name);
}

static bool attribute_time(struct reading *r, const struct xml_node *node,
	const char *name, int64_t *out)
{
	if (!xml_attribute(node, name, &r->text, r->err))
		return false;
	if (time_parse(buf_string(&r->text), out, r->err))
		return true;
	return err_prefix(r->err, "line %lu: %s", xml_line(node), name);
}

static bool read_material(struct reading *r, const struct xml_node *node,
	struct second_anchor_key *out)
{
	const char *text = child_text(r, node, "Digest");

	if (text == NULL || !hex_decode(text, &out->digest, r->err))
		return err_prefix(r->err, "line %lu: Digest", xml_line(node));
	if (xml_child(node, "PublicKey") == NULL)
		return true;
	text = child_text(r, node, "PublicKey");
	if (text == NULL || !base64_decode(text, &out->public_key, r->err))
		return err_prefix(
			r->err, "line %lu: PublicKey", xml_line(node));
	return true;
}

static bool read_key(struct reading *r, const struct xml_node *node,
	struct second_anchor_key *out)
{
	int64_t tag, algorithm, type, flags = DNSKEY_FLAGS_KSK;
	struct err none = ERR_EMPTY;

	if (!xml_attribute(node, "id", &r->text, r->err))
		return false;
	out->id = text_copy(buf_string(&r->text), r->err);
	if (out->id == NULL ||
		!attribute_time(r, node, "validFrom", &out->valid_from) ||
		!child_number(r, node, "KeyTag", UINT16_MAX, &tag) ||
		!child_number(r, node, "Algorithm", UINT8_MAX, &algorithm) ||
		!child_number(r, node, "DigestType", UINT8_MAX, &type) ||
		!read_material(r, node, out))
		return false;
	if (xml_child(node, "Flags") != NULL &&
		!child_number(r, node, "Flags", UINT16_MAX, &flags))
		return false;
	out->flags = (uint16_t)flags;
	out->tag = (uint16_t)tag;
	out->algorithm = (uint8_t)algorithm;
	out->digest_type = (uint8_t)type;
	out->valid_until = INT64_MAX;
	if (!xml_attribute(node, "validUntil", &r->text, &none))
		return true;
	return attribute_time(r, node, "validUntil", &out->valid_until);
}

static bool read_keys(struct reading *r, const struct xml_node *root,
	struct second_anchor *out)
{
	const struct xml_node *node = xml_child(root, "KeyDigest");
	const char *zone = child_text(r, root, "Zone");

	if (zone == NULL)
		return false;
	out->zone = text_copy(zone, r->err);
	if (out->zone == NULL)
		return false;
	for (; node != NULL; node = xml_next(node)) {
		struct second_anchor_key *key = array_grow(
			&out->keys, &out->count, sizeof(*key), r->err);

		if (key == NULL || !read_key(r, node, key))
			return false;
	}
	return true;
}

bool second_anchor_read(
	const struct buf *bytes, struct second_anchor **out, struct err *err)
{
	struct reading reading = {.err = err};
	struct second_anchor *anchor = calloc(1, sizeof(*anchor));
	struct xml_schema *schema = NULL;
	struct xml_doc *doc = NULL;
	bool ok = false;

	if (anchor == NULL)
		return err_nomem(err);
	if (!xml_schema_new_anchor(&schema, err) ||
		!xml_read(schema, bytes->data, bytes->len, &doc, err) ||
		!read_keys(&reading, xml_root(doc), anchor))
		goto done;
	*out = anchor;
	anchor = NULL;
	ok = true;
done:
	buf_free(&reading.text);
	xml_doc_free(doc);
	xml_schema_free(schema);
	second_anchor_free(anchor);
	return ok;
}

const struct second_anchor_key *second_anchor_by_id(
	const struct second_anchor *anchor, const char *id)
{
	for (size_t i = 0; i < anchor->count; i++)
		if (strcmp(anchor->keys[i].id, id) == 0)
			return &anchor->keys[i];
	return NULL;
}

bool second_anchor_vouches(const struct second_anchor_key *entry)
{
	return entry->flags == DNSKEY_FLAGS_KSK;
}

bool second_anchor_agrees(const struct second_anchor_key *entry,
	const struct buf *owner, bool *out, struct err *err)
{
	const struct dnskey dnskey = {.flags = DNSKEY_FLAGS_KSK,
		.protocol = DNSKEY_PROTOCOL,
		.algorithm = entry->algorithm,
		.public_key = entry->public_key};
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len;

	*out = true;
	if (entry->public_key.len == 0)
		return true;
	*out = entry->tag == dnskey_tag(&dnskey);
	if (entry->digest_type != DS_SHA256 && entry->digest_type != DS_SHA384)
		return true;
	if (!crypto_ds(&dnskey, owner, entry->digest_type, digest, &len, err))
		return false;
	*out = *out && entry->digest.len == len &&
	       memcmp(entry->digest.data, digest, len) == 0;
	return true;
}

void second_anchor_ask(const struct dnskey *dnskey, const struct buf *owner,
	struct second_anchor_asked *out)
{
	*out = (struct second_anchor_asked){.plain = *dnskey, .owner = owner};
	out->plain.flags = DNSKEY_FLAGS_KSK;
	out->tag = dnskey_tag(&out->plain);
}

bool second_anchor_is(const struct second_anchor_key *entry,
	struct second_anchor_asked *asked, bool *out, struct err *err)
{
	struct second_anchor_digest *digest = entry->digest_type == DS_SHA384
						      ? &asked->sha384
						      : &asked->sha256;

	*out = false;
	if (!second_anchor_vouches(entry))
		return true;
	if (entry->digest_type != DS_SHA256 && entry->digest_type != DS_SHA384)
		return true;
	if (entry->algorithm != asked->plain.algorithm ||
		entry->tag != asked->tag)
		return true;
	if (digest->len == 0 &&
		!crypto_ds(&asked->plain, asked->owner, entry->digest_type,
			digest->bytes, &digest->len, err))
		return false;
	*out = entry->digest.len == digest->len &&
	       memcmp(entry->digest.data, digest->bytes, digest->len) == 0 &&
	       (entry->public_key.len == 0 ||
		       buf_equal(&entry->public_key, &asked->plain.public_key));
	return true;
}

bool second_anchor_has(const struct second_anchor *anchor,
	const struct dnskey *dnskey, const struct buf *owner, bool *out,
	struct err *err)
{
	struct second_anchor_asked asked;

	*out = false;
	second_anchor_ask(dnskey, owner, &asked);
	for (size_t i = 0; anchor != NULL && !*out && i < anchor->count; i++)
		if (!second_anchor_is(&anchor->keys[i], &asked, out, err))
			return false;
	return true;
}
