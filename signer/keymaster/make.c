/* SPDX-License-Identifier: ISC */
/* Keys come and go. */
#include "signer/keymaster/commands.h"

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/dns/algorithm.h"

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

	*algorithm = algorithm_by_name(options->algorithm);
	if (!algorithm_is_supported(*algorithm))
		return err_set(err, ERR_USAGE,
			"--algorithm %s: expected RSASHA256, RSASHA512, ECDSAP256SHA256, ECDSAP384SHA384, ED25519 or ED448",
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

/* How often a key is made anew because its tag is in use. */
#define TRIES_MAX 8

/* What is to be made, and where. */
struct wish {
	const char *label;
	const struct algorithm *algorithm;
	enum token_key_type type;
	uint32_t bits;
	struct token *token;
};

/* What the configuration says of one key and of no other; NULL: nothing. */
static const char *stated(const struct config_key *want)
{
	if (want->has_ds_sha256)
		return "ds_sha256";
	if (want->public_key.len > 0)
		return "public_key";
	return want->has_key_tag ? "key_tag" : NULL;
}

/* A new key under a configured label must be able to be the configured one. */
static bool check_configured(
	struct keys_run *run, const struct wish *wish, struct err *err)
{
	const struct config_key *want =
		config_key_labelled(run->config, wish->label);

	if (want == NULL)
		return true;
	if (stated(want) != NULL)
		return err_set(err, ERR_REFUSED,
			"--label %s: keys.%s states the %s of this key, which a new one cannot have",
			wish->label, want->name, stated(want));
	if (want->algorithm != wish->algorithm->number)
		return err_set(err, ERR_REFUSED,
			"--algorithm %s: keys.%s (label %s) has %s",
			wish->algorithm->name, want->name, wish->label,
			algorithm_name(want->algorithm));
	if (want->rsa_size != 0 && want->rsa_size != wish->bits)
		return err_set(err, ERR_REFUSED,
			"--size %u: keys.%s (label %s) has rsa_size %u",
			wish->bits, want->name, wish->label, want->rsa_size);
	if (want->rsa_exponent != 0 && want->rsa_exponent != TOKEN_EXPONENT)
		return err_set(err, ERR_REFUSED,
			"--label %s: keys.%s has rsa_exponent %u, and a new key has %u",
			wish->label, want->name, want->rsa_exponent,
			TOKEN_EXPONENT);
	return true;
}

/* Both tags of a key, as it is and revoked; its flags are set to either. */
static void tags_of(struct dnskey *dnskey, uint16_t tags[2])
{
	dnskey->flags = DNSKEY_FLAGS_KSK;
	tags[0] = dnskey_tag(dnskey);
	dnskey->flags = DNSKEY_FLAGS_KSK_REVOKED;
	tags[1] = dnskey_tag(dnskey);
}

static bool both_tags(const struct token_key *key, uint8_t algorithm,
	uint16_t tags[2], struct err *err)
{
	struct dnskey dnskey = DNSKEY_EMPTY;

	if (!token_key_dnskey(key, DNSKEY_FLAGS_KSK, algorithm, &dnskey, err))
		return false;
	tags_of(&dnskey, tags);
	dnskey_free(&dnskey);
	return true;
}

static bool is_either(const uint16_t tags[2], uint16_t tag)
{
	return tags[0] == tag || tags[1] == tag;
}

/*
 * Does a key that has TAG have one of these, as it is or revoked?  The flag
 * adds 128, and 1 more where that carries (RFC 4034, Appendix B): which of the
 * two it is, the tag alone does not tell.
 */
static bool has_either(uint16_t tag, const uint16_t tags[2])
{
	return is_either(tags, tag) || is_either(tags, (uint16_t)(tag + 128)) ||
	       is_either(tags, (uint16_t)(tag + 129));
}

/* Has a configured key, which no token need have, one of the tags? */
static bool config_has_tag(const struct config_key *key, const uint16_t tags[2])
{
	struct dnskey dnskey = {.protocol = DNSKEY_PROTOCOL,
		.algorithm = key->algorithm,
		.public_key = key->public_key}; /* borrows */
	uint16_t others[2];

	if (key->public_key.len == 0)
		return key->has_key_tag && has_either(key->key_tag, tags);
	tags_of(&dnskey, others);
	return is_either(tags, others[0]) || is_either(tags, others[1]);
}

/* Does a key of this token, other than the new one, have one of its tags? */
static bool token_has_tag(struct keys_run *run, struct token *token,
	const struct token_key *new, const uint16_t tags[2], bool *used,
	struct err *err)
{
	struct token_labels labels = {.count = 0};
	size_t unlabelled = 0;

	if (!token_labels(token, &labels, &unlabelled, err))
		return false;
	for (size_t i = 0; i < labels.count && !*used; i++) {
		const struct token_key *key = NULL;
		struct err ignored = ERR_EMPTY;
		uint16_t others[2];

		/* What cannot be read cannot be published either. */
		if (!token_find_bytes(token, labels.list[i].data,
			    labels.list[i].len, &key, &ignored) ||
			key == NULL || key == new ||
			!both_tags(key, keys_algorithm(run->config, key),
				others, &ignored))
			continue;
		*used = is_either(tags, others[0]) ||
			is_either(tags, others[1]);
	}
	token_labels_free(&labels);
	return true;
}

/* Has a key that is in a token or configured one of the new key's tags? */
static bool find_tag(struct keys_run *run, const struct token_key *new,
	uint8_t algorithm, bool *used, struct err *err)
{
	uint16_t tags[2];

	*used = false;
	if (!both_tags(new, algorithm, tags, err))
		return false;
	for (size_t i = 0; i < run->config->key_count; i++)
		*used |= config_has_tag(&run->config->keys[i], tags);
	for (size_t i = 0; i < token_set_count(run->set) && !*used; i++)
		if (!token_has_tag(run, token_set_token(run->set, i), new, tags,
			    used, err))
			return false;
	return true;
}

/* Make a key that signs, with a tag of its own; what is not so goes again. */
static bool make_key(struct keys_run *run, const struct wish *wish,
	const struct token_key **out, struct err *err)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		bool used = false;

		if (!token_generate(wish->token, wish->label, wish->type,
			    wish->bits, run->options->extractable, out, err))
			return false;
		if (!keys_prove(*out, wish->algorithm->number, err) ||
			!find_tag(
				run, *out, wish->algorithm->number, &used, err))
			return token_take_back(*out, err);
		if (!used)
			return true;
		if (!token_destroy(*out, err))
			return err_prefix(err,
				"key %s was made, has the key tag of another, could NOT be destroyed and may be in the token",
				wish->label);
		log_say(run->log,
			"the new key has the key tag of another: destroyed, and made anew");
	}
	return err_set(err, ERR_HSM,
		"%d keys were made, and each had the key tag of another",
		TRIES_MAX);
}

/* What the command line and the configuration say of the key to be made. */
static bool read_options(
	struct keys_run *run, struct wish *wish, struct err *err)
{
	return keys_check_label(wish->label, err) &&
	       read_kind(run->options, &wish->algorithm, &wish->bits, err) &&
	       token_key_type(wish->algorithm->number, &wish->type, err) &&
	       token_check_bits(wish->type, wish->bits, err) &&
	       check_configured(run, wish, err);
}

/* Everything that must hold before a key is made. */
static bool read_wish(struct keys_run *run, struct wish *wish, struct err *err)
{
	const struct token_key *elsewhere = NULL;

	if (!read_options(run, wish, err) ||
		!keys_token(run, &wish->token, err) ||
		!token_set_find(run->set, wish->label, &elsewhere, err))
		return false;
	if (elsewhere != NULL)
		return err_set(err, ERR_HSM,
			"there is a key labelled %s already", wish->label);
	return log_ok(run->log, err);
}

/* The label that is wanted, else that of the time in made. */
static const char *choose_label(
	const struct keys_options *options, char made[8])
{
	label_of_time(time_now(), made);
	return options->label != NULL ? options->label : made;
}

bool keys_before_keygen(struct keys_run *run, struct err *err)
{
	char made_label[8];
	struct wish wish = {.label = choose_label(run->options, made_label)};

	return read_options(run, &wish, err);
}

bool keys_keygen(struct keys_run *run, struct err *err)
{
	const struct token_key *key = NULL;
	char made_label[8], kind[32];
	struct wish wish = {.label = choose_label(run->options, made_label)};

	if (!read_wish(run, &wish, err) || !make_key(run, &wish, &key, err))
		return false;
	keys_describe(key, kind, sizeof(kind));
	log_say(run->log, "made key %s, %s, %s", wish.label, kind,
		run->options->extractable
			? "which may leave its token wrapped (backup)"
			: "which never leaves its token");
	return (keys_say_records(run, key, wish.algorithm->number, err) &&
		       log_ok(run->log, err)) ||
	       err_prefix(
		       err, "key %s was made and is in the token", wish.label);
}
