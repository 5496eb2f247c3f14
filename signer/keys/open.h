/* SPDX-License-Identifier: ISC */
/* Opening the HSMs of a configuration, as every program with keys does. */
#ifndef KEYS_OPEN_H
#define KEYS_OPEN_H

#include "config/config.h"
#include "show/log.h"
#include "token/token.h"

/*
 * Open the HSM called name, or all where name is NULL, say what the tokens are
 * (where show, on the screen as well as in the log), and log in where login
 * says so; a PIN that is not configured is asked on the terminal.  ERR_USAGE
 * for an unknown name.  On success *out is new and the caller closes it.
 */
bool keys_open(const struct config *config, const char *name, bool login,
	bool show, struct log *log, struct token_set **out, struct err *err);

#endif
