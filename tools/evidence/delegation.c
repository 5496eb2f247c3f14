/* SPDX-License-Identifier: ISC */
#include "tools/evidence/delegation.h"

#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/number.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/ds.h"
#include "lib/dns/name.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELDS 6 /* zone, IN, DS, tag, algorithm, type; the digest follows */
#define BLANKS " \t"

struct ds {
	char *zone, *class, *type;
	int64_t tag, algorithm, digest_type;
	struct buf digest;
};

static bool read_number(const char *text, int64_t most, int64_t *out)
{
	struct err discarded = ERR_EMPTY;

	return number_parse(text, 0, most, out, &discarded);
}

/* The words of text, which is changed; out borrows from it. */
static bool read_ds(char *text, struct ds *out)
{
	char *fields[FIELDS], *rest = NULL, *word;
	struct err discarded = ERR_EMPTY;
	struct buf digits = BUF_EMPTY;
	bool ok;

	for (size_t i = 0; i < FIELDS; i++) {
		fields[i] = strtok_r(i == 0 ? text : NULL, BLANKS, &rest);
		if (fields[i] == NULL)
			return false;
	}
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL)
		buf_text(&digits, word);
	out->zone = fields[0];
	out->class = fields[1];
	out->type = fields[2];
	ok = read_number(fields[3], UINT16_MAX, &out->tag) &&
	     read_number(fields[4], UINT8_MAX, &out->algorithm) &&
	     read_number(fields[5], UINT8_MAX, &out->digest_type) &&
	     hex_decode(buf_string(&digits), &out->digest, &discarded);
	buf_free(&digits);
	return ok && strcasecmp(out->class, "IN") == 0 &&
	       strcasecmp(out->type, "DS") == 0;
}

static bool digest_of(const struct dnskey *key, const char *zone, int type,
	struct buf *out, struct err *err)
{
	struct buf owner = BUF_EMPTY;
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len;
	bool ok = name_wire(zone, &owner, err) &&
		  crypto_ds(key, &owner, type, digest, &len, err);

	if (ok)
		buf_bytes(out, digest, len);
	buf_free(&owner);
	return ok && buf_ok(out, err);
}

static const char *compare(const struct dnskey *key, const struct ds *ds)
{
	struct err discarded = ERR_EMPTY;
	struct buf digest = BUF_EMPTY;
	bool same;

	if (ds->tag != dnskey_tag(key))
		return "NOT this key's: the key tag is another";
	if (ds->algorithm != key->algorithm)
		return "NOT this key's: the algorithm is another";
	if (ds->digest_type != DS_SHA256 && ds->digest_type != DS_SHA384)
		return "NOT known to be this key's: its digest is neither SHA-256 nor SHA-384";
	if (!digest_of(
		    key, ds->zone, (int)ds->digest_type, &digest, &discarded))
		return "NOT this key's: its zone is no name of a zone";
	same = buf_equal(&digest, &ds->digest);
	buf_free(&digest);
	return same ? NULL : "NOT this key's: the digest is another";
}

/* A DS says which of RSA's algorithms its key has. */
static void choose_algorithm(const struct ds *ds, struct dnskey *key)
{
	bool rsa = key->algorithm == 8 || key->algorithm == 10;

	if (rsa && (ds->algorithm == 8 || ds->algorithm == 10))
		key->algorithm = (uint8_t)ds->algorithm;
}

const char *delegation_check(const struct dnskey *key, const struct buf *text)
{
	struct dnskey choice = *key; /* borrows */
	struct buf copy = BUF_EMPTY;
	struct ds ds = {.digest = BUF_EMPTY};
	const char *reason = "NOT known to be this key's: it is no DS record";
	bool is_text =
		text->len > 0 && memchr(text->data, '\0', text->len) == NULL;

	if (key->algorithm == 0)
		return "NOT this key's: no DNSSEC algorithm has such a key";
	buf_bytes(&copy, text->data, text->len);
	buf_u8(&copy, 0);
	if (is_text && !copy.failed && read_ds((char *)copy.data, &ds)) {
		choose_algorithm(&ds, &choice);
		reason = compare(&choice, &ds);
	}
	buf_free(&ds.digest);
	buf_free(&copy);
	return reason;
}

static void show_records(const struct dnskey *key, const char *zone,
	const struct buf *digest, struct buf *out)
{
	buf_format(out, "DNSKEY:     %s IN DNSKEY %u %u %u ", zone, key->flags,
		key->protocol, key->algorithm);
	base64_encode(out, key->public_key.data, key->public_key.len);
	buf_format(out, "\nKey tag:    %u\n", dnskey_tag(key));
	buf_format(out, "DS:         %s IN DS %u %u %d ", zone, dnskey_tag(key),
		key->algorithm, DS_SHA256);
	hex_encode_upper(out, digest->data, digest->len);
	buf_u8(out, '\n');
}

bool delegation_show(const struct dnskey *key, const struct buf *ds,
	size_t count, struct buf *out, struct err *err)
{
	struct dnskey choice = *key; /* borrows */
	struct buf copy = BUF_EMPTY, digest = BUF_EMPTY, wire = BUF_EMPTY;
	struct ds first = {.digest = BUF_EMPTY};
	struct err discarded = ERR_EMPTY;
	const char *zone = ".";
	bool ok;

	if (count > 0 && ds[0].len > 0) {
		buf_bytes(&copy, ds[0].data, ds[0].len);
		buf_u8(&copy, 0);
	}
	if (copy.len > 0 && !copy.failed &&
		read_ds((char *)copy.data, &first)) {
		choose_algorithm(&first, &choice);
		/* Only a name that can be one is shown as the owner. */
		if (name_wire(first.zone, &wire, &discarded))
			zone = first.zone;
	}
	ok = digest_of(&choice, zone, DS_SHA256, &digest, err);
	if (ok)
		show_records(&choice, zone, &digest, out);
	buf_free(&wire);
	buf_free(&first.digest);
	buf_free(&digest);
	buf_free(&copy);
	return ok;
}
