/* SPDX-License-Identifier: ISC */
/* Exports the trust anchor file from the keys in the HSMs. */
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "lib/cli/print.h"
#include "lib/hash/sha256.h"
#include "signer/keymaster/anchor.h"
#include "signer/keymaster/logged.h"
#include "signer/sign/table.h"
#include "signer/token/open.h"

#include <stdlib.h>
#include <unistd.h>

static const char *config_path, *hsm_name, *log_dir, *output;
static bool debug;
static struct anchor_settings chosen;

static const struct option_entry options[] = {
	{"config", 'c', OPTION_VALUE, "FILE",
		"configuration [" CONFIG_FILE_DEFAULT "]", &config_path},
	{"trustanchor", 0, OPTION_VALUE, "XML",
		"where it is written [filenames.output_trustanchor]", &output},
	{"id", 0, OPTION_VALUE, "ID", "id of the file [a random UUID]",
		&chosen.id},
	{"source", 0, OPTION_VALUE, "URL", "where it is published [the root's]",
		&chosen.source},
	{"rfc7958", 0, OPTION_FLAG, NULL,
		"the older form: no public keys, no flags", &chosen.old_form},
	{"hsm", 0, OPTION_VALUE, "NAME", "only this HSM of the configuration",
		&hsm_name},
	{"log-dir", 0, OPTION_VALUE, "DIR", "folder of the log [.]", &log_dir},
	{"debug", 0, OPTION_FLAG, NULL, "more in the log", &debug},
	{0},
};

static const char *const usage[] = {
	"[--config FILE] [--trustanchor XML] [--id ID] [--rfc7958]", NULL};

static const struct option_program program = {
	.name = "trustanchor",
	.purpose = "The trust anchor file (RFC 9718) of the configured keys.",
	.usage = usage,
	.options = options,
};

/* To the file, or to standard output where none is named. */
static bool write_result(const char *path, const struct buf *xml,
	struct log *log, struct err *err)
{
	uint8_t hash[SHA256_LEN];
	char *kept = NULL;

	if (!sha256_of(xml->data, xml->len, hash, err))
		return false;
	log_copy(log, LOG_LEVEL_INFO, (const char *)xml->data, xml->len);
	if (!log_ok(log, err))
		return false;
	if (path == NULL)
		return print_text(xml, err);
	if (!file_write(path, xml->data, xml->len, &kept, err))
		return false;
	if (kept != NULL)
		log_say(log, "the file that was there is kept as %s", kept);
	free(kept);
	log_say(log, "trust anchor written to %s", path);
	table_hash(log, "trust anchor", hash);
	return log_ok(log, err) ||
	       err_prefix(err, "the trust anchor is in %s", path);
}

static bool export_anchor(const struct config *config, struct log *log,
	const void *context, struct err *err)
{
	struct keys_open_options wanted = {
		.hsm = hsm_name, .login = true, .by_label = true};
	struct token_set *set = NULL;
	struct buf xml = BUF_EMPTY;
	const char *path =
		output != NULL ? output : config->filenames.output_trustanchor;
	bool ok;

	(void)context;
	if (chosen.source == NULL)
		chosen.source = ANCHOR_SOURCE;
	if (path != NULL && !file_check_target(path, err))
		return false;
	ok = keys_open(config, &wanted, log, &set, err) &&
	     anchor_write(config, set, &chosen, log, &xml, err) &&
	     stop_check(err) && write_result(path, &xml, log, err);
	token_set_close(set);
	buf_free(&xml);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	if (given->count > 0)
		return err_set(err, ERR_USAGE, "%s: no operand is expected",
			given->operands[0]);
	return logged_run(&(struct logged){.log = {.program = program.name,
						   .folder = log_dir,
						   .debug = debug},
				  .config = config_path,
				  .run = export_anchor},
		given, err);
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
