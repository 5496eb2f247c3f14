/* SPDX-License-Identifier: ISC */
/* The trust anchor file, read again: does it say what it was meant to say? */
#include "signer/keymaster/anchor.h"

#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/number.h"
#include "lib/base/time.h"
#include "lib/dns/ds.h"
#include "lib/xml/xml.h"

#include <inttypes.h>
#include <string.h>

struct reading {
	struct buf text, bytes;
	struct err *err;
};

static bool differs(
	struct reading *r, const struct xml_node *node, const char *what)
{
	return err_set(r->err, ERR_OUTPUT,
		"line %lu: %s is not what was to be written", xml_line(node),
		what);
}

static bool has_text(struct reading *r, const struct xml_node *node,
	const char *name, const char *meant)
{
	const struct xml_node *child = xml_child(node, name);

	if (child == NULL || !xml_text(child, &r->text, r->err) ||
		strcmp(buf_string(&r->text), meant) != 0)
		return differs(r, node, name);
	return true;
}

static bool has_number(struct reading *r, const struct xml_node *node,
	const char *name, int64_t meant)
{
	const struct xml_node *child = xml_child(node, name);
	int64_t found = -1;

	if (child == NULL || !xml_text(child, &r->text, r->err) ||
		!number_parse(
			buf_string(&r->text), 0, UINT16_MAX, &found, r->err) ||
		found != meant)
		return differs(r, node, name);
	return true;
}

/* bytes in the form that decode reads. */
static bool has_bytes(struct reading *r, const struct xml_node *node,
	const char *name, bool decode(const char *, struct buf *, struct err *),
	const void *meant, size_t len)
{
	const struct xml_node *child = xml_child(node, name);

	buf_clear(&r->bytes);
	if (child == NULL || !xml_text(child, &r->text, r->err) ||
		!decode(buf_string(&r->text), &r->bytes, r->err) ||
		r->bytes.len != len || memcmp(r->bytes.data, meant, len) != 0)
		return differs(r, node, name);
	return true;
}

/* meant NULL: the attribute is not to be there. */
static bool has_attribute(struct reading *r, const struct xml_node *node,
	const char *name, const char *meant)
{
	struct err ignored = ERR_EMPTY;
	bool there = xml_attribute(node, name, &r->text, &ignored);

	if (there != (meant != NULL) ||
		(there && strcmp(buf_string(&r->text), meant) != 0))
		return differs(r, node, name);
	return true;
}

static bool has_time(struct reading *r, const struct xml_node *node,
	const char *name, int64_t meant)
{
	int64_t found = -1;

	if (meant == CONFIG_TIME_NEVER)
		return has_attribute(r, node, name, NULL);
	if (!xml_attribute(node, name, &r->text, r->err) ||
		!time_parse(buf_string(&r->text), &found, r->err) ||
		found != meant)
		return differs(r, node, name);
	return true;
}

static bool has_public(struct reading *r, const struct xml_node *node,
	const struct anchor_key *meant, bool old_form)
{
	if (!meant->has_public || old_form)
		return (xml_child(node, "PublicKey") == NULL &&
			       xml_child(node, "Flags") == NULL) ||
		       differs(r, node, "PublicKey");
	return has_bytes(r, node, "PublicKey", base64_decode,
		       meant->dnskey.public_key.data,
		       meant->dnskey.public_key.len) &&
	       has_number(r, node, "Flags", DNSKEY_FLAGS_KSK);
}

static bool has_key(struct reading *r, const struct xml_node *node,
	const struct anchor_key *meant, bool old_form)
{
	const struct config_key *config = meant->config;

	return has_attribute(r, node, "id", config->label) &&
	       has_time(r, node, "validFrom", config->valid_from) &&
	       has_time(r, node, "validUntil", config->valid_until) &&
	       has_number(r, node, "KeyTag", meant->tag) &&
	       has_number(r, node, "Algorithm", config->algorithm) &&
	       has_number(r, node, "DigestType", DS_SHA256) &&
	       has_bytes(r, node, "Digest", hex_decode, meant->digest,
		       sizeof(meant->digest)) &&
	       has_public(r, node, meant, old_form);
}

static bool has_all(struct reading *r, const struct xml_node *root,
	const struct anchor_file *meant)
{
	const struct xml_node *node = xml_child(root, "KeyDigest");

	if (!has_attribute(r, root, "id", meant->id) ||
		!has_attribute(r, root, "source", meant->source) ||
		!has_text(r, root, "Zone", meant->zone))
		return false;
	for (size_t i = 0; i < meant->key_count; i++) {
		if (node == NULL)
			return differs(r, root, "the number of keys");
		if (!has_key(r, node, &meant->keys[i], meant->old_form))
			return false;
		node = xml_next(node);
	}
	return node == NULL || differs(r, node, "the number of keys");
}

bool anchor_check(
	const struct anchor_file *meant, const struct buf *xml, struct err *err)
{
	struct reading reading = {.err = err};
	struct xml_schema *schema = NULL;
	struct xml_doc *doc = NULL;
	bool ok;

	ok = xml_schema_new_anchor(&schema, err) &&
	     xml_read(schema, xml->data, xml->len, &doc, err) &&
	     has_all(&reading, xml_root(doc), meant);
	buf_free(&reading.text);
	buf_free(&reading.bytes);
	xml_doc_free(doc);
	xml_schema_free(schema);
	if (ok)
		return true;
	err->kind = ERR_OUTPUT;
	return err_prefix(err, "the trust anchor reads back wrong");
}
