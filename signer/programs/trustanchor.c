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

/* What stands on the drive is what was to be written, to the last byte. */
static bool read_again(
	const char *path, const struct anchor_file *file, struct err *err)
{
	struct buf found = BUF_EMPTY;
	bool ok;

	ok = file_read(path, FILE_KEPT_MAX, &found, err) &&
	     anchor_check(file, &found, err);
	if (ok && !buf_equal(&found, &file->xml))
		ok = err_set(err, ERR_OUTPUT,
			"%s does not hold what was written", path);
	buf_free(&found);
	if (!ok)
		err->kind = ERR_OUTPUT;
	return ok;
}

/* Published, or what was there before is there again. */
static bool publish(const char *path, const struct anchor_file *file,
	char **kept, struct err *err)
{
	struct file_stage *stage = NULL;
	struct err undo = ERR_EMPTY;
	bool ok = false;

	if (file_stage_new(path, file->xml.data, file->xml.len, &stage, err) &&
		file_stage_publish(stage, kept, err)) {
		ok = read_again(path, file, err);
		if (!ok && !file_stage_undo(stage, &undo))
			err_prefix(err, "%s, and it is still there (%s)", path,
				undo.text);
	}
	file_stage_free(stage);
	return ok;
}

/* To the file, or to standard output where none is named. */
static bool write_result(const char *path, const struct anchor_file *file,
	struct log *log, struct err *err)
{
	const struct buf *xml = &file->xml;
	uint8_t hash[SHA256_LEN];
	char *kept = NULL;

	if (!sha256_of(xml->data, xml->len, hash, err))
		return false;
	log_copy(log, LOG_LEVEL_INFO, (const char *)xml->data, xml->len);
	if (!log_ok(log, err))
		return false;
	if (path == NULL)
		return print_text(xml, err);
	if (!publish(path, file, &kept, err)) {
		free(kept);
		return false;
	}
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
	struct anchor_file *file = NULL;
	const char *path =
		output != NULL ? output : config->filenames.output_trustanchor;
	bool ok;

	(void)context;
	if (chosen.source == NULL)
		chosen.source = ANCHOR_SOURCE;
	if (path != NULL && !file_check_target(path, err))
		return false;
	ok = keys_open(config, &wanted, log, &set, err) &&
	     anchor_file_new(config, set, &chosen, log, &file, err) &&
	     stop_check(err) && write_result(path, file, log, err);
	token_set_close(set);
	anchor_file_free(file);
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
