/* SPDX-License-Identifier: ISC */
/* Keys go, and it is seen to that they have gone. */
#include "signer/keymaster/commands.h"

#include "lib/base/buf.h"

/* With a copy in another token, "the key" would be a guess. */
static bool check_only_copy(struct keys_run *run, struct err *err)
{
	const char *label = run->options->label;
	size_t copies = 0;

	if (run->options->token != NULL || run->options->serial != NULL ||
		run->options->slot != NULL)
		return true;
	for (size_t i = 0; i < token_set_count(run->set); i++) {
		const struct token_key *key = NULL;

		if (!token_find(token_set_token(run->set, i), label, &key, err))
			return false;
		copies += key != NULL;
	}
	if (copies > 1)
		return err_set(err, ERR_USAGE,
			"%zu tokens have a key labelled %s: choose one with --token LABEL, --serial SERIAL or --slot NUMBER",
			copies, label);
	return true;
}

/* Where else the key is: it is destroyed in one token only. */
static bool say_copies(
	struct keys_run *run, const struct token *destroyed, struct err *err)
{
	for (size_t i = 0; i < token_set_count(run->set); i++) {
		struct token *token = token_set_token(run->set, i);
		const struct token_key *copy = NULL;
		const struct token_info *info = NULL;
		struct err ignored = ERR_EMPTY;

		/* One that was not logged in to may show nothing. */
		if (token == destroyed ||
			!token_find(
				token, run->options->label, &copy, &ignored) ||
			copy == NULL)
			continue;
		if (!token_info(token, &info, err))
			return false;
		log_warn(run->log,
			"token %s, serial %s, still has a key of this label",
			info->label, info->serial);
	}
	return true;
}

/* "K1 (pair), an object without a label (public half only)". */
static void put_copies(struct buf *out, const struct token_copies *copies)
{
	for (size_t i = 0; i < copies->count; i++) {
		const struct token_copy *copy = &copies->list[i];
		const char *halves = "pair";

		if (!copy->has_private)
			halves = "public half only";
		else if (!copy->has_public)
			halves = "private half only";
		buf_format(out, "%s%s (%s)", i > 0 ? ", " : "",
			copy->label[0] != '\0' ? copy->label
					       : "an object without a label",
			halves);
	}
}

/* Where there is no pair: which half there is. */
static const char *lone_half(const struct token_key *key)
{
	if (!key->has_private)
		return ", public half only";
	return key->has_public ? "" : ", private half only";
}

/* The question names every other label that has the key and keeps it. */
static bool ask(struct keys_run *run, const struct token_key *key,
	const struct token_info *info, const struct token_trace *trace,
	struct err *err)
{
	struct token_copies copies = {.count = 0};
	struct buf question = BUF_EMPTY;
	char kind[32];
	bool ok;

	if (!token_copies(key->token, trace, key, &copies, err))
		return false;
	keys_describe(key, kind, sizeof(kind));
	buf_format(&question,
		"Destroy the key %s (%s%s) in token %s, serial %s", key->label,
		kind, lone_half(key), info->label, info->serial);
	if (copies.count > 0)
		buf_text(&question, ", which leaves the same key there as ");
	put_copies(&question, &copies);
	ok = buf_ok(&question, err) &&
	     keys_confirm(run, buf_string(&question), err);
	buf_free(&question);
	token_copies_free(&copies);
	return ok;
}

/* Whatever its label was: nothing that is the key may be there any more. */
static bool check_gone(struct keys_run *run, struct token *token,
	const struct token_info *info, const struct token_trace *trace,
	struct err *err)
{
	struct token_copies left = {.count = 0};
	struct buf text = BUF_EMPTY;
	bool ok;

	if (!token_copies(token, trace, NULL, &left, err))
		return err_prefix(err,
			"the key is destroyed, and whether the token has it under another label is not known");
	put_copies(&text, &left);
	ok = buf_ok(&text, err);
	if (ok && left.count > 0)
		ok = err_set(err, ERR_HSM,
			"%s is destroyed, but the key is NOT gone: token %s, serial %s, has it as %s",
			run->options->label, info->label, info->serial,
			buf_string(&text));
	buf_free(&text);
	token_copies_free(&left);
	return ok;
}

/*
 * Not to be proven is no reason to keep a key, but to know it: what goes may be
 * the private half of another.
 */
static void say_unproven(
	struct keys_run *run, const struct token_key *key, uint8_t algorithm)
{
	struct err why = ERR_EMPTY;

	if (key->has_private && !keys_prove(key, algorithm, &why))
		log_warn(run->log,
			"the private half that is to be destroyed is not of the key shown, or cannot be proven to be: %s",
			why.text);
}

/* What is asked, done and seen to, once it is clear which key is meant. */
static bool destroy(struct keys_run *run, const struct token_key *key,
	const struct token_info *info, struct err *err)
{
	struct token *token = key->token;
	struct token_trace *trace = NULL;
	bool ok;

	ok = token_trace_new(key, &trace, err) &&
	     ask(run, key, info, trace, err) && log_ok(run->log, err) &&
	     token_destroy(key, err);
	if (ok) {
		log_say(run->log, "destroyed key %s", run->options->label);
		ok = say_copies(run, token, err) &&
		     check_gone(run, token, info, trace, err);
	}
	if (ok)
		log_say(run->log,
			"token %s, serial %s, has no object of this key any more",
			info->label, info->serial);
	token_trace_free(trace);
	return ok;
}

bool keys_keydelete(struct keys_run *run, struct err *err)
{
	const struct token_key *key = NULL;
	const struct token_info *info = NULL;
	uint8_t algorithm;

	if (!keys_find(run, &key, err) || !check_only_copy(run, err) ||
		!keys_check_identity(run, key, err) ||
		!token_info(key->token, &info, err) ||
		!keys_choose_algorithm(run, key, &algorithm, err) ||
		!keys_say_records(run, key, algorithm, err))
		return false;
	say_unproven(run, key, algorithm);
	return destroy(run, key, info, err) &&
	       keys_told(run, "the key is destroyed", err);
}
