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

/* A request for the key, its subject as the options say.  *out is new. */
static bool make_request(struct keys_run *run, const struct dnskey *dnskey,
	struct csr **out, struct err *err)
{
	const struct keys_options *options = run->options;
	struct buf cn = BUF_EMPTY, ds = BUF_EMPTY;
	bool ok;

	common_name(run->config, &cn);
	buf_format(&ds, "%s IN DS ", identity_zone(run->config));
	ok = keys_ds_text(run->config, dnskey, &ds, err) && buf_ok(&cn, err);
	if (ok) {
		const struct csr_name names[] = {
			{"2.5.4.10", options->organization},
			{"2.5.4.11", options->unit},
			{"2.5.4.3", options->common_name != NULL
					    ? options->common_name
					    : buf_string(&cn)},
			{OID_DS, buf_string(&ds)},
		};

		ok = csr_new(dnskey, names, sizeof(names) / sizeof(*names), out,
			err);
	}
	buf_free(&ds);
	buf_free(&cn);
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

bool keys_csr(struct keys_run *run, struct err *err)
{
	const struct token_key *key = NULL;
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct buf bytes = BUF_EMPTY;
	struct csr *csr = NULL;
	uint8_t algorithm;
	bool ok;

	if (!keys_require(run->options->output, "output", err) ||
		!keys_check_text(
			run->options->organization, "organization", err) ||
		!keys_check_text(run->options->unit, "unit", err) ||
		!keys_check_text(
			run->options->common_name, "common-name", err) ||
		!keys_find(run, &key, err) ||
		!keys_check_identity(run, key, err) ||
		!keys_choose_algorithm(run, key, &algorithm, err) ||
		!token_key_dnskey(
			key, DNSKEY_FLAGS_KSK, algorithm, &dnskey, err))
		return false;
	ok = make_request(run, &dnskey, &csr, err) &&
	     sign_request(csr, key, dnskey.algorithm, err) &&
	     csr_write(csr, !run->options->der, &bytes, err) &&
	     keys_say_records(run, key, dnskey.algorithm, err) &&
	     keys_write(run, &bytes, "certification request", err);
	csr_free(csr);
	buf_free(&bytes);
	dnskey_free(&dnskey);
	return ok;
}
