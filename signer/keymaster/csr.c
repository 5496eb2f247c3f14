/* SPDX-License-Identifier: ISC */
/*
 * PKCS#10 (RFC 2986) of a key in a token, as it was made for the root's key
 * of 2010: the subject carries the DS record, so that the certificate's
 * signature covers what a resolver is configured with.
 */
#include "signer/keymaster/commands.h"

#include "lib/base/buf.h"
#include "lib/base/time.h"
#include "lib/crypto/csr.h"
#include "signer/keyset/identity.h"

#include <stdio.h>
#include <string.h>

/* "id-dnssec-resource-record-ds": the DS as text. */
#define OID_DS "1.3.6.1.4.1.1000.53"

/* ub-common-name (RFC 5280, appendix A.1), as --common-name has it. */
#define NAME_MAX_CHARACTERS 64

/* What names the key: "Root Zone KSK 2010-06-16T21:19:24+00:00". */
static bool common_name(
	const struct keys_run *run, struct buf *out, struct err *err)
{
	const char *zone = identity_zone(run->config);
	char now[TIME_TEXT_MAX];

	if (run->options->common_name != NULL) {
		buf_text(out, run->options->common_name);
		return buf_ok(out, err);
	}
	time_format(time_now(), TIME_OFFSET, now);
	if (strcmp(zone, ".") == 0)
		buf_format(out, "Root Zone KSK %s", now);
	else
		buf_format(out, "%s Zone KSK %s", zone, now);
	if (out->len > NAME_MAX_CHARACTERS)
		return err_set(err, ERR_USAGE,
			"--common-name is required for a zone whose name is so long: \"%s\" has more than %d characters",
			buf_string(out), NAME_MAX_CHARACTERS);
	return buf_ok(out, err);
}

/* A request for the key, its subject as the options say.  *out is new. */
static bool make_request(struct keys_run *run, const struct dnskey *dnskey,
	struct buf *cn, struct csr **out, struct err *err)
{
	const struct keys_options *options = run->options;
	struct buf ds = BUF_EMPTY;
	bool ok;

	buf_format(&ds, "%s IN DS ", identity_zone(run->config));
	ok = keys_ds_text(run->config, dnskey, &ds, err);
	if (ok) {
		const struct csr_name names[] = {
			{"2.5.4.10", options->organization},
			{"2.5.4.11", options->unit},
			{"2.5.4.3", buf_string(cn)},
			{OID_DS, buf_string(&ds)},
		};

		ok = csr_new(dnskey, names, sizeof(names) / sizeof(*names), out,
			err);
	}
	buf_free(&ds);
	return ok;
}

/* Sign in the token, and prove it here. */
static bool sign_request(struct csr *csr, const struct token_key *key,
	uint8_t algorithm, struct err *err)
{
	struct buf info = BUF_EMPTY, signature = BUF_EMPTY;
	bool ok;

	ok = csr_signed_data(csr, &info, err) &&
	     token_sign(key, algorithm, false, &info, &signature, err);
	if (ok && !csr_sign(csr, &signature, err)) {
		err->kind = ERR_HSM;
		ok = err_prefix(err, "key %s", key->label);
	}
	buf_free(&signature);
	buf_free(&info);
	return ok;
}

static bool make_and_write(struct keys_run *run, const struct token_key *key,
	const struct dnskey *dnskey, struct buf *cn, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	struct csr *csr = NULL;
	bool ok;

	ok = make_request(run, dnskey, cn, &csr, err) &&
	     sign_request(csr, key, dnskey->algorithm, err) &&
	     csr_write(csr, !run->options->der, &bytes, err) &&
	     keys_say_records(run, key, dnskey->algorithm, err) &&
	     keys_write(run, &bytes, "certification request", err);
	csr_free(csr);
	buf_free(&bytes);
	return ok;
}

bool keys_before_csr(struct keys_run *run, struct err *err)
{
	const struct keys_options *options = run->options;
	struct buf cn = BUF_EMPTY;
	bool ok;

	ok = keys_check_text(options->organization, "organization", err) &&
	     keys_check_text(options->unit, "unit", err) &&
	     keys_check_text(options->common_name, "common-name", err) &&
	     common_name(run, &cn, err);
	buf_free(&cn);
	return ok;
}

bool keys_csr(struct keys_run *run, struct err *err)
{
	const struct token_key *key = NULL;
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct buf cn = BUF_EMPTY;
	uint8_t algorithm;
	bool ok;

	ok = keys_before_csr(run, err) && common_name(run, &cn, err) &&
	     keys_find(run, &key, err) && keys_check_identity(run, key, err) &&
	     keys_choose_algorithm(run, key, &algorithm, err) &&
	     token_key_dnskey(key, DNSKEY_FLAGS_KSK, algorithm, &dnskey, err) &&
	     make_and_write(run, key, &dnskey, &cn, err);
	dnskey_free(&dnskey);
	buf_free(&cn);
	return ok;
}
