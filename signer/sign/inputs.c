/* SPDX-License-Identifier: ISC */
#include "signer/sign/inputs.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/cli/hash.h"
#include "lib/cli/marked.h"
#include "lib/hash/sha256.h"

#include <string.h>
#include <unistd.h>

void inputs_clear(struct inputs *inputs)
{
	document_clear(&inputs->previous);
	crypto_cache_free(inputs->cache);
	xml_schema_free(inputs->xml_schema);
	config_free(inputs->config);
	*inputs = (struct inputs)INPUTS_EMPTY;
}

static void record_hash(struct log *log, const char *what, const char *path,
	const uint8_t *hash)
{
	struct buf hex = BUF_EMPTY, words = BUF_EMPTY;

	hex_encode(&hex, hash, SHA256_LEN);
	hash_words(&words, hash);
	log_write(log, LOG_LEVEL_INFO, "%s %s SHA-256 %s %s", what, path,
		buf_string(&hex), buf_string(&words));
	buf_free(&hex);
	buf_free(&words);
}

bool inputs_config(
	const char *path, struct log *log, struct config **out, struct err *err)
{
	uint8_t hash[SHA256_LEN];

	if (path == NULL)
		path = CONFIG_FILE_DEFAULT;
	if (!config_read(path, hash, out, err))
		return false;
	marked_begin(log);
	record_hash(log, "configuration", path, hash);
	return true;
}

/* The file that is to be read; *path NULL where a reason says why not. */
static bool previous_path(const struct inputs_options *options,
	const struct config *config, const char **path, struct err *err)
{
	static const char hint[] =
		"give --previous-skr FILE, or --no-previous-skr REASON if there is none";

	*path = options->previous_skr;
	if (options->no_previous != NULL) {
		if (*path != NULL)
			return err_set(err, ERR_USAGE,
				"--previous-skr and --no-previous-skr exclude each other");
		if (options->no_previous[strspn(options->no_previous, " \t")] ==
			'\0')
			return err_set(err, ERR_USAGE,
				"--no-previous-skr needs a reason");
		return true;
	}
	if (*path == NULL)
		*path = config->filenames.previous_skr;
	if (*path == NULL)
		return err_set(err, ERR_REFUSED, "no previous SKR: %s", hint);
	if (access(*path, F_OK) != 0)
		return err_set(err, ERR_REFUSED,
			"the previous SKR %s does not exist: %s", *path, hint);
	return true;
}

static bool read_previous(const struct inputs_options *options, struct log *log,
	struct inputs *out, struct err *err)
{
	const char *path = NULL;

	if (!previous_path(options, out->config, &path, err))
		return false;
	if (path == NULL) {
		log_write(log, LOG_LEVEL_WARNING, "no previous SKR: %s",
			options->no_previous);
		return true;
	}
	out->has_previous = true;
	if (!document_read(out->xml_schema, path,
		    out->config->request_policy.max_file_size, KSR_RESPONSE,
		    &out->previous, err))
		return false;
	record_hash(log, "previous SKR", path, out->previous.sha256);
	return true;
}

bool inputs_read(const struct inputs_options *options, struct log *log,
	struct inputs *out, struct err *err)
{
	return inputs_config(options->config, log, &out->config, err) &&
	       xml_schema_new(&out->xml_schema, err) &&
	       crypto_cache_new(&out->cache, err) &&
	       read_previous(options, log, out, err);
}

bool inputs_request(const struct inputs *inputs, const char *path,
	struct log *log, struct document *out, struct err *err)
{
	if (!document_read(inputs->xml_schema, path,
		    inputs->config->request_policy.max_file_size, KSR_REQUEST,
		    out, err))
		return false;
	record_hash(log, "KSR", path, out->sha256);
	return true;
}

bool inputs_schema(const struct inputs *inputs, const char *name,
	const struct config_schema **out, struct err *err)
{
	const struct config *config = inputs->config;
	struct buf known = BUF_EMPTY;

	*out = config_schema(config, name);
	if (*out != NULL)
		return true;
	for (size_t i = 0; i < config->schema_count; i++)
		buf_format(&known, "%s%s", i > 0 ? ", " : "",
			config->schemas[i].name);
	err_set(err, ERR_USAGE, "no schema %s in the configuration, it has: %s",
		name, buf_string(&known));
	buf_free(&known);
	return false;
}
