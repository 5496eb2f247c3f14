/* SPDX-License-Identifier: ISC */
/* The annotated script: what was done, as CommonMark. */
#ifndef TOOLS_CEREMONY_NOTES_H
#define TOOLS_CEREMONY_NOTES_H

#include "tools/ceremony/account.h"

/*
 * Append the script with times, values, exceptions and what went otherwise,
 * each at its step.  Errors: ERR_INPUT.
 */
bool notes_write(
	const struct account *account, struct buf *out, struct err *err);

#endif
