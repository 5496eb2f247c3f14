/* SPDX-License-Identifier: ISC */
/* Opening the HSMs of a configuration, as every program with keys does. */
#ifndef KEYS_OPEN_H
#define KEYS_OPEN_H

#include "config/config.h"
#include "show/log.h"
#include "token/token.h"

struct keys_open_options {
	const char *hsm;   /* its name in the configuration; NULL: all */
	const char *token; /* log in to this one only, by label; NULL: all */
	bool login;
	bool show; /* what the tokens are: on the screen, too, not the log alone
		    */
};

/*
 * Open the HSMs, say what their tokens are, and log in; a PIN that is not
 * configured is asked on the terminal.  ERR_USAGE for an unknown name.  On
 * success *out is new and the caller closes it.
 */
bool keys_open(const struct config *config,
	const struct keys_open_options *options, struct log *log,
	struct token_set **out, struct err *err);

#endif
