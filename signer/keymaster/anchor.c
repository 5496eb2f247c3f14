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
	struct buf *out, const struct anchor_key *anchor, bool old_form)
{
	const struct config_key *key = anchor->config;

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
	const struct config *config, struct anchor_key *anchor, struct err *err)
{
	const struct config_key *key = anchor->config;
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
	const struct config *config, struct anchor_key *anchor, struct err *err)
{
	const struct config_key *key = anchor->config;

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
	struct anchor_key *anchor, struct err *err)
{
	struct identity found;

	if (!keys_compare(
		    config, anchor->config, key, &anchor->dnskey, &found, err))
		return false;
	if (found.count > 0)
		return err_set(err, ERR_REFUSED, "KSK-IDENTITY: key %s: %s",
			anchor->config->label, found.differences[0]);
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
	struct log *log, struct anchor_key *anchor, struct err *err)
{
	const struct config_key *key = anchor->config;
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
	const struct anchor_key *x = a, *y = b;

	if (x->config->valid_from != y->config->valid_from)
		return x->config->valid_from < y->config->valid_from ? -1 : 1;
	return (x->config > y->config) - (x->config < y->config);
}

static bool put_file(struct anchor_file *file, struct err *err)
{
	struct buf *out = &file->xml;

	buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_text(out, "<TrustAnchor");
	put_attribute(out, "id", file->id);
	put_attribute(out, "source", file->source);
	buf_text(out, ">\n    <Zone>");
	xml_write_text(out, file->zone);
	buf_text(out, "</Zone>\n");
	for (size_t i = 0; i < file->key_count; i++)
		put_anchor(out, &file->keys[i], file->old_form);
	buf_text(out, "</TrustAnchor>\n");
	return buf_ok(out, err);
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

void anchor_file_free(struct anchor_file *file)
{
	if (file == NULL)
		return;
	for (size_t i = 0; i < file->key_count; i++)
		dnskey_free(&file->keys[i].dnskey);
	free(file->keys);
	free(file->id);
	buf_free(&file->xml);
	free(file);
}

static bool take_id(struct anchor_file *file, const char *id, struct err *err)
{
	struct buf made = BUF_EMPTY;

	if (id != NULL || put_random_id(&made, err))
		file->id = text_copy(id != NULL ? id : buf_string(&made), err);
	buf_free(&made);
	return file->id != NULL;
}

static bool take_keys(struct anchor_file *file, const struct config *config,
	struct token_set *set, struct log *log, struct err *err)
{
	file->keys = calloc(config->key_count, sizeof(*file->keys));
	if (file->keys == NULL)
		return err_nomem(err);
	file->key_count = config->key_count;
	for (size_t i = 0; i < config->key_count; i++)
		file->keys[i].config = &config->keys[i];
	for (size_t i = 0; i < config->key_count; i++)
		if (!take_anchor(config, set, log, &file->keys[i], err))
			return false;
	qsort(file->keys, file->key_count, sizeof(*file->keys),
		compare_anchors);
	return true;
}

bool anchor_file_new(const struct config *config, struct token_set *set,
	const struct anchor_settings *settings, struct log *log,
	struct anchor_file **out, struct err *err)
{
	struct anchor_file *file;

	if (!check_settings(settings, err))
		return false;
	if (config->key_count == 0)
		return err_set(err, ERR_USAGE, "no keys in the configuration");
	file = calloc(1, sizeof(*file));
	if (file == NULL)
		return err_nomem(err);
	file->source = settings->source;
	file->zone = identity_zone(config);
	file->old_form = settings->old_form;
	if (!take_keys(file, config, set, log, err) ||
		!take_id(file, settings->id, err) || !put_file(file, err) ||
		!anchor_check(file, &file->xml, err)) {
		anchor_file_free(file);
		return false;
	}
	*out = file;
	return true;
}
