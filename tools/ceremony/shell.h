/* SPDX-License-Identifier: ISC */
/* A command on the terminal, as if it had been typed at the prompt. */
#ifndef TOOLS_CEREMONY_SHELL_H
#define TOOLS_CEREMONY_SHELL_H

#include "lib/base/err.h"

/*
 * Run it by bash, alone in the terminal's foreground, so that Ctrl-C is for it.
 * The folder in which it leaves the shell becomes this process's.  *status: as
 * a shell has it, 128 and the signal where one ended it.  Errors: ERR_OUTPUT:
 * it could not be started.
 */
bool shell_run(const char *command, int *status, struct err *err);

#endif
