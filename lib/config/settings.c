/* SPDX-License-Identifier: ISC */
#include "lib/config/settings.h"

#include "lib/base/array.h"
#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/dns/algorithm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MAX INT32_MAX /* RFC 2181 §8 */
#define BUNDLES_MAX 10000
#define KEYS_MAX 100
#define KNOWN_SHOWN 12

#define AT(section, member) offsetof(struct config_##section, member)
#define ROW(kind, section, member, ...)                                        \
	{.name = #member,                                                      \
		.type = SETTING_##kind,                                        \
		.offset = AT(section, member),                                 \
		__VA_ARGS__}

const struct setting settings_experiment[] = {
	ROW(BOOL, experiment, algorithms, .fallback = "false"),
	{.name = NULL},
};

const struct setting settings_hsm[] = {
	ROW(TEXT, hsm, module, .required = true),
	ROW(SECRET, hsm, pin, .fallback = NULL),
	ROW(SECRET, hsm, so_pin, .fallback = NULL),
	ROW(ENV, hsm, env, .fallback = NULL),
	ROW(TEXT, hsm, token, .fallback = NULL),
	ROW(TEXT, hsm, serial, .fallback = NULL),
	ROW(TEXT, hsm, slot, .fallback = NULL),
	{.name = NULL},
};

const struct setting settings_key[] = {
	ROW(NOTE, key, description, .fallback = NULL),
	ROW(TEXT, key, label, .required = true),
	ROW(TAG, key, key_tag, .flag = AT(key, has_key_tag)),
	ROW(ALGORITHM, key, algorithm, .required = true),
	ROW(NUMBER, key, rsa_size, .min = 1024, .max = 4096),
	ROW(NUMBER, key, rsa_exponent, .min = 3, .max = UINT32_MAX),
	ROW(TIME, key, valid_from, .required = true),
	ROW(TIME, key, valid_until, .fallback = NULL),
	ROW(SHA256, key, ds_sha256, .flag = AT(key, has_ds_sha256)),
	ROW(BOOL, key, hash_using_hsm, .fallback = "false"),
	ROW(BASE64, key, public_key, .fallback = NULL),
	{.name = NULL},
};

const struct setting settings_filenames[] = {
	ROW(TEXT, filenames, previous_skr, .fallback = NULL),
	ROW(TEXT, filenames, input_ksr, .fallback = NULL),
	ROW(TEXT, filenames, output_skr, .fallback = NULL),
	ROW(TEXT, filenames, output_trustanchor, .fallback = NULL),
	{.name = NULL},
};

const struct setting settings_request_policy[] = {
	ROW(NAMES, request_policy, acceptable_domains, .fallback = "."),
	ROW(NUMBER, request_policy, max_file_size, .fallback = "1048576",
		.min = 1, .max = 1 << 30),
	ROW(NUMBER, request_policy, num_bundles, .fallback = "9", .min = 1,
		.max = BUNDLES_MAX),
	ROW(BOOL, request_policy, validate_signatures, .fallback = "true"),
	ROW(BOOL, request_policy, keys_match_zsk_policy, .fallback = "true"),
	ROW(BOOL, request_policy, rsa_exponent_match_zsk_policy,
		.fallback = "true"),
	ROW(BOOL, request_policy, enable_unsupported_ecdsa,
		.fallback = "false"),
	ROW(BOOL, request_policy, enable_unsupported_edwards_dsa,
		.fallback = "false"),
	ROW(BOOL, request_policy, check_cycle_length, .fallback = "true"),
	ROW(DURATION, request_policy, min_cycle_inception_length,
		.fallback = "P79D"),
	ROW(DURATION, request_policy, max_cycle_inception_length,
		.fallback = "P81D"),
	ROW(DURATION, request_policy, min_bundle_interval, .fallback = "P9D"),
	ROW(DURATION, request_policy, max_bundle_interval, .fallback = "P11D"),
	ROW(BOOL, request_policy, check_bundle_overlap, .fallback = "true"),
	ROW(BOOL, request_policy, check_bundle_intervals, .fallback = "true"),
	ROW(BOOL, request_policy, signature_algorithms_match_zsk_policy,
		.fallback = "true"),
	ROW(BOOL, request_policy, signature_validity_match_zsk_policy,
		.fallback = "true"),
	ROW(BOOL, request_policy, signature_check_expire_horizon,
		.fallback = "true"),
	ROW(NUMBER, request_policy, signature_horizon_days, .fallback = "180",
		.min = 0, .max = 36525),
	ROW(BOOL, request_policy, check_keys_match_ksk_operator_policy,
		.fallback = "true"),
	ROW(NUMBERS, request_policy, num_keys_per_bundle,
		.fallback = "2 1 1 1 1 1 1 1 2", .min = 1, .max = KEYS_MAX,
		.flag = AT(request_policy, has_num_keys_per_bundle)),
	ROW(NUMBER, request_policy, num_different_keys_in_all_bundles,
		.fallback = "3", .min = 1, .max = KEYS_MAX * BUNDLES_MAX,
		.flag = AT(request_policy, has_num_different_keys)),
	ROW(POLICIES, request_policy, algorithms, .fallback = NULL),
	ROW(NUMBER, request_policy, dns_ttl, .fallback = "0", .min = 0,
		.max = TTL_MAX),
	ROW(BOOL, request_policy, check_chain_keys, .fallback = "true"),
	ROW(BOOL, request_policy, check_chain_keys_in_hsm, .fallback = "true"),
	ROW(BOOL, request_policy, check_chain_overlap, .fallback = "true"),
	ROW(TEXT, request_policy, previous_member, .fallback = NULL),
	ROW(BOOL, request_policy, check_keys_publish_safety,
		.fallback = "true"),
	ROW(BOOL, request_policy, check_keys_retire_safety, .fallback = "true"),
	ROW(ALGORITHMS, request_policy, approved_algorithms,
		.fallback = "RSASHA256"),
	ROW(NUMBERS, request_policy, rsa_approved_exponents,
		.fallback = "65537", .min = 3, .max = UINT32_MAX),
	ROW(NUMBERS, request_policy, rsa_approved_key_sizes, .fallback = "2048",
		.min = 512, .max = 4096),
	{.name = NULL},
};

const struct setting settings_response_policy[] = {
	ROW(NUMBER, response_policy, num_bundles, .fallback = "9", .min = 1,
		.max = BUNDLES_MAX),
	ROW(BOOL, response_policy, validate_signatures, .fallback = "true"),
	{.name = NULL},
};

const struct setting settings_ksk_policy[] = {
	ROW(TEXT, ksk_policy, signers_name, .fallback = NULL),
	ROW(DURATION, ksk_policy, publish_safety, .fallback = "P10D"),
	ROW(DURATION, ksk_policy, retire_safety, .fallback = "P10D"),
	ROW(DURATION, ksk_policy, max_signature_validity, .fallback = "P21D"),
	ROW(DURATION, ksk_policy, min_signature_validity, .fallback = "P21D"),
	ROW(DURATION, ksk_policy, max_validity_overlap, .fallback = "P16D"),
	ROW(DURATION, ksk_policy, min_validity_overlap, .fallback = "P9D"),
	ROW(NUMBER, ksk_policy, ttl, .fallback = "172800", .min = 0,
		.max = TTL_MAX),
	{.name = NULL},
};

const struct setting settings_algorithm_policy[] = {
	ROW(NUMBERS, algorithm_policy, num_keys_per_bundle, .min = 0,
		.max = KEYS_MAX),
	ROW(NUMBER, algorithm_policy, num_different_keys_in_all_bundles,
		.min = 0, .max = KEYS_MAX * BUNDLES_MAX,
		.flag = AT(algorithm_policy, has_num_different_keys)),
	ROW(NUMBERS, algorithm_policy, rsa_approved_exponents, .min = 3,
		.max = UINT32_MAX),
	ROW(NUMBERS, algorithm_policy, rsa_approved_key_sizes, .min = 512,
		.max = 4096),
	{.name = NULL},
};

const struct setting settings_slot_algorithms[] = {
	ROW(ALGORITHMS, slot_algorithms, published, .required = true),
	ROW(ALGORITHMS, slot_algorithms, signing, .required = true),
	ROW(ALGORITHMS, slot_algorithms, zsks,
		.flag = AT(slot_algorithms, has_zsks)),
	ROW(ALGORITHMS, slot_algorithms, begins, .fallback = NULL),
	ROW(ALGORITHMS, slot_algorithms, ends, .fallback = NULL),
	{.name = NULL},
};

const struct setting settings_slot[] = {
	ROW(KEYS, slot, publish, .fallback = NULL),
	ROW(KEYS, slot, revoke, .fallback = NULL),
	ROW(KEYS, slot, sign, .required = true),
	ROW(KEYS, slot, sign_only, .fallback = NULL),
	ROW(TABLE, slot, algorithms, .flag = AT(slot, algorithms.stated),
		.table = settings_slot_algorithms),
	{.name = NULL},
};

const struct setting settings_member[] = {
	ROW(TEXT, member, schema, .required = true),
	ROW(TEXT, member, follows, .fallback = NULL),
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

static bool parse_text(const struct scalar *scalar, bool may_be_empty,
	char **out, struct err *err)
{
	char *copy;

	if (is_null(scalar) || (scalar->length == 0 && !may_be_empty))
		return err_set(err, ERR_USAGE, "expected a text, found none");
	for (size_t i = 0; i < scalar->length; i++) {
		unsigned char c = (unsigned char)scalar->text[i];

		if (c < 0x20 || c == 0x7f)
			return err_set(
				err, ERR_USAGE, "control character in a text");
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

	if (!algorithm_is_supported(algorithm))
		return err_set(err, ERR_USAGE,
			"%s algorithm; expected RSASHA256, RSASHA512, ECDSAP256SHA256, ECDSAP384SHA384, ED25519 or ED448",
			algorithm == NULL ? "unknown" : "deprecated");
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
		return err_set(err, ERR_USAGE,
			"empty; leave it out to be asked on the terminal");
	/* A line's end from "|" or ">" would be an attempt with a wrong PIN. */
	for (size_t i = 0; i < scalar->length; i++) {
		unsigned char c = (unsigned char)scalar->text[i];

		if (c < 0x20 || c == 0x7f)
			return err_set(err, ERR_USAGE,
				"control character or end of a line in it, expected a PIN on the line of its name");
	}
	return secret_copy(scalar->text, scalar->length, out, err);
}

static bool parse_base64(
	const struct scalar *scalar, struct buf *out, struct err *err)
{
	if (base64_decode(scalar->text, out, err) && out->len > 0)
		return true;
	buf_free(out);
	return err_set(err, ERR_USAGE, "expected base64");
}

static bool append_number(
	struct config_numbers *list, uint32_t number, struct err *err)
{
	uint32_t *added =
		array_grow(&list->numbers, &list->count, sizeof(*added), err);

	if (added == NULL)
		return false;
	*added = number;
	return true;
}

static bool append_name(
	struct config_names *list, const struct scalar *scalar, struct err *err)
{
	char **added =
		array_grow(&list->names, &list->count, sizeof(*added), err);

	return added != NULL && parse_text(scalar, false, added, err);
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
	case SETTING_NOTE:
		return parse_text(
			scalar, setting->type == SETTING_NOTE, member, err);
	case SETTING_NAMES:
	case SETTING_KEYS:
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
	case SETTING_BASE64:
		return parse_base64(scalar, member, err);
	case SETTING_ENV:
	case SETTING_TABLE:
	case SETTING_POLICIES:
		break;
	}
	assert(false); /* a map is not read here */
	return false;
}

struct item_context {
	const struct setting *setting;
	void *member;
};

/* A reader_item that places the message of parse_scalar. */
static bool read_item(void *context, struct reader *reader,
	const struct scalar *scalar, struct err *err)
{
	const struct item_context *item = context;
	struct err why = ERR_EMPTY;

	if (parse_scalar(item->setting, item->member, scalar, &why))
		return true;
	return reader_refuse(reader, err, "%s", why.text);
}

static bool is_variable_name(const char *name)
{
	static const char characters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

	return name[strspn(name, characters)] == '\0' &&
	       strchr("0123456789", name[0]) == NULL;
}

/* A reader_entry: one variable of env. */
static bool read_variable(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	static const struct setting text = {
		.name = "env", .type = SETTING_NOTE};
	struct config_env *env = context;
	struct config_variable *added;

	if (!is_variable_name(key))
		return reader_refuse(
			reader, err, "not the name of an environment variable");
	added = array_grow(&env->variables, &env->count, sizeof(*added), err);
	if (added == NULL)
		return false;
	added->name = text_copy(key, err);
	if (added->name == NULL)
		return false;
	return reader_scalar(reader, read_item,
		&(struct item_context){&text, &added->value}, err);
}

/* A reader_entry: the policy of one algorithm. */
static bool read_policy(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	const struct scalar name = {.text = key, .length = strlen(key)};
	struct config_algorithm_policies *list = context;
	struct config_algorithm_policy *added;
	struct err why = ERR_EMPTY;
	uint8_t algorithm;

	if (!parse_algorithm(&name, &algorithm, &why))
		return reader_refuse(reader, err, "%s", why.text);
	added = array_grow(&list->policies, &list->count, sizeof(*added), err);
	if (added == NULL)
		return false;
	added->algorithm = algorithm;
	return settings_read(settings_algorithm_policy, added, reader, err);
}

static void free_env(struct config_env *env)
{
	for (size_t i = 0; i < env->count; i++) {
		free(env->variables[i].name);
		free(env->variables[i].value);
	}
	free(env->variables);
	*env = (struct config_env){.count = 0};
}

static void free_policies(struct config_algorithm_policies *list)
{
	for (size_t i = 0; i < list->count; i++)
		settings_free(settings_algorithm_policy, &list->policies[i]);
	free(list->policies);
	*list = (struct config_algorithm_policies){.count = 0};
}

static void free_member(const struct setting *setting, void *member)
{
	struct config_names *names = member;
	struct config_numbers *numbers = member;

	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_NOTE:
		free(*(char **)member);
		*(char **)member = NULL;
		break;
	case SETTING_NAMES:
	case SETTING_KEYS:
		for (size_t i = 0; i < names->count; i++)
			free(names->names[i]);
		free(names->names);
		*names = (struct config_names){.count = 0};
		break;
	case SETTING_NUMBERS:
	case SETTING_ALGORITHMS:
		free(numbers->numbers);
		*numbers = (struct config_numbers){.count = 0};
		break;
	case SETTING_SECRET:
		secret_free(*(struct secret **)member);
		*(struct secret **)member = NULL;
		break;
	case SETTING_BASE64:
		buf_free(member);
		break;
	case SETTING_ENV:
		free_env(member);
		break;
	case SETTING_TABLE:
		settings_free(setting->table, member);
		break;
	case SETTING_POLICIES:
		free_policies(member);
		break;
	default:
		break;
	}
}

bool settings_read_value(const struct setting *setting, void *section,
	struct reader *reader, struct err *err)
{
	void *member = member_at(section, setting->offset);
	struct item_context item = {setting, member};
	bool ok;

	/* What is stated replaces the default, it does not add to it. */
	free_member(setting, member);
	switch (setting->type) {
	case SETTING_ENV:
		ok = reader_map(reader, read_variable, member, err);
		break;
	case SETTING_TABLE:
		ok = settings_read(setting->table, member, reader, err);
		break;
	case SETTING_POLICIES:
		ok = reader_map(reader, read_policy, member, err);
		break;
	case SETTING_NAMES:
	case SETTING_KEYS:
	case SETTING_NUMBERS:
	case SETTING_ALGORITHMS:
		ok = reader_list(reader, setting->type == SETTING_KEYS,
			read_item, &item, err);
		break;
	default:
		ok = reader_scalar(reader, read_item, &item, err);
		break;
	}
	if (ok && setting->flag != 0)
		*(bool *)member_at(section, setting->flag) = true;
	return ok;
}

struct table_context {
	const struct setting *table;
	void *section;
	bool stated[SETTINGS_MAX];
};

/* Where there are few, all that there are. */
static bool refuse_unknown(
	const struct setting *table, struct reader *reader, struct err *err)
{
	struct buf known = BUF_EMPTY;
	size_t count = 0;

	for (; table[count].name != NULL; count++)
		buf_format(&known, "%s%s", count > 0 ? ", " : "",
			table[count].name);
	reader_refuse_unknown(
		reader, err, count <= KNOWN_SHOWN ? buf_string(&known) : NULL);
	buf_free(&known);
	return false;
}

/* A reader_entry: find the setting, read its value. */
static bool read_setting(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct table_context *table = context;

	for (size_t i = 0; table->table[i].name != NULL; i++) {
		assert(i < SETTINGS_MAX);
		if (strcmp(table->table[i].name, key) != 0)
			continue;
		table->stated[i] = true;
		return settings_read_value(
			&table->table[i], table->section, reader, err);
	}
	return refuse_unknown(table->table, reader, err);
}

bool settings_read(const struct setting *table, void *section,
	struct reader *reader, struct err *err)
{
	struct table_context context = {.table = table, .section = section};

	if (!reader_map(reader, read_setting, &context, err))
		return false;
	for (size_t i = 0; table[i].name != NULL; i++)
		if (table[i].required && !context.stated[i])
			return reader_refuse_key(
				reader, table[i].name, err, "missing");
	return true;
}

/* Parse the fallback: one scalar, or the blank-separated items of a list. */
static bool default_member(
	const struct setting *setting, void *member, struct err *err)
{
	bool is_list = setting->type == SETTING_NAMES ||
		       setting->type == SETTING_NUMBERS ||
		       setting->type == SETTING_ALGORITHMS;
	char *copy = text_copy(setting->fallback, err);
	char *rest = copy;
	bool ok = copy != NULL;

	while (ok && rest != NULL) {
		struct scalar scalar = {.plain = true};

		scalar.text = is_list ? strsep(&rest, " ") : rest;
		scalar.length = strlen(scalar.text);
		ok = parse_scalar(setting, member, &scalar, err);
		if (!is_list)
			break;
	}
	free(copy);
	return ok;
}

bool settings_default(
	const struct setting *table, void *section, struct err *err)
{
	for (size_t i = 0; table[i].name != NULL; i++)
		if (table[i].fallback != NULL &&
			!default_member(&table[i],
				member_at(section, table[i].offset), err))
			return err_prefix(err, "default of %s", table[i].name);
	return true;
}

void settings_free(const struct setting *table, void *section)
{
	for (size_t i = 0; table[i].name != NULL; i++)
		free_member(&table[i], member_at(section, table[i].offset));
}
