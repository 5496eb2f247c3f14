/* SPDX-License-Identifier: ISC */
/*
 * PKCS#10 (RFC 2986) of a key in a token, as it was made for the root's key
 * of 2010: the subject carries the DS record, so that the certificate's
 * signature covers what a resolver is configured with.
 */
#include "keys/commands.h"

#include "base/base64.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "dns/algorithm.h"
#include "keys/der.h"
#include "ksr/identity.h"

#include <stdio.h>
#include <string.h>

#define OID_ORGANIZATION "2.5.4.10"
#define OID_UNIT "2.5.4.11"
#define OID_COMMON_NAME "2.5.4.3"
/* "id-dnssec-resource-record-ds": the DS as text. */
#define OID_DS "1.3.6.1.4.1.1000.53"

#define PEM_LINE 64

/* How X.509 names the signature of each algorithm. */
static const struct signature_oid {
	uint8_t algorithm;
	const char *oid;
	bool has_null; /* parameters NULL (RFC 4055 §5), else absent */
} signature_oids[] = {
	{ALGORITHM_RSASHA256, "1.2.840.113549.1.1.11", true},
	{ALGORITHM_RSASHA512, "1.2.840.113549.1.1.13", true},
	{ALGORITHM_ECDSAP256SHA256, "1.2.840.10045.4.3.2", false},
	{ALGORITHM_ECDSAP384SHA384, "1.2.840.10045.4.3.3", false},
	{ALGORITHM_ED25519, "1.3.101.112", false},
	{ALGORITHM_ED448, "1.3.101.113", false},
};

/* One RDN: SET { SEQUENCE { type, value } }; nothing for NULL. */
static void put_name(struct buf *out, const char *oid, const char *value)
{
	struct buf pair = BUF_EMPTY, set = BUF_EMPTY;

	if (value == NULL)
		return;
	der_oid(&pair, oid);
	der_text(&pair, value);
	der_wrap(&set, DER_SEQUENCE, &pair);
	der_wrap(out, DER_SET, &set);
	buf_free(&set);
	buf_free(&pair);
}

/* What names the key: "Root Zone KSK 2010-06-16T21:19:24+00:00". */
static void common_name(const struct config *config, struct buf *out)
{
	const char *zone = identity_zone(config);
	char now[TIME_TEXT_MAX];

	time_format(time_now(), TIME_OFFSET, now);
	if (strcmp(zone, ".") == 0)
		buf_format(out, "Root Zone KSK %s", now);
	else
		buf_format(out, "%s Zone KSK %s", zone, now);
}

static bool put_subject(struct keys_run *run, const struct dnskey *dnskey,
	struct buf *out, struct err *err)
{
	const struct keys_options *options = run->options;
	struct buf names = BUF_EMPTY, cn = BUF_EMPTY, ds = BUF_EMPTY;
	bool ok;

	common_name(run->config, &cn);
	buf_format(&ds, "%s IN DS ", identity_zone(run->config));
	ok = keys_ds_text(run->config, dnskey, &ds, err);
	put_name(&names, OID_ORGANIZATION, options->organization);
	put_name(&names, OID_UNIT, options->unit);
	put_name(&names, OID_COMMON_NAME,
		options->common_name != NULL ? options->common_name
					     : buf_string(&cn));
	put_name(&names, OID_DS, buf_string(&ds));
	der_wrap(out, DER_SEQUENCE, &names);
	buf_free(&names);
	buf_free(&ds);
	buf_free(&cn);
	return ok;
}

/* CertificationRequestInfo, the part that is signed. */
static bool make_info(struct keys_run *run, const struct dnskey *dnskey,
	struct buf *out, struct err *err)
{
	struct buf content = BUF_EMPTY;
	bool ok;

	der_put(&content, DER_INTEGER, "\0", 1);
	ok = put_subject(run, dnskey, &content, err) &&
	     crypto_spki(dnskey, &content, err);
	der_put(&content, DER_CONTEXT_0, NULL, 0);
	der_wrap(out, DER_SEQUENCE, &content);
	buf_free(&content);
	return ok && buf_ok(out, err);
}

static void put_algorithm(struct buf *out, uint8_t algorithm)
{
	struct buf content = BUF_EMPTY;

	for (size_t i = 0; i < sizeof(signature_oids) / sizeof(*signature_oids);
		i++) {
		if (signature_oids[i].algorithm != algorithm)
			continue;
		der_oid(&content, signature_oids[i].oid);
		if (signature_oids[i].has_null)
			der_put(&content, DER_NULL, NULL, 0);
	}
	der_wrap(out, DER_SEQUENCE, &content);
	buf_free(&content);
}

/* Sign in the token, verify here, and bring ECDSA into the form of X.509. */
static bool sign_info(const struct token_key *key, const struct dnskey *dnskey,
	const struct buf *info, struct buf *out, struct err *err)
{
	const struct algorithm *algorithm =
		algorithm_by_number(dnskey->algorithm);
	struct buf raw = BUF_EMPTY;
	bool ok;

	ok = token_sign(key, dnskey->algorithm, false, info, &raw, err);
	if (ok && !crypto_verify(NULL, dnskey, info, &raw, err)) {
		err->kind = ERR_HSM;
		ok = err_prefix(err, "key %s", key->label);
	}
	if (ok && algorithm->family == ALGORITHM_ECDSA)
		ok = crypto_ecdsa_to_der(&raw, out, err);
	else if (ok)
		buf_bytes(out, raw.data, raw.len);
	buf_free(&raw);
	return ok && buf_ok(out, err);
}

static bool make_csr(struct keys_run *run, const struct token_key *key,
	const struct dnskey *dnskey, struct buf *out, struct err *err)
{
	struct buf content = BUF_EMPTY, signature = BUF_EMPTY;
	bool ok;

	ok = make_info(run, dnskey, &content, err) &&
	     sign_info(key, dnskey, &content, &signature, err);
	put_algorithm(&content, dnskey->algorithm);
	der_bits(&content, &signature);
	der_wrap(out, DER_SEQUENCE, &content);
	buf_free(&signature);
	buf_free(&content);
	return ok && buf_ok(out, err);
}

static bool to_pem(const struct buf *der, struct buf *out, struct err *err)
{
	struct buf text = BUF_EMPTY;

	base64_encode(&text, der->data, der->len);
	buf_text(out, "-----BEGIN CERTIFICATE REQUEST-----\n");
	for (size_t at = 0; at < text.len; at += PEM_LINE) {
		size_t left = text.len - at;

		buf_bytes(
			out, text.data + at, left < PEM_LINE ? left : PEM_LINE);
		buf_u8(out, '\n');
	}
	buf_text(out, "-----END CERTIFICATE REQUEST-----\n");
	out->failed = out->failed || text.failed;
	buf_free(&text);
	return buf_ok(out, err);
}

bool keys_csr(struct keys_run *run, struct err *err)
{
	const struct token_key *key = NULL;
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct buf der = BUF_EMPTY, pem = BUF_EMPTY;
	uint8_t algorithm;
	bool ok;

	if (!keys_require(run->options->output, "output", err) ||
		!keys_check_text(
			run->options->organization, "organization", err) ||
		!keys_check_text(run->options->unit, "unit", err) ||
		!keys_check_text(
			run->options->common_name, "common-name", err) ||
		!keys_find(run, &key, err) ||
		!keys_choose_algorithm(run, key, &algorithm, err) ||
		!token_key_dnskey(
			key, DNSKEY_FLAGS_KSK, algorithm, &dnskey, err))
		return false;
	ok = make_csr(run, key, &dnskey, &der, err) && to_pem(&der, &pem, err);
	ok = ok && keys_say_records(run, key, dnskey.algorithm, err) &&
	     keys_write(run, run->options->der ? &der : &pem,
		     "certification request", err);
	buf_free(&pem);
	buf_free(&der);
	dnskey_free(&dnskey);
	return ok;
}
