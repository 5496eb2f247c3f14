/* SPDX-License-Identifier: ISC */
#include "lib/config/config.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/config/settings.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"
#include "lib/dns/dnskey.h"
#include "lib/dns/ds.h"
#include "lib/dns/name.h"
#include "lib/hash/sha256.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 1000
#define MEMBER_NAME_MAX 24

/* A reader_entry: hsm.NAME. */
static bool read_hsm(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct config *config = context;
	struct config_hsm *hsm;

	hsm = array_grow(&config->hsm, &config->hsm_count, sizeof(*hsm), err);
	if (hsm == NULL)
		return false;
	if (!settings_default(settings_hsm, hsm, err))
		return false;
	hsm->name = text_copy(key, err);
	return hsm->name != NULL &&
	       settings_read(settings_hsm, hsm, reader, err);
}

/* One key under two names would be two keys to some and one to others. */
static bool check_distinct(const struct config *config,
	const struct config_key *key, struct reader *reader, struct err *err)
{
	for (const struct config_key *other = config->keys; other < key;
		other++) {
		if (strcmp(other->label, key->label) == 0)
			return reader_refuse_key(reader, "label", err,
				"keys.%s has this label as well", other->name);
		if (key->has_ds_sha256 && other->has_ds_sha256 &&
			memcmp(key->ds_sha256, other->ds_sha256,
				sizeof(key->ds_sha256)) == 0)
			return reader_refuse_key(reader, "ds_sha256", err,
				"keys.%s has this DS as well: it is the same key",
				other->name);
		if (key->public_key.len > 0 &&
			buf_equal(&key->public_key, &other->public_key))
			return reader_refuse_key(reader, "public_key", err,
				"keys.%s has this one as well: it is the same key",
				other->name);
	}
	return true;
}

/* As it is published; it borrows public_key. */
static struct dnskey dnskey_of(const struct config_key *key)
{
	return (struct dnskey){.flags = DNSKEY_FLAGS_KSK,
		.protocol = DNSKEY_PROTOCOL,
		.algorithm = key->algorithm,
		.public_key = key->public_key};
}

/* It is a key of the algorithm that is stated, and no other key. */
static bool check_public_key(
	const struct config_key *key, struct reader *reader, struct err *err)
{
	const struct dnskey dnskey = dnskey_of(key);
	struct err why = ERR_EMPTY;
	unsigned bits = 0;

	if (key->public_key.len == 0)
		return true;
	if (!dnskey_size(&dnskey, &bits, &why))
		return reader_refuse_key(
			reader, "public_key", err, "%s", why.text);
	if (key->has_key_tag && dnskey_tag(&dnskey) != key->key_tag)
		return reader_refuse_key(reader, "public_key", err,
			"its tag is %u, key_tag is %u", dnskey_tag(&dnskey),
			key->key_tag);
	return true;
}

/* Members of a key that exclude each other. */
static bool check_key(
	const struct config_key *key, struct reader *reader, struct err *err)
{
	bool is_rsa =
		algorithm_by_number(key->algorithm)->family == ALGORITHM_RSA;

	if (!text_is_name(key->label, strlen(key->label)))
		return reader_refuse_key(reader, "label", err,
			"expected 1 to %d characters of printable ASCII, no blank at either end and no two together",
			TEXT_NAME_MAX);
	if (!is_rsa && (key->rsa_size != 0 || key->rsa_exponent != 0))
		return reader_refuse(reader, err,
			"rsa_size and rsa_exponent do not go with %s",
			algorithm_name(key->algorithm));
	if (key->valid_until <= key->valid_from)
		return reader_refuse(
			reader, err, "valid_until is not after valid_from");
	return check_public_key(key, reader, err);
}

/* A reader_entry: keys.NAME. */
static bool read_key(
	void *context, struct reader *reader, const char *name, struct err *err)
{
	struct config *config = context;
	size_t line = reader_line(reader);
	struct config_key *key;

	key = array_grow(&config->keys, &config->key_count, sizeof(*key), err);
	if (key == NULL)
		return false;
	if (!settings_default(settings_key, key, err))
		return false;
	key->valid_until = CONFIG_TIME_NEVER;
	key->line = line;
	key->name = text_copy(name, err);
	if (key->name == NULL || !settings_read(settings_key, key, reader, err))
		return false;
	if (key->description == NULL)
		key->description = text_copy("", err);
	if (key->description == NULL || !check_key(key, reader, err))
		return false;
	/* That is about the key as a whole: its first line. */
	reader_back_to(reader, line);
	return check_distinct(config, key, reader, err);
}

static bool check_sign_only(
	const struct config_slot *slot, struct reader *reader, struct err *err)
{
	for (size_t i = 0; i < slot->sign_only.count; i++) {
		const char *name = slot->sign_only.names[i];

		if (config_names_has(&slot->publish, name) ||
			config_names_has(&slot->revoke, name) ||
			config_names_has(&slot->sign, name))
			return reader_refuse_key(reader, "sign_only", err,
				"%s is in another list, too: what signs only is not published",
				name);
	}
	return true;
}

/* Each of the one list is in the other, or none of it is. */
static bool check_numbers(const struct config_numbers *list,
	const struct config_numbers *other, bool in, const char *name,
	const char *complaint, struct reader *reader, struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (config_numbers_has(other, list->numbers[i]) != in)
			return reader_refuse_key(reader, name, err, "%s %s",
				algorithm_name(list->numbers[i]), complaint);
	return true;
}

/* What a slot states of algorithms must not contradict itself. */
static bool check_algorithms(const struct config_slot_algorithms *stated,
	struct reader *reader, struct err *err)
{
	if (!stated->stated)
		return true;
	if (stated->signing.count == 0)
		return reader_refuse_key(reader, "algorithms.signing", err,
			"no algorithm signs this bundle");
	return check_numbers(&stated->zsks, &stated->published, true,
		       "algorithms.zsks", "is not in published", reader, err) &&
	       check_numbers(&stated->begins, &stated->published, true,
		       "algorithms.begins", "is not in published", reader,
		       err) &&
	       check_numbers(&stated->begins, &stated->signing, true,
		       "algorithms.begins", "is not in signing", reader, err) &&
	       check_numbers(&stated->ends, &stated->begins, false,
		       "algorithms.ends", "is in begins, too", reader, err);
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
				"%s must also be in sign (RFC 5011 section 2.1)",
				name);
		if (config_names_has(&slot->publish, name))
			return reader_refuse_key(reader, "revoke", err,
				"%s is in publish as well", name);
	}
	if (slot->revoke.count == slot->sign.count)
		return reader_refuse_key(reader, "sign", err,
			"every key that signs is revoked, so that no validator can follow: expected one more");
	return check_sign_only(slot, reader, err) &&
	       check_algorithms(&slot->algorithms, reader, err);
}

/* A reader_entry: schemas.NAME.SLOT. */
static bool read_slot(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct config_schema *schema = context;
	size_t line = reader_line(reader);
	struct config_slot *slot;
	struct err ignored = ERR_EMPTY;
	int64_t number;

	if (key[0] == '0' ||
		!number_parse(key, 1, SLOTS_MAX, &number, &ignored))
		return reader_refuse(reader, err,
			"expected the number of a slot, 1 to %d", SLOTS_MAX);
	slot = array_grow(
		&schema->slots, &schema->slot_count, sizeof(*slot), err);
	if (slot == NULL)
		return false;
	slot->number = (uint32_t)number;
	if (!settings_read(settings_slot, slot, reader, err))
		return false;
	reader_back_to(reader, line);
	return check_slot(slot, reader, err);
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

	schema = array_grow(
		&config->schemas, &config->schema_count, sizeof(*schema), err);
	if (schema == NULL)
		return false;
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

/* "use", "next" or "backout", and perhaps "-" and more of a-z and 0-9. */
static bool is_member_name(const char *name)
{
	static const char *const purposes[] = {"use", "next", "backout"};

	for (size_t i = 0; i < sizeof(purposes) / sizeof(*purposes); i++) {
		size_t len = strlen(purposes[i]);
		const char *rest = name + len;

		if (strncmp(name, purposes[i], len) != 0)
			continue;
		return *rest == '\0' ||
		       (*rest == '-' && rest[1] != '\0' &&
			       rest[1 +
				       strspn(rest + 1,
					       "abcdefghijklmnopqrstuvwxyz0123456789")] ==
				       '\0');
	}
	return false;
}

/* A reader_entry: families.NAME.MEMBER. */
static bool read_member(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct config_family *family = context;
	struct config_member *member;

	if (!is_member_name(key) || strlen(key) > MEMBER_NAME_MAX)
		return reader_refuse(reader, err,
			"expected use, next or backout, perhaps with \"-\" and letters or digits after it, at most %d in all",
			MEMBER_NAME_MAX);
	member = array_grow(
		&family->members, &family->member_count, sizeof(*member), err);
	if (member == NULL)
		return false;
	member->before = CONFIG_PREVIOUS;
	member->name = text_copy(key, err);
	member->mark = text_copy(key, err);
	if (member->name == NULL || member->mark == NULL)
		return false;
	for (char *c = member->mark; *c != '\0'; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	return settings_read(settings_member, member, reader, err);
}

/*
 * Put the members into an order in which each follows an earlier one, and find
 * which.
 */
static bool order_members(
	struct config_family *family, struct reader *reader, struct err *err)
{
	struct config_member *all = family->members;

	for (size_t done = 0; done < family->member_count; done++) {
		size_t next = done, before = CONFIG_PREVIOUS;
		struct config_member taken;

		for (; next < family->member_count; next++) {
			const char *follows = all[next].follows;

			before = follows == NULL ? CONFIG_PREVIOUS : 0;
			while (follows != NULL && before < done &&
				strcmp(all[before].name, follows) != 0)
				before++;
			if (follows == NULL || before < done)
				break;
		}
		if (next == family->member_count)
			return reader_refuse_key(reader, all[done].name, err,
				"it follows %s, which is no other member, or follows it in turn",
				all[done].follows);
		taken = all[next];
		taken.before = before;
		memmove(&all[done + 1], &all[done],
			(next - done) * sizeof(*all));
		all[done] = taken;
	}
	return true;
}

/* A reader_entry: families.NAME. */
static bool read_family(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct config *config = context;
	size_t line = reader_line(reader);
	struct config_family *family;

	if (!text_is_name(key, strlen(key)) || strchr(key, '.') != NULL)
		return reader_refuse(reader, err,
			"expected a name of printable ASCII without a dot");
	family = array_grow(
		&config->families, &config->family_count, sizeof(*family), err);
	if (family == NULL)
		return false;
	family->name = text_copy(key, err);
	if (family->name == NULL ||
		!reader_map(reader, read_member, family, err))
		return false;
	reader_back_to(reader, line);
	if (config_member(family, "use", 3) == family->member_count)
		return reader_refuse_key(reader, "use", err, "missing");
	return order_members(family, reader, err);
}

/* Either a table of settings for one struct, or an entry for each name. */
struct section {
	const char *name;
	const struct setting *settings;
	size_t offset;
	reader_entry *entry;
};

static const struct section sections[] = {
	/* before all others: read_section() */
	{"experiment", settings_experiment, offsetof(struct config, experiment),
		NULL},
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
	{"families", NULL, 0, read_family},
};

#define SECTIONS (sizeof(sections) / sizeof(*sections))

/* What is being read, and whether a section of it was. */
struct reading {
	struct config *config;
	bool begun;
};

static bool refuse_section(struct reader *reader, struct err *err)
{
	struct buf known = BUF_EMPTY;

	for (size_t i = 0; i < SECTIONS; i++)
		buf_format(&known, "%s%s", i > 0 ? ", " : "", sections[i].name);
	reader_refuse_unknown(reader, err, buf_string(&known));
	buf_free(&known);
	return false;
}

/* A reader_entry: a section. */
static bool read_section(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct reading *reading = context;
	struct config *config = reading->config;
	bool first = !reading->begun, ok;
	size_t i = 0;

	while (i < SECTIONS && strcmp(sections[i].name, key) != 0)
		i++;
	if (i == SECTIONS)
		return refuse_section(reader, err);
	if (sections[i].settings == settings_experiment && !first)
		return reader_refuse(
			reader, err, "expected before all other sections");
	reading->begun = true;
	if (sections[i].settings == NULL)
		return reader_map(reader, sections[i].entry, config, err);
	ok = settings_read(sections[i].settings,
		(char *)config + sections[i].offset, reader, err);
	experiment_set(config->experiment.algorithms);
	return ok;
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
				!check_names(config, &slot->sign, err) ||
				!check_names(config, &slot->sign_only, err))
				return err_prefix(err, "%s: schemas.%s.%zu",
					name, schema->name, j + 1);
		}
	}
	return true;
}

/* Each schema that a family names is there, and so is the member expected. */
static bool check_families(
	const char *name, const struct config *config, struct err *err)
{
	const char *expected = config->request_policy.previous_member;
	const struct config_family *of;
	const struct config_member *one;

	for (size_t i = 0; i < config->family_count; i++) {
		const struct config_family *family = &config->families[i];

		for (size_t j = 0; j < family->member_count; j++)
			if (config_schema(config, family->members[j].schema) ==
				NULL)
				return err_set(err, ERR_USAGE,
					"%s: families.%s.%s: no schema %s",
					name, family->name,
					family->members[j].name,
					family->members[j].schema);
	}
	if (expected != NULL && !config_previous_member(config, &of, &one))
		return err_set(err, ERR_USAGE,
			"%s: request_policy.previous_member: no family and member %s, expected FAMILY.MEMBER",
			name, expected);
	return true;
}

/* The DS of public_key in the zone. */
static bool ds_of(const struct config_key *key, const char *zone,
	uint8_t digest[CRYPTO_DIGEST_MAX], struct err *err)
{
	const struct dnskey dnskey = dnskey_of(key);
	struct buf owner = BUF_EMPTY;
	size_t len = 0;
	bool ok;

	ok = name_wire(zone, &owner, err) &&
	     crypto_ds(&dnskey, &owner, DS_SHA256, digest, &len, err);
	buf_free(&owner);
	return ok;
}

static bool has_ds(const struct config_key *key, const uint8_t *digest)
{
	return key->has_ds_sha256 &&
	       memcmp(digest, key->ds_sha256, sizeof(key->ds_sha256)) == 0;
}

/* No other key has this DS, which is that of the public_key of key. */
static bool check_ds_alone(const char *name, const struct config *config,
	const struct config_key *key, const uint8_t *digest, struct err *err)
{
	for (size_t i = 0; i < config->key_count; i++) {
		const struct config_key *other = &config->keys[i];

		if (other == key || !has_ds(other, digest))
			continue;
		if (other < key)
			return err_set(err, ERR_USAGE,
				"%s: line %zu: keys.%s.public_key: its DS is keys.%s.ds_sha256: it is the same key",
				name, key->line, key->name, other->name);
		return err_set(err, ERR_USAGE,
			"%s: line %zu: keys.%s.ds_sha256: it is the DS of keys.%s.public_key: it is the same key",
			name, other->line, other->name, key->name);
	}
	return true;
}

/* Zone number i of those that are signed here; NULL: there are no more. */
static const char *zone_here(const struct config *config, size_t i)
{
	const struct config_names *domains =
		&config->request_policy.acceptable_domains;

	if (config->ksk_policy.signers_name != NULL)
		return i == 0 ? config->ksk_policy.signers_name : NULL;
	if (domains->count == 0)
		return i == 0 ? "." : NULL;
	return i < domains->count ? domains->names[i] : NULL;
}

static bool check_digest(const char *name, const struct config *config,
	const struct config_key *key, struct err *err)
{
	bool own = !key->has_ds_sha256;
	struct err why = ERR_EMPTY;
	const char *zone;

	for (size_t i = 0; (zone = zone_here(config, i)) != NULL; i++) {
		uint8_t digest[CRYPTO_DIGEST_MAX];

		if (!ds_of(key, zone, digest, &why))
			continue;
		if (!check_ds_alone(name, config, key, digest, err))
			return false;
		own = own || has_ds(key, digest);
	}
	return own ||
	       err_set(err, ERR_USAGE, "%s: line %zu: keys.%s.ds_sha256: %s",
		       name, key->line, key->name,
		       why.kind != ERR_NONE
			       ? why.text
			       : "it is not the DS of public_key in a zone that is signed here");
}

/*
 * What is stated twice must be one key, or each reader takes the other; and a
 * key has one name.  After everything was read: the zones stand behind keys: in
 * the file.
 */
static bool check_digests(
	const char *name, const struct config *config, struct err *err)
{
	for (size_t i = 0; i < config->key_count; i++)
		if (config->keys[i].public_key.len > 0 &&
			!check_digest(name, config, &config->keys[i], err))
			return false;
	return true;
}

bool config_parse(const char *name, const uint8_t *bytes, size_t size,
	struct config **out, struct err *err)
{
	struct reading reading = {.begun = false};
	struct config *config = NULL;
	struct reader *reader = NULL;
	bool ok = false;

	experiment_set(false);
	if (size > CONFIG_SIZE_MAX)
		return err_set(err, ERR_USAGE,
			"%s: larger than the %zu bytes allowed", name,
			CONFIG_SIZE_MAX);
	config = calloc(1, sizeof(*config));
	if (config == NULL)
		return err_nomem(err);
	reading.config = config;
	if (!default_sections(config, err) ||
		!reader_new(name, bytes, size, &reader, err) ||
		!reader_map(reader, read_section, &reading, err) ||
		!reader_end(reader, err) || !check_digests(name, config, err) ||
		!check_schemas(name, config, err) ||
		!check_families(name, config, err))
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
	ok = ok &&
	     (sha256 == NULL || sha256_of(bytes.data, bytes.len, sha256, err));
	ok = ok && config_parse(path, bytes.data, bytes.len, out, err);
	buf_wipe(&bytes);
	return ok;
}

static void free_family(struct config_family *family)
{
	for (size_t i = 0; i < family->member_count; i++) {
		free(family->members[i].name);
		free(family->members[i].mark);
		settings_free(settings_member, &family->members[i]);
	}
	free(family->members);
	free(family->name);
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
	for (size_t i = 0; i < config->family_count; i++)
		free_family(&config->families[i]);
	for (size_t i = 0; i < SECTIONS; i++)
		if (sections[i].settings != NULL)
			settings_free(sections[i].settings,
				(char *)config + sections[i].offset);
	free(config->hsm);
	free(config->keys);
	free(config->schemas);
	free(config->families);
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

const struct config_key *config_key_labelled(
	const struct config *config, const char *label)
{
	for (size_t i = 0; i < config->key_count; i++)
		if (strcmp(config->keys[i].label, label) == 0)
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

const struct config_algorithm_policy *config_algorithm_policy(
	const struct config_request_policy *policy, uint8_t algorithm)
{
	const struct config_algorithm_policies *list = &policy->algorithms;

	for (size_t i = 0; i < list->count; i++)
		if (list->policies[i].algorithm == algorithm)
			return &list->policies[i];
	return NULL;
}

bool config_slot_signs(const struct config_slot *slot, const char *name)
{
	return config_names_has(&slot->sign, name) ||
	       config_names_has(&slot->sign_only, name);
}

bool config_schema_is_roll(const struct config_schema *schema)
{
	for (size_t i = 0; i < schema->slot_count; i++)
		if (schema->slots[i].algorithms.stated ||
			schema->slots[i].sign_only.count > 0)
			return true;
	return false;
}

const struct config_family *config_family(
	const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->family_count; i++)
		if (strcmp(config->families[i].name, name) == 0)
			return &config->families[i];
	return NULL;
}

size_t config_member(
	const struct config_family *family, const char *name, size_t len)
{
	size_t i = 0;

	while (i < family->member_count &&
		(strlen(family->members[i].name) != len ||
			strncmp(family->members[i].name, name, len) != 0))
		i++;
	return i;
}

bool config_previous_member(const struct config *config,
	const struct config_family **family,
	const struct config_member **member)
{
	const char *text = config->request_policy.previous_member;
	const char *dot = text != NULL ? strchr(text, '.') : NULL;

	for (size_t i = 0; dot != NULL && i < config->family_count; i++) {
		const struct config_family *one = &config->families[i];
		size_t place;

		if (strlen(one->name) != (size_t)(dot - text) ||
			strncmp(one->name, text, strlen(one->name)) != 0)
			continue;
		place = config_member(one, dot + 1, strlen(dot + 1));
		if (place == one->member_count)
			return false;
		*family = one;
		*member = &one->members[place];
		return true;
	}
	return false;
}
