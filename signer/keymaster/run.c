/* SPDX-License-Identifier: ISC */
#include "signer/keymaster/run.h"

#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/cli/ask.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"
#include "lib/dns/ds.h"
#include "lib/dns/name.h"
#include "lib/hash/sha256.h"
#include "lib/xml/xml.h"
#include "signer/sign/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names in certificates have no more (RFC 5280, appendix A.1). */
#define NAME_MAX_CHARACTERS 64

bool keys_confirm(struct keys_run *run, const char *question, struct err *err)
{
	return ask_yes(run->log, question, run->options->force, err);
}

static struct token_choice choice_of(const struct keys_options *options)
{
	return (struct token_choice){.label = options->token,
		.serial = options->serial,
		.slot = options->slot};
}

bool keys_is_chosen(
	const struct keys_options *options, const struct token_info *info)
{
	const struct token_choice choice = choice_of(options);

	return token_is_chosen(&choice, info);
}

/* Does the command line say which token is meant? */
static bool is_chosen(const struct keys_options *options)
{
	return options->token != NULL || options->serial != NULL ||
	       options->slot != NULL;
}

bool keys_token(struct keys_run *run, struct token **out, struct err *err)
{
	const struct token_choice choice = choice_of(run->options);

	if (is_chosen(run->options))
		return token_set_choose(run->set, &choice, out, err);
	if (token_set_count(run->set) != 1)
		return err_set(err, ERR_USAGE,
			"%zu tokens are there: choose one with --token LABEL, --serial SERIAL or --slot NUMBER",
			token_set_count(run->set));
	*out = token_set_token(run->set, 0);
	return true;
}

bool keys_require(const char *value, const char *name, struct err *err)
{
	if (value != NULL)
		return true;
	return err_set(err, ERR_USAGE, "--%s is required here", name);
}

bool keys_find(
	struct keys_run *run, const struct token_key **out, struct err *err)
{
	const char *label = run->options->label;
	const struct token_key *key = NULL;
	struct token *token;

	if (!is_chosen(run->options)) {
		if (!token_set_find(run->set, label, &key, err))
			return false;
	} else if (!keys_token(run, &token, err) ||
		   !token_find(token, label, &key, err)) {
		return false;
	}
	if (key == NULL)
		return err_set(err, ERR_HSM, "no key is labelled %s", label);
	*out = key;
	return true;
}

uint8_t keys_algorithm(const struct config *config, const struct token_key *key)
{
	static const uint8_t by_type[] = {
		[TOKEN_RSA] = ALGORITHM_RSASHA256,
		[TOKEN_P256] = ALGORITHM_ECDSAP256SHA256,
		[TOKEN_P384] = ALGORITHM_ECDSAP384SHA384,
		[TOKEN_ED25519] = ALGORITHM_ED25519,
		[TOKEN_ED448] = ALGORITHM_ED448,
		[TOKEN_MLDSA44] = ALGORITHM_MLDSA44,
	};
	const struct config_key *configured =
		config_key_labelled(config, key->label);
	struct err ignored = ERR_EMPTY;
	enum token_key_type type;

	if (configured != NULL &&
		token_key_type(configured->algorithm, &type, &ignored) &&
		type == key->type)
		return configured->algorithm;
	return by_type[key->type];
}

bool keys_choose_algorithm(struct keys_run *run, const struct token_key *key,
	uint8_t *out, struct err *err)
{
	const struct config_key *configured =
		config_key_labelled(run->config, key->label);
	const struct algorithm *given =
		run->options->algorithm != NULL
			? algorithm_by_name(run->options->algorithm)
			: NULL;
	enum token_key_type type;

	*out = keys_algorithm(run->config, key);
	if (run->options->algorithm == NULL) {
		if (configured == NULL && key->type == TOKEN_RSA)
			log_warn(run->log,
				"key %s is not configured: taken to be for %s, --algorithm says otherwise",
				key->label, algorithm_name(*out));
		return true;
	}
	if (!algorithm_is_supported(given) ||
		!token_key_type(given->number, &type, err) || type != key->type)
		return err_set(err, ERR_USAGE,
			"--algorithm %s: the key %s is %s",
			run->options->algorithm, key->label,
			token_key_type_name(key->type));
	if (configured != NULL && configured->algorithm != given->number)
		return err_set(err, ERR_USAGE, "--algorithm %s: keys.%s has %s",
			run->options->algorithm, configured->name,
			algorithm_name(configured->algorithm));
	*out = given->number;
	return true;
}

bool keys_check_text(const char *value, const char *name, struct err *err)
{
	if (value == NULL || xml_is_line(value, NAME_MAX_CHARACTERS))
		return true;
	return err_set(err, ERR_USAGE,
		"--%s: expected 1 to %d characters of UTF-8, none of them a control character",
		name, NAME_MAX_CHARACTERS);
}

void keys_describe(const struct token_key *key, char *out, size_t size)
{
	if (key->type == TOKEN_RSA)
		snprintf(out, size, "%s %u", token_key_type_name(key->type),
			key->bits);
	else
		snprintf(out, size, "%s", token_key_type_name(key->type));
}

bool keys_compare(const struct config *config, const struct config_key *want,
	const struct token_key *key, struct dnskey *dnskey,
	struct identity *out, struct err *err)
{
	struct err kind = ERR_EMPTY;

	if (token_key_dnskey(
		    key, DNSKEY_FLAGS_KSK, want->algorithm, dnskey, &kind))
		return identity_compare(
			want, dnskey, identity_zone(config), out, err);
	out->count = 1;
	snprintf(out->differences[0], IDENTITY_TEXT_MAX, "%s is no key for %s",
		token_key_type_name(key->type),
		algorithm_name(want->algorithm));
	return true;
}

bool keys_check_identity(
	struct keys_run *run, const struct token_key *key, struct err *err)
{
	const struct config_key *want =
		config_key_labelled(run->config, key->label);
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct identity found;
	bool ok;

	if (want == NULL)
		return true;
	ok = keys_compare(run->config, want, key, &dnskey, &found, err);
	dnskey_free(&dnskey);
	if (!ok || found.count == 0)
		return ok;
	return err_set(err, ERR_REFUSED,
		"KSK-IDENTITY: key %s is not keys.%s: %s; leave that out of the configuration if this key is meant",
		key->label, want->name, found.differences[0]);
}

bool keys_check_label(const char *label, struct err *err)
{
	if (text_is_name(label, strlen(label)))
		return true;
	return err_set(err, ERR_USAGE,
		"--label: expected 1 to %d characters of printable ASCII, no blank at either end and no two together",
		TEXT_NAME_MAX);
}

bool keys_told(struct keys_run *run, const char *done, struct err *err)
{
	return log_ok(run->log, err) || err_prefix(err, "%s", done);
}

bool keys_ds_text(const struct config *config, const struct dnskey *dnskey,
	struct buf *out, struct err *err)
{
	uint8_t digest[CRYPTO_DIGEST_MAX];
	struct buf owner = BUF_EMPTY;
	size_t length = 0;
	bool ok;

	ok = name_wire(identity_zone(config), &owner, err) &&
	     crypto_ds(dnskey, &owner, DS_SHA256, digest, &length, err);
	if (ok) {
		buf_format(out, "%u %u %d ", dnskey_tag(dnskey),
			dnskey->algorithm, DS_SHA256);
		hex_encode_upper(out, digest, length);
	}
	buf_free(&owner);
	return ok && buf_ok(out, err);
}

bool keys_say_records(struct keys_run *run, const struct token_key *key,
	uint8_t algorithm, struct err *err)
{
	const char *zone = identity_zone(run->config);
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct buf public_key = BUF_EMPTY, ds = BUF_EMPTY;
	bool ok;

	ok = token_key_dnskey(key, DNSKEY_FLAGS_KSK, algorithm, &dnskey, err) &&
	     keys_ds_text(run->config, &dnskey, &ds, err);
	if (ok) {
		base64_encode(&public_key, dnskey.public_key.data,
			dnskey.public_key.len);
		log_say(run->log, "%s %u IN DNSKEY %u %u %u %s", zone,
			run->config->ksk_policy.ttl, dnskey.flags,
			dnskey.protocol, dnskey.algorithm,
			buf_string(&public_key));
		log_say(run->log, "%s %u IN DS %s", zone,
			run->config->ksk_policy.ttl, buf_string(&ds));
	}
	buf_free(&public_key);
	buf_free(&ds);
	dnskey_free(&dnskey);
	return ok;
}

bool keys_prove(const struct token_key *key, uint8_t algorithm, struct err *err)
{
	return token_prove(key, algorithm, false, err) == TOKEN_PROVEN;
}

bool keys_say_hash(struct keys_run *run, const char *what,
	const struct buf *bytes, struct err *err)
{
	uint8_t hash[SHA256_LEN];

	if (!sha256_of(bytes->data, bytes->len, hash, err))
		return false;
	table_hash(run->log, what, hash);
	return true;
}

bool keys_write(struct keys_run *run, const struct buf *bytes, const char *what,
	struct err *err)
{
	const char *path = run->options->output;
	char *kept = NULL;

	if (!log_ok(run->log, err) ||
		!file_write(path, bytes->data, bytes->len, &kept, err))
		return false;
	if (kept != NULL)
		log_say(run->log, "the file that was there is kept as %s",
			kept);
	free(kept);
	log_say(run->log, "%s written to %s", what, path);
	return keys_say_hash(run, path, bytes, err) &&
	       keys_told(run, "the file is written", err);
}
