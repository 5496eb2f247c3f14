/* SPDX-License-Identifier: ISC */
/*
 * The responses that one ceremony made at once (families in the configuration):
 * which of them is which, and whether each is in its place.
 */
#ifndef POSTCHECK_FAMILY_H
#define POSTCHECK_FAMILY_H

#include "lib/ksr/ksr.h"
#include "postcheck/second.h"

/* The files of a member, from "MEMBER=KSR=SKR"; both owned. */
struct family_files {
	char *ksr, *skr;
};

/*
 * Take the operands apart; out has room for all members, in the family's order,
 * and what it holds is the caller's to free.  Errors: ERR_USAGE for one that is
 * no such, and for a member without files or with two of them.
 */
bool family_operands(const struct config_family *family,
	const char *const *operands, size_t count, struct family_files *out,
	struct err *err);

/*
 * Append the marks of those members whose schema makes such a response, by the
 * names of its keys and signatures: "USE or NEXT"; nothing for none.
 */
void family_name(const struct config *config,
	const struct config_family *family, const struct ksr *response,
	struct buf *out);

/* Part of POST-CHAIN: the response before is the member that is expected. */
void family_previous(const struct second *second, struct verdict *verdict);

/*
 * Part of POST-KSK-SCHEMA: if the response is what another member's schema
 * makes, say which.
 */
void family_mistaken(const struct second *second, struct verdict *verdict);

#endif
