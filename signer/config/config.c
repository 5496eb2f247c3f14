/* SPDX-License-Identifier: ISC */
#include "config/config.h"

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "config/settings.h"
#include "crypto/crypto.h"
#include "dns/algorithm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 1000

/* The array with room for one more, which is zeroed; NULL leaves it as it is.
 */
static void *grow(void *array, size_t count, size_t size, struct err *err)
{
	char *grown = reallocarray(array, count + 1, size);

	if (grown == NULL) {
		err_nomem(err);
		return NULL;
	}
	memset(grown + count * size, 0, size);
	return grown;
}

/* A reader_entry: hsm.NAME. */
static bool read_hsm(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct config *config = context;
	struct config_hsm *hsm;

	hsm = grow(config->hsm, config->hsm_count, sizeof(*hsm), err);
	if (hsm == NULL)
		return false;
	config->hsm = hsm;
	hsm += config->hsm_count++;
	if (!settings_default(settings_hsm, hsm, err))
		return false;
	hsm->name = text_copy(key, err);
	return hsm->name != NULL &&
	       settings_read(settings_hsm, hsm, reader, err);
}

/* Members of a key that exclude each other. */
static bool check_key(
	const struct config_key *key, struct reader *reader, struct err *err)
{
	bool is_rsa =
		algorithm_by_number(key->algorithm)->family == ALGORITHM_RSA;

	if (!is_rsa && (key->rsa_size != 0 || key->rsa_exponent != 0))
		return reader_refuse(reader, err,
			"rsa_size and rsa_exponent do not go with %s",
			algorithm_name(key->algorithm));
	if (key->valid_until <= key->valid_from)
		return reader_refuse(
			reader, err, "valid_until is not after valid_from");
	return true;
}

/* A reader_entry: keys.NAME. */
static bool read_key(
	void *context, struct reader *reader, const char *name, struct err *err)
{
	struct config *config = context;
	struct config_key *key;

	key = grow(config->keys, config->key_count, sizeof(*key), err);
	if (key == NULL)
		return false;
	config->keys = key;
	key += config->key_count++;
	if (!settings_default(settings_key, key, err))
		return false;
	key->valid_until = CONFIG_TIME_NEVER;
	key->name = text_copy(name, err);
	if (key->name == NULL || !settings_read(settings_key, key, reader, err))
		return false;
	if (key->description == NULL)
		key->description = text_copy("", err);
	return key->description != NULL && check_key(key, reader, err);
}

/* What a slot says must make sense by itself. */
static bool check_slot(
	const struct config_slot *slot, struct reader *reader, struct err *err)
{
	if (slot->sign.count == 0)
		return reader_refuse_key(
			reader, "sign", err, "no key signs this bundle");
	for (size_t i = 0; i < slot->revoke.count; i++) {
		const char *name = slot->revoke.names[i];

		if (!config_names_has(&slot->sign, name))
			return reader_refuse_key(reader, "revoke", err,
				"%s must also be in sign (RFC 5011 section "
				"2.1)",
				name);
		if (config_names_has(&slot->publish, name))
			return reader_refuse_key(reader, "revoke", err,
				"%s is in publish as well", name);
	}
	return true;
}

/* A reader_entry: schemas.NAME.SLOT. */
static bool read_slot(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct config_schema *schema = context;
	struct config_slot *slot;
	struct err ignored = ERR_EMPTY;
	int64_t number;

	if (key[0] == '0' ||
		!number_parse(key, 1, SLOTS_MAX, &number, &ignored))
		return reader_refuse(reader, err,
			"expected the number of a slot, 1 to %d", SLOTS_MAX);
	slot = grow(schema->slots, schema->slot_count, sizeof(*slot), err);
	if (slot == NULL)
		return false;
	schema->slots = slot;
	slot += schema->slot_count++;
	slot->number = (uint32_t)number;
	return settings_read(settings_slot, slot, reader, err) &&
	       check_slot(slot, reader, err);
}

static int compare_slots(const void *a, const void *b)
{
	const struct config_slot *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* A reader_entry: schemas.NAME. */
static bool read_schema(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct config *config = context;
	struct config_schema *schema;

	schema = grow(
		config->schemas, config->schema_count, sizeof(*schema), err);
	if (schema == NULL)
		return false;
	config->schemas = schema;
	schema += config->schema_count++;
	schema->name = text_copy(key, err);
	if (schema->name == NULL || !reader_map(reader, read_slot, schema, err))
		return false;
	if (schema->slot_count == 0)
		return reader_refuse(reader, err, "no slots");
	/* In any order in the file, but without a gap. */
	qsort(schema->slots, schema->slot_count, sizeof(*schema->slots),
		compare_slots);
	for (size_t i = 0; i < schema->slot_count; i++)
		if (schema->slots[i].number != i + 1)
			return reader_refuse(
				reader, err, "slot %zu is missing", i + 1);
	return true;
}

/* Either a table of settings for one struct, or an entry for each name. */
struct section {
	const char *name;
	const struct setting *settings;
	size_t offset;
	reader_entry *entry;
};

static const struct section sections[] = {
	{"hsm", NULL, 0, read_hsm},
	{"keys", NULL, 0, read_key},
	{"filenames", settings_filenames, offsetof(struct config, filenames),
		NULL},
	{"request_policy", settings_request_policy,
		offsetof(struct config, request_policy), NULL},
	{"response_policy", settings_response_policy,
		offsetof(struct config, response_policy), NULL},
	{"ksk_policy", settings_ksk_policy, offsetof(struct config, ksk_policy),
		NULL},
	{"schemas", NULL, 0, read_schema},
};

#define SECTIONS (sizeof(sections) / sizeof(*sections))

/* A reader_entry: a section. */
static bool read_section(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct config *config = context;

	for (size_t i = 0; i < SECTIONS; i++) {
		const struct section *section = &sections[i];

		if (strcmp(section->name, key) != 0)
			continue;
		if (section->settings == NULL)
			return reader_map(reader, section->entry, config, err);
		return settings_read(section->settings,
			(char *)config + section->offset, reader, err);
	}
	return reader_refuse(reader, err, "unknown section");
}

static bool default_sections(struct config *config, struct err *err)
{
	for (size_t i = 0; i < SECTIONS; i++)
		if (sections[i].settings != NULL &&
			!settings_default(sections[i].settings,
				(char *)config + sections[i].offset, err))
			return false;
	return true;
}

/* One list of a slot: its names are keys, each once. */
static bool check_names(const struct config *config,
	const struct config_names *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *name = list->names[i];

		if (config_key(config, name) == NULL)
			return err_set(err, ERR_USAGE,
				"no key %s is defined in keys", name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(list->names[j], name) == 0)
				return err_set(err, ERR_USAGE,
					"%s is named twice", name);
	}
	return true;
}

/* After everything was read: keys: may stand behind schemas: in the file. */
static bool check_schemas(
	const char *name, const struct config *config, struct err *err)
{
	for (size_t i = 0; i < config->schema_count; i++) {
		const struct config_schema *schema = &config->schemas[i];

		for (size_t j = 0; j < schema->slot_count; j++) {
			const struct config_slot *slot = &schema->slots[j];

			if (!check_names(config, &slot->publish, err) ||
				!check_names(config, &slot->revoke, err) ||
				!check_names(config, &slot->sign, err))
				return err_prefix(err, "%s: schemas.%s.%zu",
					name, schema->name, j + 1);
		}
	}
	return true;
}

bool config_parse(const char *name, const uint8_t *bytes, size_t size,
	struct config **out, struct err *err)
{
	struct config *config = NULL;
	struct reader *reader = NULL;
	bool ok = false;

	if (size > CONFIG_SIZE_MAX)
		return err_set(err, ERR_USAGE,
			"%s: larger than the %zu bytes allowed", name,
			CONFIG_SIZE_MAX);
	config = calloc(1, sizeof(*config));
	if (config == NULL)
		return err_nomem(err);
	if (!default_sections(config, err) ||
		!reader_new(name, bytes, size, &reader, err) ||
		!reader_map(reader, read_section, config, err) ||
		!reader_end(reader, err) || !check_schemas(name, config, err))
		goto done;
	*out = config;
	config = NULL;
	ok = true;
done:
	reader_free(reader);
	config_free(config);
	return ok;
}

bool config_read(const char *path, uint8_t sha256[CONFIG_SHA256_SIZE],
	struct config **out, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	bool ok;

	ok = file_read(path, CONFIG_SIZE_MAX, &bytes, err);
	if (!ok)
		err->kind = ERR_USAGE;
	ok = ok && (sha256 == NULL ||
			   crypto_sha256(bytes.data, bytes.len, sha256, err));
	ok = ok && config_parse(path, bytes.data, bytes.len, out, err);
	buf_wipe(&bytes);
	return ok;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->hsm_count; i++) {
		settings_free(settings_hsm, &config->hsm[i]);
		free(config->hsm[i].name);
	}
	for (size_t i = 0; i < config->key_count; i++) {
		settings_free(settings_key, &config->keys[i]);
		free(config->keys[i].name);
	}
	for (size_t i = 0; i < config->schema_count; i++) {
		struct config_schema *schema = &config->schemas[i];

		for (size_t j = 0; j < schema->slot_count; j++)
			settings_free(settings_slot, &schema->slots[j]);
		free(schema->slots);
		free(schema->name);
	}
	for (size_t i = 0; i < SECTIONS; i++)
		if (sections[i].settings != NULL)
			settings_free(sections[i].settings,
				(char *)config + sections[i].offset);
	free(config->hsm);
	free(config->keys);
	free(config->schemas);
	free(config);
}

const struct config_hsm *config_hsm(
	const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->hsm_count; i++)
		if (strcmp(config->hsm[i].name, name) == 0)
			return &config->hsm[i];
	return NULL;
}

const struct config_key *config_key(
	const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->key_count; i++)
		if (strcmp(config->keys[i].name, name) == 0)
			return &config->keys[i];
	return NULL;
}

const struct config_schema *config_schema(
	const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->schema_count; i++)
		if (strcmp(config->schemas[i].name, name) == 0)
			return &config->schemas[i];
	return NULL;
}

bool config_numbers_has(const struct config_numbers *list, uint32_t number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->numbers[i] == number)
			return true;
	return false;
}

bool config_names_has(const struct config_names *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0)
			return true;
	return false;
}
