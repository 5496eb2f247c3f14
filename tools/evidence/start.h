/* SPDX-License-Identifier: ISC */
/* Starts the process that keeps a ceremony's log (recorder.h). */
#ifndef TOOLS_EVIDENCE_START_H
#define TOOLS_EVIDENCE_START_H

#include "lib/base/err.h"

#include <stddef.h>

/*
 * In these folders, which are made where they are not there; returns once the
 * log is being kept.  Errors: ERR_USAGE: how many, or control characters in a
 * name; ERR_REFUSED: one is being kept already; ERR_OUTPUT.
 */
bool start_log(const char *const *names, size_t count, struct err *err);

#endif
