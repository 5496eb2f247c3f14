/* SPDX-License-Identifier: ISC */
/* Opening the HSMs of a configuration, as every program with keys does. */
#ifndef KEYS_OPEN_H
#define KEYS_OPEN_H

#include "config/config.h"
#include "show/log.h"
#include "token/token.h"

/*
 * Read the configuration (CONFIG_FILE_DEFAULT where path is NULL) and write its
 * SHA-256, in hex and words, into the log.  ERR_USAGE.
 */
bool keys_read_config(const char *path, struct log *log, struct config **out,
	struct err *err);

/*
 * Open the HSM called name, or all where name is NULL, write what the tokens
 * are into the log, and log in where login says so; a PIN that is not
 * configured is asked on the terminal.  ERR_USAGE for an unknown name.
 * On success *out is new and the caller closes it.
 */
bool keys_open(const struct config *config, const char *name, bool login,
	struct log *log, struct token_set **out, struct err *err);

#endif
