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
 * Sections: experiment, hsm, keys, filenames, request_policy, response_policy,
 * ksk_policy, schemas, families.  All are optional to the reader; a setting
 * that is absent has the default that the table in settings.c gives it.
 *
 * Times are int64_t seconds since 1970 UTC, durations int64_t seconds, both
 * never negative.
 */
#ifndef LIB_CONFIG_CONFIG_H
#define LIB_CONFIG_CONFIG_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/secret.h"

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

/*
 * experiment: never in a production configuration.  It stands before all other
 * sections, so that nobody overlooks it.
 */
struct config_experiment {
	bool algorithms; /* those of lib/dns/algorithm.c's second table, too */
};

/* hsm.NAME: one PKCS#11 module. */
struct config_hsm {
	char *name;
	char *module;          /* path of the shared object; required */
	struct secret *pin;    /* NULL: ask on the terminal */
	struct secret *so_pin; /* NULL: ask on the terminal */
	struct config_env env; /* set before the module is loaded */
	/* of its tokens only this one is used; NULL: not asked for */
	char *token, *serial, *slot;
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
	/*
	 * The field of its DNSKEY as on the wire; empty when not stated.  Tag
	 * and DS are its own, the DS in one of the zones that are signed here.
	 */
	struct buf public_key;
	size_t line; /* of the file, for messages */
};

/* filenames: NULL where absent. */
struct config_filenames {
	char *previous_skr;
	char *input_ksr;
	char *output_skr;
	char *output_trustanchor;
};

/*
 * request_policy.algorithms.NAME: what holds for the zone signing keys of one
 * algorithm.  A list that is empty is not stated.
 */
struct config_algorithm_policy {
	uint8_t algorithm; /* DNSSEC number */
	struct config_numbers num_keys_per_bundle;
	bool has_num_different_keys;
	uint32_t num_different_keys_in_all_bundles;
	struct config_numbers rsa_approved_exponents;
	struct config_numbers rsa_approved_key_sizes; /* bits */
};

/* Each algorithm once, in the order of the file. */
struct config_algorithm_policies {
	struct config_algorithm_policy *policies;
	size_t count;
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
	bool has_num_keys_per_bundle; /* stated, not the default */
	uint32_t num_different_keys_in_all_bundles;
	bool has_num_different_keys; /* likewise */
	/* where any is stated, each key of a request is of one of them */
	struct config_algorithm_policies algorithms;
	uint32_t dns_ttl; /* seconds; 0: ksk_policy.ttl holds */
	bool check_chain_keys;
	bool check_chain_keys_in_hsm;
	bool check_chain_overlap;
	/* "FAMILY.MEMBER": what the previous response must be; or NULL */
	char *previous_member;
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

/*
 * What a slot states of the algorithms of its bundle.  Where it states nothing,
 * all keys, the ZSKs among them and the signatures have the same algorithms
 * (RFC 4035 section 2.2); a change of the algorithm needs other bundles, too
 * (RFC 6781 section 4.1.4), and then exactly what is stated.
 */
struct config_slot_algorithms {
	bool stated;
	struct config_numbers published; /* of all keys */
	struct config_numbers signing;   /* of the signatures */
	bool has_zsks;
	struct config_numbers zsks; /* of the ZSKs; not stated: published */
	/* new ones: a KSK of it may sign that was not published before */
	struct config_numbers begins;
	/* gone ones: a KSK of it may be gone that has just signed */
	struct config_numbers ends;
};

/* Names of keys; each stands in keys:, and at most once in a list. */
struct config_slot {
	uint32_t number; /* its place, from 1 */
	struct config_names publish;
	struct config_names
		revoke; /* all of them also in sign, none in publish */
	struct config_names sign; /* at least one */
	/* signs and is not published; in none of the lists above */
	struct config_names sign_only;
	struct config_slot_algorithms algorithms;
};

/* schemas.NAME: slots[0] is slot 1 and signs the first bundle. */
struct config_schema {
	char *name;
	struct config_slot *slots;
	size_t slot_count; /* at least one */
};

/* What follows the response before, and no member of the family. */
#define CONFIG_PREVIOUS SIZE_MAX

/*
 * families.NAME.MEMBER: one response of those that a ceremony makes at once.
 * Its name begins with what it is for: use, next or backout.
 */
struct config_member {
	char *name;
	char *mark;    /* the name in capitals, as tables and pages show it */
	char *schema;  /* the name of one that is there */
	char *follows; /* the name of another member, or NULL */
	size_t before; /* its place, which is before this; CONFIG_PREVIOUS */
};

/* families.NAME: in such an order that each follows an earlier one. */
struct config_family {
	char *name;
	struct config_member *members; /* one is "use" */
	size_t member_count;
};

struct config {
	struct config_experiment experiment;
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
	struct config_family *families; /* in the order of the file */
	size_t family_count;
};

/*
 * Read a configuration from size bytes.  name is what messages call it, the
 * file's path as a rule.  The bytes are not kept, and the caller wipes them
 * (they may hold PINs).  On success *out is new and the caller frees it.  On
 * failure *out is untouched and err is ERR_USAGE: a configuration is part of
 * how the program was called.
 *
 * Whether the run is an experiment (lib/base/experiment.h) is what the
 * configuration says that was read last.
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
/* By its label, which no other key has. */
const struct config_key *config_key_labelled(
	const struct config *config, const char *label);
const struct config_schema *config_schema(
	const struct config *config, const char *name);
const struct config_family *config_family(
	const struct config *config, const char *name);
/* The member whose name these len characters are: its place, member_count for
 * none. */
size_t config_member(
	const struct config_family *family, const char *name, size_t len);

/*
 * The family and member that request_policy.previous_member names; false where
 * it names none.
 */
bool config_previous_member(const struct config *config,
	const struct config_family **family,
	const struct config_member **member);

/* Is the number, or the string, in the list? */
bool config_numbers_has(const struct config_numbers *list, uint32_t number);
bool config_names_has(const struct config_names *list, const char *name);

/* What request_policy.algorithms states of this one; NULL: nothing. */
const struct config_algorithm_policy *config_algorithm_policy(
	const struct config_request_policy *policy, uint8_t algorithm);

/*
 * Does a slot of the schema state its algorithms, or have a key that signs
 * only?  Then the schema is one of a change of the algorithm.
 */
bool config_schema_is_roll(const struct config_schema *schema);

/* Does the key sign a bundle of the slot, published or not? */
bool config_slot_signs(const struct config_slot *slot, const char *name);

#endif
