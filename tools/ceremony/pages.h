/* SPDX-License-Identifier: ISC */
/* The script on pages: Step, Activity, Initials, Time; blank, or annotated. */
#ifndef TOOLS_CEREMONY_PAGES_H
#define TOOLS_CEREMONY_PAGES_H

#include "tools/ceremony/account.h"
#include "tools/paper/sheet.h"

#define PAGES_SHEETS 4 /* for exceptions, where nothing else is asked for */
#define PAGES_SHEETS_MAX 99

struct pages {
	const struct script *script;
	const uint8_t *hash; /* SHA256_LEN bytes: of the script's file */
	const char *release;
	const struct sheet_paper *paper;
	size_t sheets; /* blank ones, for exceptions */
	const struct account
		*account; /* what was done; NULL: to be filled in */
};

/* Append the PDF; the same script is the same file.  Errors: ERR_INPUT. */
bool pages_pdf(const struct pages *pages, struct buf *out, struct err *err);

#endif
