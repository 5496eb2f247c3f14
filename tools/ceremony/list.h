/* SPDX-License-Identifier: ISC */
/* A script as lines that other programs read. */
#ifndef TOOLS_CEREMONY_LIST_H
#define TOOLS_CEREMONY_LIST_H

#include "tools/ceremony/script.h"

/*
 * Append the script, a line for each part, its fields separated by tabs:
 *
 *	act	TITLE
 *	step	NUMBER	ROLES	MINUTES	TITLE
 *	text	TEXT			note	TEXT
 *	confirm	ROLE	TEXT		value	ROLE	NAME
 *	command	STATUS	COMMAND		shown
 *	see	TEXT	glob	TEXT	regex	TEXT	answer
 *QUESTION	ANSWER	break
 *
 * Variables are expanded.  Errors: ERR_INPUT for one that is not set.
 */
bool list_script(const struct script *script, struct buf *out, struct err *err);

#endif
