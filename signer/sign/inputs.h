/* SPDX-License-Identifier: ISC */
/*
 * What a run reads before it looks at a request: configuration, schema of
 * the format, previous response.
 */
#ifndef SIGNER_SIGN_INPUTS_H
#define SIGNER_SIGN_INPUTS_H

#include "lib/cli/log.h"
#include "lib/config/config.h"
#include "lib/crypto/crypto.h"
#include "lib/ksr/document.h"

struct inputs_options {
	const char *config;       /* NULL: ksrsigner.yaml */
	const char *previous_skr; /* NULL: as configured */
	const char *no_previous;  /* the reason, or NULL */
};

struct inputs {
	struct config *config;
	struct xml_schema *xml_schema;
	struct crypto_cache *cache;
	bool has_previous;
	struct document previous; /* where has_previous */
};

#define INPUTS_EMPTY {.config = NULL}

/*
 * Read a configuration (CONFIG_FILE_DEFAULT where path is NULL); its hash goes
 * into the log, which may be NULL.  *out is new.  Errors: ERR_USAGE.
 */
bool inputs_config(const char *path, struct log *log, struct config **out,
	struct err *err);

/*
 * Read all three; their hashes go into the log (which may be NULL).
 * Errors: ERR_REFUSED where there is no previous response and no reason why;
 * ERR_USAGE for a bad configuration and for both; ERR_INPUT.
 */
bool inputs_read(const struct inputs_options *options, struct log *log,
	struct inputs *out, struct err *err);

void inputs_clear(struct inputs *inputs);

/* Read a request with the configured bounds; its hash goes into the log. */
bool inputs_request(const struct inputs *inputs, const char *path,
	struct log *log, struct document *out, struct err *err);

/* The schema of that name.  Errors: ERR_USAGE, naming those there are. */
bool inputs_schema(const struct inputs *inputs, const char *name,
	const struct config_schema **out, struct err *err);

#endif
