/* SPDX-License-Identifier: ISC */
#include "signer/keymaster/anchor.h"

#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/ds.h"
#include "lib/dns/name.h"
#include "lib/hash/sha256.h"
#include "lib/xml/xml.h"
#include "signer/keymaster/run.h"

#include <stdlib.h>
#include <string.h>

/* One KeyDigest to be. */
struct anchor {
	const struct config_key *key;
	bool has_public;      /* from HSM or configuration; else no dnskey */
	struct dnskey dnskey; /* flags 257 */
	uint16_t tag;
	uint8_t digest[SHA256_LEN];
};

/* A UUID of random bits (RFC 9562 §5.4), in capitals as the root has it. */
static bool put_random_id(struct buf *out, struct err *err)
{
	static const size_t groups[] = {4, 2, 2, 2, 6};
	uint8_t bytes[16];
	size_t at = 0;

	if (!crypto_random(bytes, sizeof(bytes), err))
		return false;
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		if (i > 0)
			buf_u8(out, '-');
		hex_encode_upper(out, bytes + at, groups[i]);
		at += groups[i];
	}
	return true;
}

static void put_attribute(struct buf *out, const char *name, const char *value)
{
	buf_format(out, " %s=\"", name);
	xml_write_text(out, value);
	buf_u8(out, '"');
}

static void put_time(struct buf *out, const char *name, int64_t time)
{
	char text[TIME_TEXT_MAX];

	time_format(time, TIME_OFFSET, text);
	put_attribute(out, name, text);
}

static void put_anchor(
	struct buf *out, const struct anchor *anchor, bool old_form)
{
	const struct config_key *key = anchor->key;

	buf_text(out, "    <KeyDigest");
	put_attribute(out, "id", key->label);
	put_time(out, "validFrom", key->valid_from);
	if (key->valid_until != CONFIG_TIME_NEVER)
		put_time(out, "validUntil", key->valid_until);
	buf_text(out, ">\n");
	buf_format(out, "        <KeyTag>%u</KeyTag>\n", anchor->tag);
	buf_format(out, "        <Algorithm>%u</Algorithm>\n", key->algorithm);
	buf_format(out, "        <DigestType>%d</DigestType>\n", DS_SHA256);
	buf_text(out, "        <Digest>");
	hex_encode_upper(out, anchor->digest, sizeof(anchor->digest));
	buf_text(out, "</Digest>\n");
	if (anchor->has_public && !old_form) {
		buf_text(out, "        <PublicKey>");
		base64_encode(out, anchor->dnskey.public_key.data,
			anchor->dnskey.public_key.len);
		buf_text(out, "</PublicKey>\n");
		buf_format(out, "        <Flags>%u</Flags>\n",
			anchor->dnskey.flags);
	}
	buf_text(out, "    </KeyDigest>\n");
}

/* The configured public key, which must have the configured tag and DS. */
static bool take_public(
	const struct config *config, struct anchor *anchor, struct err *err)
{
	const struct config_key *key = anchor->key;
	const struct dnskey dnskey = {.flags = DNSKEY_FLAGS_KSK,
		.protocol = DNSKEY_PROTOCOL,
		.algorithm = key->algorithm,
		.public_key = key->public_key};
	struct identity found;

	if (!identity_compare(key, &dnskey, identity_zone(config), &found, err))
		return false;
	if (found.count > 0)
		return err_set(err, ERR_REFUSED,
			"KSK-IDENTITY: public_key of keys.%s: %s", key->name,
			found.differences[0]);
	anchor->has_public = true;
	return dnskey_copy(&dnskey, &anchor->dnskey, err);
}

/* A key of the past, which only its configuration knows. */
static bool take_configured(
	const struct config *config, struct anchor *anchor, struct err *err)
{
	const struct config_key *key = anchor->key;

	if (key->valid_until > time_now() || !key->has_key_tag ||
		!key->has_ds_sha256)
		return err_set(err, ERR_HSM,
			"no key is labelled %s (keys.%s); one of the past is written without it where valid_until, which has passed, key_tag and ds_sha256 are configured",
			key->label, key->name);
	anchor->tag = key->key_tag;
	memcpy(anchor->digest, key->ds_sha256, sizeof(anchor->digest));
	return key->public_key.len == 0 || take_public(config, anchor, err);
}

static bool take_found(const struct config *config, const struct token_key *key,
	struct anchor *anchor, struct err *err)
{
	struct identity found;

	if (!keys_compare(
		    config, anchor->key, key, &anchor->dnskey, &found, err))
		return false;
	if (found.count > 0)
		return err_set(err, ERR_REFUSED, "KSK-IDENTITY: key %s: %s",
			anchor->key->label, found.differences[0]);
	anchor->has_public = true;
	anchor->tag = dnskey_tag(&anchor->dnskey);
	memcpy(anchor->digest, found.ds, sizeof(found.ds));
	return true;
}

/*
 * A public key can be put into a token without a PIN: what nobody configured
 * is an anchor only where the token signs with it.
 */
static bool prove(const struct config_key *key, const struct token_key *found,
	struct err *err)
{
	static const char hint[] =
		"configure its ds_sha256, or have the private key in the token";

	if (!found->has_private)
		return err_set(err, ERR_REFUSED,
			"KSK-IDENTITY: key %s has no private half to prove itself with: %s",
			key->label, hint);
	return keys_prove(found, key->algorithm, err) ||
	       err_prefix(err, "KSK-IDENTITY: key %s", key->label);
}

static bool take_anchor(const struct config *config, struct token_set *set,
	struct log *log, struct anchor *anchor, struct err *err)
{
	const struct config_key *key = anchor->key;
	const struct token_key *found = NULL;

	if (!token_set_find(set, key->label, &found, err))
		return false;
	if (found == NULL) {
		if (!take_configured(config, anchor, err))
			return false;
		log_warn(log, "key %s is not in the HSM: written as configured",
			key->label);
		if (!anchor->has_public)
			log_warn(log,
				"key %s: no public_key is configured, so it is written without",
				key->label);
		return true;
	}
	if (!take_found(config, found, anchor, err) ||
		(!key->has_ds_sha256 && !prove(key, found, err)))
		return false;
	if (!key->has_ds_sha256)
		log_warn(log,
			"KSK-IDENTITY: key %s: no ds_sha256 is configured; it has proven itself with a signature",
			key->label);
	return true;
}

/* By valid_from, then as they stand in the configuration. */
static int compare_anchors(const void *a, const void *b)
{
	const struct anchor *x = a, *y = b;

	if (x->key->valid_from != y->key->valid_from)
		return x->key->valid_from < y->key->valid_from ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

static bool put_file(const struct config *config, const struct anchor *anchors,
	const struct anchor_settings *settings, struct buf *out,
	struct err *err)
{
	struct buf id = BUF_EMPTY;

	if (settings->id != NULL)
		buf_text(&id, settings->id);
	else if (!put_random_id(&id, err))
		return false;
	buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_text(out, "<TrustAnchor");
	put_attribute(out, "id", buf_string(&id));
	put_attribute(out, "source", settings->source);
	buf_text(out, ">\n    <Zone>");
	xml_write_text(out, identity_zone(config));
	buf_text(out, "</Zone>\n");
	for (size_t i = 0; i < config->key_count; i++)
		put_anchor(out, &anchors[i], settings->old_form);
	buf_text(out, "</TrustAnchor>\n");
	buf_free(&id);
	return buf_ok(out, err);
}

/* What a reader of the file will make of it, or it is not written. */
static bool read_back(const struct buf *xml, struct err *err)
{
	struct xml_schema *schema = NULL;
	struct xml_doc *doc = NULL;
	bool ok;

	ok = xml_schema_new_anchor(&schema, err) &&
	     xml_read(schema, xml->data, xml->len, &doc, err);
	xml_doc_free(doc);
	xml_schema_free(schema);
	return ok || err_prefix(err, "the trust anchor reads back wrong");
}

static bool check_settings(
	const struct anchor_settings *settings, struct err *err)
{
	const char *const texts[][2] = {
		{"id", settings->id}, {"source", settings->source}};

	for (size_t i = 0; i < 2; i++)
		if (texts[i][1] != NULL &&
			!text_is_name(texts[i][1], strlen(texts[i][1])))
			return err_set(err, ERR_USAGE,
				"--%s: expected 1 to %d characters of printable ASCII, no blank at either end and no two together",
				texts[i][0], TEXT_NAME_MAX);
	return true;
}

bool anchor_write(const struct config *config, struct token_set *set,
	const struct anchor_settings *settings, struct log *log,
	struct buf *out, struct err *err)
{
	struct anchor *anchors;
	bool ok = true;

	if (!check_settings(settings, err))
		return false;
	if (config->key_count == 0)
		return err_set(err, ERR_USAGE, "no keys in the configuration");
	anchors = calloc(config->key_count, sizeof(*anchors));
	if (anchors == NULL)
		return err_nomem(err);
	for (size_t i = 0; ok && i < config->key_count; i++) {
		anchors[i].key = &config->keys[i];
		ok = take_anchor(config, set, log, &anchors[i], err);
	}
	if (ok) {
		qsort(anchors, config->key_count, sizeof(*anchors),
			compare_anchors);
		ok = put_file(config, anchors, settings, out, err) &&
		     read_back(out, err);
	}
	for (size_t i = 0; i < config->key_count; i++)
		dnskey_free(&anchors[i].dnskey);
	free(anchors);
	return ok;
}
