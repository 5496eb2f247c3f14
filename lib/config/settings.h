/* SPDX-License-Identifier: ISC */
/*
 * Settings as data: for each section a table of name, type, place in its
 * struct, default and bounds.  Reading, defaults and messages come from the
 * table; a new setting is one line there and one member in config.h.
 * Private to the config module.
 */
#ifndef LIB_CONFIG_SETTINGS_H
#define LIB_CONFIG_SETTINGS_H

#include "lib/config/config.h"
#include "lib/config/reader.h"

enum setting_type {
	SETTING_BOOL,       /* bool */
	SETTING_NUMBER,     /* uint32_t, min to max */
	SETTING_TAG,        /* uint16_t */
	SETTING_DURATION,   /* int64_t */
	SETTING_TIME,       /* int64_t */
	SETTING_TEXT,       /* char *, not empty, no control characters */
	SETTING_NOTE,       /* the same, and "" is one, too */
	SETTING_NAMES,      /* struct config_names of such texts */
	SETTING_KEYS,       /* the same, or one alone without a list */
	SETTING_NUMBERS,    /* struct config_numbers, each min to max */
	SETTING_ALGORITHM,  /* uint8_t, written as its mnemonic */
	SETTING_ALGORITHMS, /* struct config_numbers of these */
	SETTING_SHA256,     /* uint8_t[CONFIG_SHA256_SIZE], in hex */
	SETTING_SECRET,     /* struct secret * */
	SETTING_BASE64,     /* struct buf */
	SETTING_ENV,        /* a map, read by config.c: never has a default */
	SETTING_TABLE,      /* a struct with a table of its own, likewise */
	SETTING_POLICIES,   /* struct config_algorithm_policies, likewise */
};

struct setting {
	const char *name; /* NULL ends a table */
	enum setting_type type;
	size_t offset; /* of the member in the section's struct */
	/* Lists: items separated by a blank.  NULL: absent leaves zero. */
	const char *fallback;
	uint32_t min, max; /* numbers, and each number of a list */
	bool required;
	size_t flag; /* offset of a bool that says it was stated; 0: none */
	const struct setting *table; /* of a SETTING_TABLE */
};

/* One table for each section; hsm, keys and slots: for each entry of it. */
extern const struct setting settings_experiment[];
extern const struct setting settings_hsm[];
extern const struct setting settings_key[];
extern const struct setting settings_filenames[];
extern const struct setting settings_request_policy[];
extern const struct setting settings_response_policy[];
extern const struct setting settings_ksk_policy[];
extern const struct setting settings_slot[];
extern const struct setting settings_slot_algorithms[];
extern const struct setting settings_algorithm_policy[];
extern const struct setting settings_member[];

/* Most settings in one table. */
#define SETTINGS_MAX 50

/* Fill a zeroed struct with what its table says of absent settings. */
bool settings_default(
	const struct setting *table, void *section, struct err *err);

/* Read a map into the struct; everything it does not state stays. */
bool settings_read(const struct setting *table, void *section,
	struct reader *reader, struct err *err);

/* Release what the struct owns; secrets are wiped. */
void settings_free(const struct setting *table, void *section);

/* Read one value into its member, for a setting of any type but ENV. */
bool settings_read_value(const struct setting *setting, void *section,
	struct reader *reader, struct err *err);

#endif
