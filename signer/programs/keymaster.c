/* SPDX-License-Identifier: ISC */
/* The keys in the HSMs: what is there, making, destroying, moving, PINs. */
#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "signer/keymaster/commands.h"
#include "signer/keymaster/logged.h"
#include "signer/token/open.h"

#include <string.h>

static const char *config_path, *hsm_name, *log_dir;
static bool debug;
static struct keys_options chosen;

static const struct option_entry options[] = {
	{"config", 'c', OPTION_VALUE, "FILE",
		"configuration [" CONFIG_FILE_DEFAULT "]", &config_path},
	{"hsm", 0, OPTION_VALUE, "NAME", "only this HSM of the configuration",
		&hsm_name},
	{"token", 0, OPTION_VALUE, "LABEL", "the token meant, by its label",
		&chosen.token},
	{"serial", 0, OPTION_VALUE, "SERIAL", "the token meant, by its serial",
		&chosen.serial},
	{"slot", 0, OPTION_VALUE, "NUMBER", "the token meant, by its slot",
		&chosen.slot},
	{"log-dir", 0, OPTION_VALUE, "DIR", "folder of the log [.]", &log_dir},
	{"debug", 0, OPTION_FLAG, NULL, "more in the log", &debug},
	{"dns", 0, OPTION_FLAG, NULL, "inventory: DNSKEY and DS records, too",
		&chosen.dns},
	{"label", 0, OPTION_VALUE, "LABEL", "the key meant, by its label",
		&chosen.label},
	{"algorithm", 0, OPTION_VALUE, "NAME", "DNSSEC algorithm of the key",
		&chosen.algorithm},
	{"size", 0, OPTION_VALUE, "BITS", "keygen: size, needed for RSA",
		&chosen.size},
	{"extractable", 0, OPTION_FLAG, NULL,
		"keygen, restore: backup will be possible",
		&chosen.extractable},
	{"force", 0, OPTION_FLAG, NULL, "keydelete, backup: do not ask",
		&chosen.force},
	{"output", 'o', OPTION_VALUE, "FILE",
		"csr, transport, backup: where it is written", &chosen.output},
	{"der", 0, OPTION_FLAG, NULL, "csr: DER, not PEM", &chosen.der},
	{"organization", 0, OPTION_VALUE, "TEXT", "csr: O of the subject",
		&chosen.organization},
	{"unit", 0, OPTION_VALUE, "TEXT", "csr: OU of the subject",
		&chosen.unit},
	{"common-name", 0, OPTION_VALUE, "TEXT",
		"csr: CN of the subject [zone, KSK and time]",
		&chosen.common_name},
	{"transport", 0, OPTION_VALUE, "FILE",
		"backup: transport key of the receiving token",
		&chosen.transport},
	{"input", 'i', OPTION_VALUE, "FILE", "restore: the backup",
		&chosen.input},
	{"so", 0, OPTION_FLAG, NULL,
		"changepin: as security officer, opens a locked PIN",
		&chosen.officer},
	{0},
};

static const char *const usage[] = {
	"[--config FILE] [--hsm NAME] [--token LABEL | --serial SERIAL | --slot NUMBER] COMMAND ...",
	"inventory [--dns]",
	"keygen --algorithm NAME [--size BITS] [--label LABEL] [--extractable]",
	"keydelete --label LABEL [--algorithm NAME] [--force]",
	"csr --label LABEL --output FILE [--algorithm NAME] [--der] [--organization TEXT] ...",
	"transport --output FILE [--label LABEL]",
	"backup --label LABEL --transport FILE --output FILE [--algorithm NAME] [--force]",
	"restore --input FILE [--extractable]",
	"changepin [--so]",
	NULL,
};

static const struct option_program program = {
	.name = "keymaster",
	.purpose = "The keys in the HSMs.",
	.usage = usage,
	.options = options,
};

/*
 * needs: the options that must be given; takes: what may be given beside them,
 * and beside those of every command.  before: what can be known without an HSM,
 * so that no PIN is tried for a command that cannot be.
 */
static const struct command {
	const char *name;
	keys_command *before, *run;
	bool login;
	const char *needs[4], *takes[8];
} commands[] = {
	{"inventory", NULL, keys_inventory, true, {0}, {"dns"}},
	{"keygen", keys_before_keygen, keys_keygen, true, {"algorithm"},
		{"size", "label", "extractable"}},
	{"keydelete", NULL, keys_keydelete, true, {"label"},
		{"algorithm", "force"}},
	{"csr", keys_before_csr, keys_csr, true, {"label", "output"},
		{"algorithm", "der", "organization", "unit", "common-name"}},
	{"transport", keys_before_transport, keys_transport, true, {"output"},
		{"label"}},
	{"backup", keys_before_backup, keys_backup, true,
		{"label", "transport", "output"}, {"algorithm", "force"}},
	{"restore", keys_before_restore, keys_restore, true, {"input"},
		{"extractable"}},
	{"changepin", NULL, keys_changepin, false, {0}, {"so"}},
};

#define LENGTH(list) (sizeof(list) / sizeof(*(list)))

static const char *const common[] = {
	"config", "hsm", "token", "serial", "slot", "log-dir", "debug"};

static bool is_given(const struct option_entry *option)
{
	if (option->kind == OPTION_FLAG)
		return *(const bool *)option->value;
	return *(const char *const *)option->value != NULL;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count && names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool check_needs(const struct command *command, struct err *err)
{
	for (size_t i = 0; i < LENGTH(command->needs); i++)
		for (const struct option_entry *o = options; o->name != NULL;
			o++)
			if (command->needs[i] != NULL &&
				strcmp(command->needs[i], o->name) == 0 &&
				!is_given(o))
				return err_set(err, ERR_USAGE,
					"--%s is required here", o->name);
	return true;
}

/* An option that means nothing to the command may be a mistake: refused. */
static bool check_options(const struct command *command, struct err *err)
{
	for (const struct option_entry *o = options; o->name != NULL; o++)
		if (is_given(o) && !is_among(o->name, common, LENGTH(common)) &&
			!is_among(o->name, command->needs,
				LENGTH(command->needs)) &&
			!is_among(o->name, command->takes,
				LENGTH(command->takes)))
			return err_set(err, ERR_USAGE,
				"--%s does not go with %s", o->name,
				command->name);
	/* Objects without a label are many, and none of them is meant by it. */
	if (chosen.label != NULL && chosen.label[0] == '\0')
		return err_set(err, ERR_USAGE,
			"--label: empty, expected the label of a key");
	return check_needs(command, err);
}

static bool find_command(const struct option_result *line,
	const struct command **out, struct err *err)
{
	if (line->count == 0)
		return err_set(err, ERR_USAGE, "no command");
	if (line->count > 1)
		return err_set(err, ERR_USAGE, "one command, not %s",
			line->operands[1]);
	for (size_t i = 0; i < LENGTH(commands); i++)
		if (strcmp(commands[i].name, line->operands[0]) == 0) {
			*out = &commands[i];
			return check_options(*out, err);
		}
	return err_set(err, ERR_USAGE, "unknown command %s", line->operands[0]);
}

static bool run_command(const struct config *config, struct log *log,
	const void *context, struct err *err)
{
	const struct command *command = context;
	struct keys_run run = {
		.options = &chosen, .config = config, .log = log};
	struct keys_open_options wanted = {.hsm = hsm_name,
		.token = {.label = chosen.token,
			.serial = chosen.serial,
			.slot = chosen.slot},
		.login = command->login};
	bool ok;

	if (chosen.output != NULL && !file_check_target(chosen.output, err))
		return false;
	if (command->before != NULL && !command->before(&run, err))
		return false;
	ok = keys_open(config, &wanted, log, &run.set, err) &&
	     stop_check(err) && command->run(&run, err);
	token_set_close(run.set);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	const struct command *command = NULL;

	if (!find_command(given, &command, err))
		return false;
	return logged_run(&(struct logged){.log = {.program = program.name,
						   .folder = log_dir,
						   .debug = debug},
				  .config = config_path,
				  .run = run_command,
				  .context = command},
		given, err);
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
