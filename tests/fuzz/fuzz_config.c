/* SPDX-License-Identifier: ISC */
/*
 * Fuzz entry for the configuration: what the reader takes must be what its
 * header promises, and what it refuses must say why and leave nothing.
 */
#include "lib/config/config.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(
	const struct config *config, const struct config_names *list)
{
	for (size_t i = 0; i < list->count; i++)
		assert(config_key(config, list->names[i]) != NULL);
}

static void check_config(const struct config *config)
{
	for (size_t i = 0; i < config->hsm_count; i++) {
		const struct config_hsm *hsm = &config->hsm[i];

		assert(hsm->module[0] != '\0' && hsm->name[0] != '\0');
		assert(hsm->pin == NULL || hsm->pin->length > 0);
		assert(config_hsm(config, hsm->name) == hsm);
	}
	for (size_t i = 0; i < config->key_count; i++) {
		const struct config_key *key = &config->keys[i];

		assert(key->label[0] != '\0' && key->description != NULL);
		assert(key->valid_from >= 0);
		assert(key->valid_from < key->valid_until);
		assert(config_key(config, key->name) == key);
	}
	for (size_t i = 0; i < config->schema_count; i++) {
		const struct config_schema *schema = &config->schemas[i];

		assert(schema->slot_count > 0);
		for (size_t j = 0; j < schema->slot_count; j++) {
			assert(schema->slots[j].number == j + 1);
			assert(schema->slots[j].sign.count > 0);
			check_names(config, &schema->slots[j].sign);
			check_names(config, &schema->slots[j].publish);
			check_names(config, &schema->slots[j].revoke);
		}
	}
	assert(config->request_policy.num_bundles > 0);
	assert(config->ksk_policy.ttl <= INT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	struct err err = ERR_EMPTY;

	if (config_parse("fuzz", data, size, &config, &err)) {
		check_config(config);
	} else {
		assert(config == NULL);
		assert(err.kind == ERR_USAGE || err.kind == ERR_INPUT);
		assert(err.text[0] != '\0');
	}
	config_free(config);
	return 0;
}
