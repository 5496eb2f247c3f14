/* SPDX-License-Identifier: ISC */
/* Text on its way to the printer: hands it to printlog. */
#ifndef TOOLS_PAPER_PAPER_H
#define TOOLS_PAPER_PAPER_H

#include "lib/base/buf.h"

/*
 * Print text under this title, copies times ("1" to "99", as typed).  Runs
 * "printlog --title=TITLE - COPIES" from PATH and waits for it.  Errors:
 * ERR_OUTPUT; printlog has then said why on standard error.
 */
bool paper_print(const char *title, const struct buf *text, const char *copies,
	struct err *err);

#endif
