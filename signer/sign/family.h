/* SPDX-License-Identifier: ISC */
/*
 * The responses that one ceremony makes at once: for use, for the next phase,
 * for going back.  What they are called, and which request each answers.
 */
#ifndef SIGNER_SIGN_FAMILY_H
#define SIGNER_SIGN_FAMILY_H

#include "lib/config/config.h"

/*
 * The requests of "MEMBER=KSR" operands, one for each member and in their
 * order; they borrow from the operands.  Errors: ERR_USAGE.
 */
bool family_requests(const struct config_family *family,
	const char *const *operands, size_t count, const char **out,
	struct err *err);

/*
 * What a page says of a member's response: "BACKOUT of family 2028q1, with
 * schema back, follows USE: to be sealed, not for use".  The caller frees it.
 */
char *family_title(
	const struct config_family *family, size_t member, struct err *err);

/*
 * The name of a response's file: "skr-x.xml" for "ksr-x.xml", and "use-" and
 * the like before it where mark is a member's name, not NULL.  The caller frees
 * it.
 */
char *family_file(const char *member, const char *request, struct err *err);

#endif
