/* SPDX-License-Identifier: ISC */
#include "config/settings.h"

#include "base/hex.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "dns/algorithm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MAX INT32_MAX /* RFC 2181 §8 */
#define BUNDLES_MAX 10000
#define KEYS_MAX 100

#define AT(section, member) offsetof(struct config_##section, member)
#define BOOL(section, member, fallback)                                        \
	{#member, SETTING_BOOL, AT(section, member), fallback, 0, 0, false,    \
		SETTING_NO_FLAG}
#define NUMBER(section, member, fallback, min, max)                            \
	{#member, SETTING_NUMBER, AT(section, member), fallback, min, max,     \
		false, SETTING_NO_FLAG}
#define NUMBERS(section, member, fallback, min, max)                           \
	{#member, SETTING_NUMBERS, AT(section, member), fallback, min, max,    \
		false, SETTING_NO_FLAG}
#define DURATION(section, member, fallback)                                    \
	{#member, SETTING_DURATION, AT(section, member), fallback, 0, 0,       \
		false, SETTING_NO_FLAG}
#define OTHER(type, section, member, fallback, required)                       \
	{#member, SETTING_##type, AT(section, member), fallback, 0, 0,         \
		required, SETTING_NO_FLAG}
#define FLAGGED(type, section, member, max)                                    \
	{#member, SETTING_##type, AT(section, member), NULL, 0, max, false,    \
		AT(section, has_##member)}

const struct setting settings_hsm[] = {
	OTHER(TEXT, hsm, module, NULL, true),
	OTHER(SECRET, hsm, pin, NULL, false),
	OTHER(SECRET, hsm, so_pin, NULL, false),
	OTHER(ENV, hsm, env, NULL, false),
	{.name = NULL},
};

const struct setting settings_key[] = {
	OTHER(TEXT, key, description, "", false),
	OTHER(TEXT, key, label, NULL, true),
	FLAGGED(TAG, key, key_tag, UINT16_MAX),
	OTHER(ALGORITHM, key, algorithm, NULL, true),
	NUMBER(key, rsa_size, NULL, 1024, 4096),
	NUMBER(key, rsa_exponent, NULL, 3, UINT32_MAX),
	OTHER(TIME, key, valid_from, NULL, true),
	OTHER(TIME, key, valid_until, NULL, false),
	FLAGGED(SHA256, key, ds_sha256, 0),
	BOOL(key, hash_using_hsm, "false"),
	{.name = NULL},
};

const struct setting settings_filenames[] = {
	OTHER(TEXT, filenames, previous_skr, NULL, false),
	OTHER(TEXT, filenames, input_ksr, NULL, false),
	OTHER(TEXT, filenames, output_skr, NULL, false),
	OTHER(TEXT, filenames, output_trustanchor, NULL, false),
	{.name = NULL},
};

const struct setting settings_request_policy[] = {
	OTHER(NAMES, request_policy, acceptable_domains, ".", false),
	NUMBER(request_policy, max_file_size, "1048576", 1, 1 << 30),
	NUMBER(request_policy, num_bundles, "9", 1, BUNDLES_MAX),
	BOOL(request_policy, validate_signatures, "true"),
	BOOL(request_policy, keys_match_zsk_policy, "true"),
	BOOL(request_policy, rsa_exponent_match_zsk_policy, "true"),
	BOOL(request_policy, enable_unsupported_ecdsa, "false"),
	BOOL(request_policy, enable_unsupported_edwards_dsa, "false"),
	BOOL(request_policy, check_cycle_length, "true"),
	DURATION(request_policy, min_cycle_inception_length, "P79D"),
	DURATION(request_policy, max_cycle_inception_length, "P81D"),
	DURATION(request_policy, min_bundle_interval, "P9D"),
	DURATION(request_policy, max_bundle_interval, "P11D"),
	BOOL(request_policy, check_bundle_overlap, "true"),
	BOOL(request_policy, check_bundle_intervals, "true"),
	BOOL(request_policy, signature_algorithms_match_zsk_policy, "true"),
	BOOL(request_policy, signature_validity_match_zsk_policy, "true"),
	BOOL(request_policy, signature_check_expire_horizon, "true"),
	NUMBER(request_policy, signature_horizon_days, "180", 0, 36525),
	BOOL(request_policy, check_keys_match_ksk_operator_policy, "true"),
	NUMBERS(request_policy, num_keys_per_bundle, "2 1 1 1 1 1 1 1 2", 1,
		KEYS_MAX),
	NUMBER(request_policy, num_different_keys_in_all_bundles, "3", 1,
		KEYS_MAX *BUNDLES_MAX),
	NUMBER(request_policy, dns_ttl, "0", 0, TTL_MAX),
	BOOL(request_policy, check_chain_keys, "true"),
	BOOL(request_policy, check_chain_keys_in_hsm, "true"),
	BOOL(request_policy, check_chain_overlap, "true"),
	BOOL(request_policy, check_keys_publish_safety, "true"),
	BOOL(request_policy, check_keys_retire_safety, "true"),
	OTHER(ALGORITHMS, request_policy, approved_algorithms, "RSASHA256",
		false),
	NUMBERS(request_policy, rsa_approved_exponents, "65537", 3, UINT32_MAX),
	NUMBERS(request_policy, rsa_approved_key_sizes, "2048", 512, 4096),
	{.name = NULL},
};

const struct setting settings_response_policy[] = {
	NUMBER(response_policy, num_bundles, "9", 1, BUNDLES_MAX),
	BOOL(response_policy, validate_signatures, "true"),
	{.name = NULL},
};

const struct setting settings_ksk_policy[] = {
	OTHER(TEXT, ksk_policy, signers_name, ".", false),
	DURATION(ksk_policy, publish_safety, "P10D"),
	DURATION(ksk_policy, retire_safety, "P10D"),
	DURATION(ksk_policy, max_signature_validity, "P21D"),
	DURATION(ksk_policy, min_signature_validity, "P21D"),
	DURATION(ksk_policy, max_validity_overlap, "P16D"),
	DURATION(ksk_policy, min_validity_overlap, "P9D"),
	NUMBER(ksk_policy, ttl, "172800", 0, TTL_MAX),
	{.name = NULL},
};

static void *member_at(void *section, size_t offset)
{
	return (char *)section + offset;
}

static bool parse_bool(const struct scalar *scalar, bool *out, struct err *err)
{
	/* YAML 1.1, without the letters y and n alone. */
	static const char *const words[][2] = {
		{"false", "true"},
		{"False", "True"},
		{"FALSE", "TRUE"},
		{"no", "yes"},
		{"No", "Yes"},
		{"NO", "YES"},
		{"off", "on"},
		{"Off", "On"},
		{"OFF", "ON"},
	};

	for (size_t i = 0; scalar->plain && i < sizeof(words) / sizeof(*words);
		i++)
		for (size_t value = 0; value < 2; value++)
			if (strcmp(scalar->text, words[i][value]) == 0) {
				*out = value == 1;
				return true;
			}
	return err_set(err, ERR_USAGE, "expected true or false");
}

static bool parse_number(const struct scalar *scalar, uint32_t min,
	uint32_t max, uint32_t *out, struct err *err)
{
	int64_t number;

	/* A leading zero would make it octal to other readers of YAML 1.1. */
	if (!scalar->plain || (scalar->text[0] == '0' && scalar->length > 1) ||
		!number_parse(scalar->text, min, max, &number, err))
		return err_set(err, ERR_USAGE,
			"expected a number from %u to %u", min, max);
	*out = (uint32_t)number;
	return true;
}

static bool is_null(const struct scalar *scalar)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (scalar->plain && strcmp(scalar->text, words[i]) == 0)
			return true;
	return false;
}

static bool parse_text(const struct scalar *scalar, char **out, struct err *err)
{
	char *copy;

	if (is_null(scalar) || scalar->length == 0)
		return err_set(err, ERR_USAGE, "expected a text, found none");
	for (size_t i = 0; i < scalar->length; i++) {
		unsigned char c = (unsigned char)scalar->text[i];

		if (c < 0x20 || c == 0x7f)
			return err_set(err, ERR_USAGE,
				"control character in a text");
	}
	copy = text_copy(scalar->text, err);
	if (copy == NULL)
		return false;
	*out = copy;
	return true;
}

static bool parse_algorithm(
	const struct scalar *scalar, uint8_t *out, struct err *err)
{
	const struct algorithm *algorithm = algorithm_by_name(scalar->text);

	if (algorithm == NULL)
		return err_set(err, ERR_USAGE,
			"expected an algorithm's name: RSASHA256, RSASHA512, "
			"ECDSAP256SHA256, ECDSAP384SHA384, ED25519 or ED448");
	*out = algorithm->number;
	return true;
}

static bool parse_sha256(
	const struct scalar *scalar, uint8_t *out, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	bool ok;

	ok = hex_decode(scalar->text, &bytes, err) &&
	     bytes.len == CONFIG_SHA256_SIZE;
	if (ok)
		memcpy(out, bytes.data, bytes.len);
	else
		err_set(err, ERR_USAGE, "expected 64 hexadecimal digits");
	buf_free(&bytes);
	return ok;
}

static bool parse_secret(
	const struct scalar *scalar, struct secret **out, struct err *err)
{
	if (is_null(scalar) || scalar->length == 0)
		return err_set(err, ERR_USAGE, "empty; leave it out to be "
					       "asked on the terminal");
	return secret_copy(scalar->text, scalar->length, out, err);
}

static bool append_number(
	struct config_numbers *list, uint32_t number, struct err *err)
{
	uint32_t *grown = reallocarray(
		list->numbers, list->count + 1, sizeof(*list->numbers));

	if (grown == NULL)
		return err_nomem(err);
	grown[list->count++] = number;
	list->numbers = grown;
	return true;
}

static bool append_name(
	struct config_names *list, const struct scalar *scalar, struct err *err)
{
	char *name = NULL;
	char **grown;

	if (!parse_text(scalar, &name, err))
		return false;
	grown = reallocarray(
		list->names, list->count + 1, sizeof(*list->names));
	if (grown == NULL) {
		free(name);
		return err_nomem(err);
	}
	grown[list->count++] = name;
	list->names = grown;
	return true;
}

/* One scalar, or one item of a list, into the member. */
static bool parse_scalar(const struct setting *setting, void *member,
	const struct scalar *scalar, struct err *err)
{
	uint32_t number = 0;
	uint8_t algorithm = 0;

	switch (setting->type) {
	case SETTING_BOOL:
		return parse_bool(scalar, member, err);
	case SETTING_NUMBER:
		return parse_number(
			scalar, setting->min, setting->max, member, err);
	case SETTING_TAG:
		if (!parse_number(scalar, 0, UINT16_MAX, &number, err))
			return false;
		*(uint16_t *)member = (uint16_t)number;
		return true;
	case SETTING_DURATION:
		return time_duration_parse(scalar->text, member, err);
	case SETTING_TIME:
		return time_parse(scalar->text, member, err);
	case SETTING_TEXT:
		return parse_text(scalar, member, err);
	case SETTING_NAMES:
		return append_name(member, scalar, err);
	case SETTING_NUMBERS:
		return parse_number(scalar, setting->min, setting->max, &number,
			       err) &&
		       append_number(member, number, err);
	case SETTING_ALGORITHM:
		return parse_algorithm(scalar, member, err);
	case SETTING_ALGORITHMS:
		return parse_algorithm(scalar, &algorithm, err) &&
		       append_number(member, algorithm, err);
	case SETTING_SHA256:
		return parse_sha256(scalar, member, err);
	case SETTING_SECRET:
		return parse_secret(scalar, member, err);
	case SETTING_ENV:
		break;
	}
	assert(!"a setting that is not a scalar");
	return false;
}
