/* SPDX-License-Identifier: ISC */
/* The lines that programs may ask the journal for. */
#ifndef TOOLS_EVIDENCE_KINDS_H
#define TOOLS_EVIDENCE_KINDS_H

#include "tools/evidence/ledger.h"

/* Is "KIND TEXT" of a kind that may be asked for? */
bool kinds_has(const char *request);

/*
 * Write that line.  Errors: ERR_INPUT: its text is not one of its kind;
 * ERR_OUTPUT.
 */
bool kinds_take(struct ledger *ledger, const char *request, struct err *err);

#endif
