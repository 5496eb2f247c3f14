/* SPDX-License-Identifier: ISC */
#include "signer/keymaster/logged.h"

#include "lib/base/stop.h"
#include "lib/cli/waiting.h"
#include "signer/sign/inputs.h"

static bool run_open(const struct logged *program,
	const struct option_result *given, struct log *log, struct err *err)
{
	struct config *config = NULL;
	bool ok;

	ok = log_start(log, given->argc, given->argv, err) &&
	     inputs_config(program->config, log, &config, err) &&
	     log_ok(log, err) &&
	     program->run(config, log, program->context, err);
	config_free(config);
	return ok;
}

bool logged_run(const struct logged *program, const struct option_result *given,
	struct err *err)
{
	struct log *log = NULL;
	struct err log_err = ERR_EMPTY;
	bool ok;

	stop_catch();
	waiting_start(program->log.program);
	if (!log_open(&program->log, &log, err))
		return false;
	ok = run_open(program, given, log, err) && log_ok(log, err);
	if (!ok)
		log_write(log, LOG_LEVEL_ERROR, "%s (exit status %d)",
			err->text, (int)err->kind);
	if (!log_close(log, &log_err) && ok) {
		*err = log_err;
		ok = false;
	}
	return ok;
}
