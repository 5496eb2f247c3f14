/* SPDX-License-Identifier: ISC */
/*
 * What keymaster's commands share: one run with its options, the open HSMs,
 * the transcript, and the few things that several commands do.
 */
#ifndef SIGNER_KEYMASTER_RUN_H
#define SIGNER_KEYMASTER_RUN_H

#include "lib/base/buf.h"
#include "lib/cli/log.h"
#include "lib/config/config.h"
#include "signer/keyset/identity.h"
#include "signer/token/token.h"

/* The command line, as typed; NULL and false where absent. */
struct keys_options {
	const char *algorithm, *size, *label, *token, *serial, *slot;
	const char *output, *input, *transport;
	const char *organization, *unit, *common_name;
	bool force, dns, extractable, der, officer;
};

struct keys_run {
	const struct keys_options *options;
	const struct config *config;
	struct token_set *set;
	struct log *log;
};

/*
 * Ask "question (y/N)? "; with --force only note that nobody was asked.
 * Anything but yes is ERR_REFUSED.
 */
bool keys_confirm(struct keys_run *run, const char *question, struct err *err);

/* Is the token the one that --token, --serial and --slot name, if any? */
bool keys_is_chosen(
	const struct keys_options *options, const struct token_info *info);

/*
 * The token that --token, --serial and --slot name; without them there must be
 * only one.  ERR_USAGE where they do not say which.
 */
bool keys_token(struct keys_run *run, struct token **out, struct err *err);

/* The value of a required option; ERR_USAGE where it is absent. */
bool keys_require(const char *value, const char *name, struct err *err);

/*
 * The key that --label names, in the token of --token or in any.  ERR_HSM
 * where there is none.
 */
bool keys_find(
	struct keys_run *run, const struct token_key **out, struct err *err);

/*
 * The DNSSEC algorithm of a key: the configuration's, else that of its kind
 * (RSASHA256 for RSA).
 */
uint8_t keys_algorithm(
	const struct config *config, const struct token_key *key);

/*
 * The algorithm under which a key is published, backed up or deleted.  It is
 * --algorithm's where that is given: ERR_USAGE if the configuration or the kind
 * of the key contradicts it.  Otherwise it is keys_algorithm()'s, with a
 * warning for an RSA key that is not configured, since RSA serves two
 * algorithms.
 */
bool keys_choose_algorithm(struct keys_run *run, const struct token_key *key,
	uint8_t *out, struct err *err);

/*
 * Can value, of the option of that name, be a label or a name in a
 * certificate: UTF-8, 1 to 64 characters, none of them a control character?
 * ERR_USAGE where not.  NULL is fine.
 */
bool keys_check_text(const char *value, const char *name, struct err *err);

/* "RSA 2048", "P-256": what kind of key it is. */
void keys_describe(const struct token_key *key, char *out, size_t size);

/*
 * Is the key in the HSM the configured one?  *out says what differs.  On
 * success *dnskey is the key with flags 257 and the configured algorithm; it
 * stays empty where the key is of another kind.  False only where memory or
 * OpenSSL fails.
 */
bool keys_compare(const struct config *config, const struct config_key *want,
	const struct token_key *key, struct dnskey *dnskey,
	struct identity *out, struct err *err);

/*
 * A key that acts under a configured label must be the configured key:
 * ERR_REFUSED ("KSK-IDENTITY: ...") where it is another.
 */
bool keys_check_identity(
	struct keys_run *run, const struct token_key *key, struct err *err);

/* Can it be the label of a key: what a configuration takes?  ERR_USAGE. */
bool keys_check_label(const char *label, struct err *err);

/*
 * After what cannot be taken back: was it told?  Where not, err says that it
 * is done ("key K1 was made and is in the token") before it says why.
 */
bool keys_told(struct keys_run *run, const char *done, struct err *err);

/* Say the DNSKEY and the DS record of a key, as in a zone file. */
bool keys_say_records(struct keys_run *run, const struct token_key *key,
	uint8_t algorithm, struct err *err);

/* Append the DS record's text "TAG ALGORITHM 2 DIGEST". */
bool keys_ds_text(const struct config *config, const struct dnskey *dnskey,
	struct buf *out, struct err *err);

/* Sign something with the key and verify it in software. */
bool keys_prove(
	const struct token_key *key, uint8_t algorithm, struct err *err);

/*
 * Write a result to --output, whole or not at all, and say its SHA-256 in hex
 * and words.  An existing file is kept beside it.
 */
bool keys_write(struct keys_run *run, const struct buf *bytes, const char *what,
	struct err *err);

/* Say the SHA-256 of bytes, in hex and in words. */
bool keys_say_hash(struct keys_run *run, const char *what,
	const struct buf *bytes, struct err *err);

#endif
