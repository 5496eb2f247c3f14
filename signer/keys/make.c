/* SPDX-License-Identifier: ISC */
/* Keys come and go. */
#include "keys/commands.h"

#include "base/number.h"
#include "base/time.h"
#include "dns/algorithm.h"

#include <stdio.h>
#include <string.h>

/*
 * A label as the root's keys have them: K and the time, its first 30 bits in
 * base 32 (RFC 4648 §6, lowercase).  Klajeyz is 2016-10-27T18:50:12.
 */
static void label_of_time(int64_t now, char out[8])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint32_t bits = (uint32_t)now >> 2;

	out[0] = 'K';
	for (size_t i = 6; i > 0; i--) {
		out[i] = digits[bits & 31];
		bits >>= 5;
	}
	out[7] = '\0';
}

/* Algorithm and size from the options; a curve's size may be left out. */
static bool read_kind(const struct keys_options *options,
	const struct algorithm **algorithm, uint32_t *bits, struct err *err)
{
	int64_t size = 0;

	if (!keys_require(options->algorithm, "algorithm", err))
		return false;
	*algorithm = algorithm_by_name(options->algorithm);
	if (!algorithm_is_supported(*algorithm))
		return err_set(err, ERR_USAGE,
			"--algorithm %s: expected RSASHA256, RSASHA512, "
			"ECDSAP256SHA256, ECDSAP384SHA384, ED25519 or ED448",
			options->algorithm);
	if (options->size == NULL && (*algorithm)->family == ALGORITHM_RSA)
		return keys_require(options->size, "size", err);
	if (options->size != NULL &&
		!number_parse(options->size, 0, 65536, &size, err)) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "--size");
	}
	if (options->size != NULL && (*algorithm)->family != ALGORITHM_RSA &&
		size != (*algorithm)->bits)
		return err_set(err, ERR_USAGE, "%s has %u bits, not %s",
			options->algorithm, (*algorithm)->bits, options->size);
	*bits = (uint32_t)size;
	return true;
}

bool keys_keygen(struct keys_run *run, struct err *err)
{
	const struct keys_options *options = run->options;
	const struct algorithm *algorithm;
	const struct token_key *key = NULL, *elsewhere = NULL;
	const char *label = options->label;
	enum token_key_type type;
	struct token *token;
	char made_label[8], kind[32];
	uint32_t bits = 0;
	struct err ignored = ERR_EMPTY;

	label_of_time(time_now(), made_label);
	if (label == NULL)
		label = made_label;
	if (!keys_check_text(label, "label", err) ||
		!read_kind(options, &algorithm, &bits, err) ||
		!token_key_type(algorithm->number, &type, err) ||
		!keys_token(run, &token, err) ||
		!token_set_find(run->set, label, &elsewhere, err))
		return false;
	if (elsewhere != NULL)
		return err_set(err, ERR_HSM,
			"there is a key labelled %s already", label);
	if (!log_ok(run->log, err) || !token_generate(token, label, type, bits,
					      options->extractable, &key, err))
		return false;
	if (!keys_prove(key, algorithm->number, err)) {
		(void)token_destroy(key, &ignored);
		return err_prefix(err, "destroyed again");
	}
	keys_describe(key, kind, sizeof(kind));
	log_say(run->log, "made key %s, %s, %s", label, kind,
		options->extractable
			? "which may leave its token wrapped (backup)"
			: "which never leaves its token");
	return keys_say_records(run, key, algorithm->number, err);
}

/* With a copy in another token, "the key" would be a guess. */
static bool check_only_copy(struct keys_run *run, struct err *err)
{
	const char *label = run->options->label;
	size_t copies = 0;

	if (run->options->token != NULL)
		return true;
	for (size_t i = 0; i < token_set_count(run->set); i++) {
		const struct token_key *key = NULL;

		if (!token_find(token_set_token(run->set, i), label, &key, err))
			return false;
		copies += key != NULL;
	}
	if (copies > 1)
		return err_set(err, ERR_USAGE,
			"%zu tokens have a key labelled %s: choose one with "
			"--token LABEL",
			copies, label);
	return true;
}

bool keys_keydelete(struct keys_run *run, struct err *err)
{
	const struct token_key *key = NULL;
	const struct token_info *info = NULL;
	char question[256], kind[32];
	uint8_t algorithm;

	if (!keys_find(run, &key, err) || !check_only_copy(run, err) ||
		!token_info(key->token, &info, err))
		return false;
	keys_describe(key, kind, sizeof(kind));
	if (!keys_choose_algorithm(run, key, &algorithm, err) ||
		!keys_say_records(run, key, algorithm, err))
		return false;
	snprintf(question, sizeof(question),
		"Destroy the key %.64s (%s) in token %s, serial %s", key->label,
		kind, info->label, info->serial);
	if (!keys_confirm(run, question, err) || !log_ok(run->log, err) ||
		!token_destroy(key, err))
		return false;
	log_say(run->log, "destroyed key %s", run->options->label);
	return true;
}
