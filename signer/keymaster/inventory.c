/* SPDX-License-Identifier: ISC */
/* What keys there are, and whether they are those of the configuration. */
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "signer/keymaster/commands.h"

#include <string.h>

/* Is it the key that the configuration means by its label? */
static bool judge(struct keys_run *run, const struct token_key *key,
	struct buf *out, struct err *err)
{
	const struct config_key *want =
		config_key_labelled(run->config, key->label);
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct identity found;

	if (want == NULL) {
		buf_text(out, "not configured");
		return buf_ok(out, err);
	}
	if (!keys_compare(run->config, want, key, &dnskey, &found, err))
		return false;
	dnskey_free(&dnskey);
	if (found.count == 0)
		buf_format(out, "is keys.%s", want->name);
	else
		buf_format(out, "WRONG for keys.%s: %s", want->name,
			found.differences[0]);
	return buf_ok(out, err);
}

/*
 * A label that no configuration can name: a key under it cannot be used, and
 * must not look like one that can.
 */
static void say_strange(struct keys_run *run, const struct buf *label)
{
	struct buf shown = BUF_EMPTY, hex = BUF_EMPTY;

	token_label_show(&shown, label->data, label->len);
	hex_encode(&hex, label->data, label->len);
	log_say(run->log,
		"  %-16s UNUSABLE: the label (in hex %s) is not 1 to %d characters of printable ASCII without a blank at either end or two together",
		buf_string(&shown), buf_string(&hex), TEXT_NAME_MAX);
	buf_free(&shown);
	buf_free(&hex);
}

static const char *halves(const struct token_key *key)
{
	if (!key->has_private)
		return "public only";
	return key->has_public ? "pair" : "private only";
}

/* One line, and with --dns two more. */
static bool say_key(
	struct keys_run *run, const struct token_key *key, struct err *err)
{
	uint8_t algorithm = keys_algorithm(run->config, key);
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct buf verdict = BUF_EMPTY;
	char kind[32];
	bool ok;

	ok = token_key_dnskey(key, DNSKEY_FLAGS_KSK, algorithm, &dnskey, err) &&
	     judge(run, key, &verdict, err);
	if (ok) {
		keys_describe(key, kind, sizeof(kind));
		log_say(run->log, "  %-16s %-9s tag %05u  %-12s %s", key->label,
			kind, dnskey_tag(&dnskey), halves(key),
			buf_string(&verdict));
	}
	buf_free(&verdict);
	dnskey_free(&dnskey);
	return ok && (!run->options->dns ||
			     keys_say_records(run, key, algorithm, err));
}

/*
 * A key that cannot be read, a duplicate label for instance, is said and
 * passed over: the inventory is how one finds such things.
 */
static bool say_token(
	struct keys_run *run, struct token *token, struct err *err)
{
	struct token_labels labels = {.count = 0};
	const struct token_info *info = NULL;
	size_t unlabelled = 0;
	bool ok = true;

	if (!token_labels(token, &labels, &unlabelled, err))
		return false;
	if (labels.count == 0)
		log_say(run->log, "  no keys");
	for (size_t i = 0; ok && i < labels.count; i++) {
		const struct buf *label = &labels.list[i];
		const struct token_key *key = NULL;
		struct err why = ERR_EMPTY;

		if (!text_is_name((const char *)label->data, label->len))
			say_strange(run, label);
		else if (!token_find_bytes(
				 token, label->data, label->len, &key, &why))
			log_say(run->log, "  %-16s UNUSABLE: %s",
				buf_string(&labels.list[i]), why.text);
		else if (key != NULL)
			ok = say_key(run, key, err);
	}
	if (unlabelled > 0)
		log_say(run->log, "  %zu key objects have no label",
			unlabelled);
	token_labels_free(&labels);
	/* A token that has gone makes every key unusable: that is an error. */
	return ok && token_info(token, &info, err);
}

static void say_missing(struct keys_run *run)
{
	for (size_t i = 0; i < run->config->key_count; i++) {
		const struct config_key *want = &run->config->keys[i];
		bool found = false;

		for (size_t t = 0; t < token_set_count(run->set); t++) {
			const struct token_key *key = NULL;
			struct err why = ERR_EMPTY;

			/* One that cannot be read was said already. */
			if (!token_find(token_set_token(run->set, t),
				    want->label, &key, &why) ||
				key != NULL)
				found = true;
		}
		if (!found)
			log_say(run->log, "keys.%s (%s) is in no token",
				want->name, want->label);
	}
}

/* Of a token that is not logged in to, no private key can be seen. */
static bool is_meant(const struct keys_run *run, const struct token_info *info)
{
	return keys_is_chosen(run->options, info);
}

bool keys_inventory(struct keys_run *run, struct err *err)
{
	for (size_t i = 0; i < token_set_count(run->set); i++) {
		struct token *token = token_set_token(run->set, i);
		const struct token_info *info = NULL;

		if (!token_info(token, &info, err))
			return false;
		if (!is_meant(run, info))
			continue;
		log_say(run->log,
			"token %s in slot %lu of hsm %s:", info->label,
			info->slot, info->hsm);
		if (!say_token(run, token, err))
			return false;
	}
	say_missing(run);
	return true;
}
