/* SPDX-License-Identifier: ISC */
/* A run of a program for keys, from the first line of its log to the last. */
#ifndef SIGNER_KEYMASTER_LOGGED_H
#define SIGNER_KEYMASTER_LOGGED_H

#include "lib/cli/log.h"
#include "lib/cli/options.h"
#include "lib/config/config.h"

struct logged {
	struct log_settings log;
	const char *config; /* path; NULL: CONFIG_FILE_DEFAULT */
	/* What the program does; context is handed through. */
	bool (*run)(const struct config *config, struct log *log,
		const void *context, struct err *err);
	const void *context;
};

/*
 * Open the log, read the configuration, run, and close the log: an error is in
 * it, too, and a log that cannot be written is one (ERR_OUTPUT).  Signals that
 * end a program are caught from here on (base/stop.h).
 */
bool logged_run(const struct logged *program, const struct option_result *given,
	struct err *err);

#endif
