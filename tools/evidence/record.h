/* SPDX-License-Identifier: ISC */
/* One terminal, recorded by script(1) into the ceremony's log. */
#ifndef TOOLS_EVIDENCE_RECORD_H
#define TOOLS_EVIDENCE_RECORD_H

#include "lib/base/err.h"

#include <stddef.h>

/*
 * Run command, or a login shell where it is NULL, on a terminal within this
 * one.  Nothing is run before the log has said ok.  Returns when it has ended
 * and the log has every byte; *status is then its exit status (0 for a
 * shell).  Errors: ERR_USAGE: standard input is no terminal; ERR_OUTPUT: not
 * recorded, or not to the end.
 */
bool record_terminal(const char *command, int *status, struct err *err);

/*
 * Run a login shell in the same way, but whether or not a log is kept: it goes
 * into one from when the shell asks for it (lately.h).  Where that fails it
 * says so on the terminal.  Errors: there was no shell; as above.
 */
bool record_later(struct err *err);

/*
 * Is a recording, of which this is the beginning, one of that command and of
 * nothing else, by the line that script(1) writes first?
 */
bool record_is_of(const char *recording, size_t len, const char *command);

#endif
