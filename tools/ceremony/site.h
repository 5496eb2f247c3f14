/* SPDX-License-Identifier: ISC */
/* The public page of a ceremony: one file, readable without scripts. */
#ifndef TOOLS_CEREMONY_SITE_H
#define TOOLS_CEREMONY_SITE_H

#include "tools/ceremony/account.h"
#include "tools/evidence/tree.h"

struct site {
	const struct account *account;
	const char *dir;          /* the public folder */
	const struct tree *files; /* that it has, with their hashes */
	const char *release;      /* of the program that makes the page */
	bool sealed;              /* SHA256SUMS will be signed */
};

/* Append the page.  Errors: ERR_INPUT. */
bool site_write(const struct site *site, struct buf *out, struct err *err);

#endif
