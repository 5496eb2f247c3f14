/* SPDX-License-Identifier: ISC */
/*
 * The configuration: the only door to the YAML library.
 *
 * A configuration arrives on a flash drive and is hostile until read.  The
 * reader takes a strict subset of YAML 1.1: one document of mappings, lists
 * and plain or quoted scalars.  Unknown, repeated or misplaced keys, values
 * of another type or out of range, anchors, aliases, tags, merge keys,
 * further documents, anything but UTF-8 and files over CONFIG_SIZE_MAX are
 * refused, with the file, the line and the name of the key.
 *
 * Sections: hsm, keys, filenames, request_policy, response_policy,
 * ksk_policy, schemas.  All are optional to the reader; a setting that is
 * absent has the default that the table in settings.c gives it.
 *
 * Times are int64_t seconds since 1970 UTC, durations int64_t seconds, both
 * never negative.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/err.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_SIZE_MAX ((size_t)1048576)
/* Where a file is not named on the command line. */
#define CONFIG_FILE_DEFAULT "ksrsigner.yaml"
/* keys.NAME.valid_until where the key has no end. */
#define CONFIG_TIME_NEVER INT64_MAX

#define CONFIG_SHA256_SIZE 32

/* A counted list of strings: acceptable_domains, or a schema's key names. */
struct config_names {
	char **names;
	size_t count;
};

/* A counted list of numbers: sizes, exponents, algorithms, keys a bundle. */
struct config_numbers {
	uint32_t *numbers;
	size_t count;
};

struct config_variable {
	char *name; /* letters, digits, underscores; no digit first */
	char *value;
};

struct config_env {
	struct config_variable *variables; /* in the order of the file */
	size_t count;
};

/* hsm.NAME: one PKCS#11 module. */
struct config_hsm {
	char *name;
	char *module;          /* path of the shared object; required */
	struct secret *pin;    /* NULL: ask on the terminal */
	struct secret *so_pin; /* NULL: ask on the terminal */
	struct config_env env; /* set before the module is loaded */
};

/* keys.NAME: what a key in the HSM must be. */
struct config_key {
	char *name;
	char *description; /* "" when absent */
	char *label;       /* CKA_LABEL; required */
	bool has_key_tag;
	uint16_t key_tag;      /* with flags 257; valid when has_key_tag */
	uint8_t algorithm;     /* DNSSEC number, a supported one; required */
	uint32_t rsa_size;     /* bits; 0 when not stated */
	uint32_t rsa_exponent; /* 0 when not stated */
	int64_t valid_from;    /* required */
	int64_t valid_until;   /* CONFIG_TIME_NEVER when absent */
	bool has_ds_sha256;
	uint8_t ds_sha256[CONFIG_SHA256_SIZE];
	bool hash_using_hsm; /* the HSM makes the digest, too */
};

/* filenames: NULL where absent. */
struct config_filenames {
	char *previous_skr;
	char *input_ksr;
	char *output_skr;
	char *output_trustanchor;
};

/* request_policy: named and explained in the catalogue of checks. */
struct config_request_policy {
	struct config_names acceptable_domains;
	uint32_t max_file_size; /* bytes */
	uint32_t num_bundles;
	bool validate_signatures;
	bool keys_match_zsk_policy;
	bool rsa_exponent_match_zsk_policy;
	bool enable_unsupported_ecdsa;
	bool enable_unsupported_edwards_dsa;
	bool check_cycle_length;
	int64_t min_cycle_inception_length;
	int64_t max_cycle_inception_length;
	int64_t min_bundle_interval;
	int64_t max_bundle_interval;
	bool check_bundle_overlap;
	bool check_bundle_intervals;
	bool signature_algorithms_match_zsk_policy;
	bool signature_validity_match_zsk_policy;
	bool signature_check_expire_horizon;
	uint32_t signature_horizon_days;
	bool check_keys_match_ksk_operator_policy;
	struct config_numbers num_keys_per_bundle;
	uint32_t num_different_keys_in_all_bundles;
	uint32_t dns_ttl; /* seconds; 0: ksk_policy.ttl holds */
	bool check_chain_keys;
	bool check_chain_keys_in_hsm;
	bool check_chain_overlap;
	bool check_keys_publish_safety;
	bool check_keys_retire_safety;
	struct config_numbers approved_algorithms; /* DNSSEC numbers */
	struct config_numbers rsa_approved_exponents;
	struct config_numbers rsa_approved_key_sizes; /* bits */
};

struct config_response_policy {
	uint32_t num_bundles;
	bool validate_signatures;
};

struct config_ksk_policy {
	char *signers_name; /* NULL: whatever domain the request names */
	int64_t publish_safety;
	int64_t retire_safety;
	int64_t max_signature_validity;
	int64_t min_signature_validity;
	int64_t max_validity_overlap;
	int64_t min_validity_overlap;
	uint32_t ttl; /* seconds */
};

/* Names of keys; each stands in keys:, and at most once in a list. */
struct config_slot {
	uint32_t number; /* its place, from 1 */
	struct config_names publish;
	struct config_names
		revoke; /* all of them also in sign, none in publish */
	struct config_names sign; /* at least one */
};

/* schemas.NAME: slots[0] is slot 1 and signs the first bundle. */
struct config_schema {
	char *name;
	struct config_slot *slots;
	size_t slot_count; /* at least one */
};

struct config {
	struct config_hsm *hsm; /* in the order of the file */
	size_t hsm_count;
	struct config_key *keys; /* in the order of the file */
	size_t key_count;
	struct config_filenames filenames;
	struct config_request_policy request_policy;
	struct config_response_policy response_policy;
	struct config_ksk_policy ksk_policy;
	struct config_schema *schemas; /* in the order of the file */
	size_t schema_count;
};

/*
 * Read a configuration from size bytes.  name is what messages call it, the
 * file's path as a rule.  The bytes are not kept, and the caller wipes them
 * (they may hold PINs).  On success *out is new and the caller frees it.  On
 * failure *out is untouched and err is ERR_USAGE: a configuration is part of
 * how the program was called.
 */
bool config_parse(const char *name, const uint8_t *bytes, size_t size,
	struct config **out, struct err *err);

/*
 * The same from a file.  If sha256 is not NULL, it is filled with the digest
 * of exactly the bytes that were read, for the log.
 */
bool config_read(const char *path, uint8_t sha256[CONFIG_SHA256_SIZE],
	struct config **out, struct err *err);

/* Free a configuration and wipe its PINs.  NULL is allowed. */
void config_free(struct config *config);

/* Look up by name; the result is borrowed, NULL where there is none. */
const struct config_hsm *config_hsm(
	const struct config *config, const char *name);
const struct config_key *config_key(
	const struct config *config, const char *name);
const struct config_schema *config_schema(
	const struct config *config, const char *name);

/* Is the number, or the string, in the list? */
bool config_numbers_has(const struct config_numbers *list, uint32_t number);
bool config_names_has(const struct config_names *list, const char *name);

#endif
