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
 * Is a recording, of which this is the beginning, one of that command and of
 * nothing else, by the line that script(1) writes first?
 */
bool record_is_of(const char *recording, size_t len, const char *command);

#endif
