/* SPDX-License-Identifier: ISC */
/*
 * A key from one token to another: transport on the receiving side, backup on
 * the giving side, restore on the receiving side.  token.h says how the key is
 * wrapped; people compare the hash of the transport key's file.
 */
#include "signer/keymaster/commands.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/dns/algorithm.h"
#include "signer/keymaster/record.h"

#include <stdlib.h>
#include <string.h>

#define TRANSPORT_KIND "keyroom transport key 1"
#define BACKUP_KIND "keyroom key backup 1"
#define TRANSPORT_LABEL "transport"

/* Find the transport key in the chosen token, or make it there: *made. */
static bool provide_transport(struct keys_run *run, const char *label,
	const struct token_key **out, bool *made, struct err *err)
{
	struct token *token;

	if (!keys_token(run, &token, err) ||
		!token_find(token, label, out, err))
		return false;
	if (*out != NULL) {
		log_say(run->log, "transport key %s is there already", label);
		return true;
	}
	if (!log_ok(run->log, err) ||
		!token_generate_transport(token, label, out, err))
		return false;
	*made = true;
	log_say(run->log, "made transport key %s, RSA %u", label,
		TOKEN_TRANSPORT_BITS);
	return true;
}

static const char *transport_label(const struct keys_run *run)
{
	return run->options->label != NULL ? run->options->label
					   : TRANSPORT_LABEL;
}

bool keys_before_transport(struct keys_run *run, struct err *err)
{
	const char *label = transport_label(run);
	const struct config_key *key = config_key_labelled(run->config, label);

	if (key != NULL)
		return err_set(err, ERR_USAGE,
			"--label %s: this is the label of keys.%s", label,
			key->name);
	return keys_check_label(label, err);
}

bool keys_transport(struct keys_run *run, struct err *err)
{
	const char *label = transport_label(run);
	const struct token_key *key = NULL;
	struct buf text = BUF_EMPTY;
	bool ok, made = false;

	if (!keys_before_transport(run, err) ||
		!provide_transport(run, label, &key, &made, err))
		return false;
	record_start(&text, TRANSPORT_KIND);
	record_text(&text, "label", label);
	record_bytes(&text, "public-key", &key->public_key);
	ok = token_check_transport(key, err) && buf_ok(&text, err) &&
	     keys_write(run, &text, "transport key", err);
	buf_free(&text);
	if (!ok && made)
		err_prefix(err, "transport key %s was made and is in the token",
			label);
	return ok;
}

/* What a transport file says. */
struct transport {
	char *label;
	struct dnskey key; /* RSA; flags have no meaning */
	struct buf raw;    /* the file, for its hash */
};

static void transport_free(struct transport *transport)
{
	free(transport->label);
	dnskey_free(&transport->key);
	buf_free(&transport->raw);
}

static bool read_transport(
	const char *path, struct transport *out, struct err *err)
{
	struct record record = {.name = NULL};
	const char *label = NULL;
	bool ok;

	ok = record_read(path, TRANSPORT_KIND, &record, &out->raw, err) &&
	     record_take_text(&record, "label", &label, err) &&
	     record_take_bytes(
		     &record, "public-key", &out->key.public_key, err) &&
	     record_end(&record, err);
	out->key.algorithm = ALGORITHM_RSASHA256;
	if (ok) {
		out->label = text_copy(label, err);
		ok = out->label != NULL;
	}
	record_free(&record);
	return ok;
}

static bool write_backup(struct keys_run *run, const struct token_key *key,
	uint8_t algorithm, const struct transport *transport,
	const struct token_wrapped *wrapped, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	record_start(&text, BACKUP_KIND);
	record_text(&text, "label", key->label);
	record_text(&text, "algorithm", algorithm_name(algorithm));
	record_bytes(&text, "public-key", &key->public_key);
	record_text(&text, "transport-label", transport->label);
	record_bytes(&text, "transport-key", &transport->key.public_key);
	record_bytes(&text, "wrapped-secret", &wrapped->secret);
	record_bytes(&text, "wrapped-key", &wrapped->key);
	ok = buf_ok(&text, err) && keys_write(run, &text, "backup", err);
	buf_free(&text);
	return ok;
}

bool keys_before_backup(struct keys_run *run, struct err *err)
{
	struct transport transport = {.label = NULL};
	bool ok = read_transport(run->options->transport, &transport, err);

	transport_free(&transport);
	return ok;
}

bool keys_backup(struct keys_run *run, struct err *err)
{
	const struct keys_options *options = run->options;
	struct transport transport = {.label = NULL};
	struct token_wrapped wrapped = {.key = BUF_EMPTY};
	const struct token_key *key = NULL;
	uint8_t algorithm;
	bool ok = false;

	/*
	 * A label of two lines would make a file that restore cannot read.  And
	 * anybody can put another public key beside a private half that shows
	 * none: the backup would be of a key that nobody knows.
	 */
	if (!keys_find(run, &key, err) || !keys_check_label(key->label, err) ||
		!keys_check_identity(run, key, err) ||
		!keys_choose_algorithm(run, key, &algorithm, err) ||
		!keys_prove(key, algorithm, err))
		return false;
	if (!read_transport(options->transport, &transport, err) ||
		!keys_say_records(run, key, algorithm, err) ||
		!keys_say_hash(run, options->transport, &transport.raw, err) ||
		!keys_confirm(run,
			"Is this the hash that the receiving token's transport key was shown with",
			err))
		goto done;
	ok = log_ok(run->log, err) &&
	     token_wrap(key, &transport.key, &wrapped, err) &&
	     write_backup(run, key, algorithm, &transport, &wrapped, err);
done:
	token_wrapped_free(&wrapped);
	transport_free(&transport);
	return ok;
}

/* What a backup file says; texts are borrowed from the record. */
struct backup {
	struct record record;
	const struct algorithm *algorithm;
	const char *label, *transport_label;
	struct buf public_key, transport_key;
	struct token_wrapped wrapped;
};

static void backup_free(struct backup *backup)
{
	record_free(&backup->record);
	buf_free(&backup->public_key);
	buf_free(&backup->transport_key);
	token_wrapped_free(&backup->wrapped);
}

static bool read_backup(
	const char *path, struct backup *out, struct buf *raw, struct err *err)
{
	struct record *record = &out->record;
	const char *algorithm = NULL;

	if (!record_read(path, BACKUP_KIND, record, raw, err) ||
		!record_take_text(record, "label", &out->label, err) ||
		!record_take_text(record, "algorithm", &algorithm, err) ||
		!record_take_bytes(
			record, "public-key", &out->public_key, err) ||
		!record_take_text(record, "transport-label",
			&out->transport_label, err) ||
		!record_take_bytes(
			record, "transport-key", &out->transport_key, err) ||
		!record_take_bytes(
			record, "wrapped-secret", &out->wrapped.secret, err) ||
		!record_take_bytes(
			record, "wrapped-key", &out->wrapped.key, err) ||
		!record_end(record, err))
		return false;
	out->algorithm = algorithm_by_name(algorithm);
	if (!algorithm_is_supported(out->algorithm))
		return err_set(err, ERR_INPUT,
			"%s: algorithm %s is not supported", path, algorithm);
	return true;
}

/* The transport key that the backup was made for, in one of the tokens. */
static bool find_transport(struct keys_run *run, const struct backup *backup,
	const struct token_key **out, struct err *err)
{
	struct token *token;

	if (!keys_token(run, &token, err) ||
		!token_find(token, backup->transport_label, out, err))
		return false;
	if (*out == NULL || !(*out)->has_private ||
		!buf_equal(&(*out)->public_key, &backup->transport_key))
		return err_set(err, ERR_HSM,
			"%s was not made for this token: its transport key %s is not here",
			run->options->input, backup->transport_label);
	return true;
}

/* The key that the file says it holds must be the one that is configured. */
static bool check_expected(
	struct keys_run *run, const struct backup *backup, struct err *err)
{
	const struct config_key *want =
		config_key_labelled(run->config, backup->label);
	const struct dnskey dnskey = {.flags = DNSKEY_FLAGS_KSK,
		.protocol = DNSKEY_PROTOCOL,
		.algorithm = backup->algorithm->number,
		.public_key = backup->public_key};
	struct identity found;

	if (!keys_check_label(backup->label, err)) {
		err->kind = ERR_INPUT;
		return err_prefix(err, "%s", run->options->input);
	}
	if (want == NULL)
		return true;
	if (!identity_compare(
		    want, &dnskey, identity_zone(run->config), &found, err))
		return err_prefix(err, "%s", run->options->input);
	if (found.count == 0)
		return true;
	return err_set(err, ERR_REFUSED,
		"%s: KSK-IDENTITY: key %s is not keys.%s: %s",
		run->options->input, backup->label, want->name,
		found.differences[0]);
}

static bool restore(
	struct keys_run *run, const struct backup *backup, struct err *err)
{
	const struct token_key *transport = NULL, *key = NULL;
	struct token_key like = {.label = (char *)backup->label,
		.public_key = backup->public_key};
	uint8_t number = backup->algorithm->number;

	if (!check_expected(run, backup, err) ||
		!find_transport(run, backup, &transport, err) ||
		!token_key_type(number, &like.type, err) ||
		!log_ok(run->log, err) ||
		!token_unwrap(transport, &backup->wrapped, &like,
			run->options->extractable, &key, err))
		return false;
	/* The file may pair a private key with another's public half. */
	if (!keys_prove(key, number, err))
		return token_take_back(key, err);
	log_say(run->log, "restored key %s, proven with a signature",
		backup->label);
	return (keys_say_records(run, key, number, err) &&
		       log_ok(run->log, err)) ||
	       err_prefix(err, "key %s is restored and in the token",
		       backup->label);
}

bool keys_before_restore(struct keys_run *run, struct err *err)
{
	struct backup backup = {.label = NULL};
	struct buf raw = BUF_EMPTY;
	bool ok;

	ok = read_backup(run->options->input, &backup, &raw, err) &&
	     check_expected(run, &backup, err);
	buf_free(&raw);
	backup_free(&backup);
	return ok;
}

bool keys_restore(struct keys_run *run, struct err *err)
{
	const char *path = run->options->input;
	struct backup backup = {.label = NULL};
	struct buf raw = BUF_EMPTY;
	bool ok;

	ok = read_backup(path, &backup, &raw, err) &&
	     keys_say_hash(run, path, &raw, err) && restore(run, &backup, err);
	buf_free(&raw);
	backup_free(&backup);
	return ok;
}
