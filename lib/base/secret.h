/* SPDX-License-Identifier: ISC */
/*
 * A secret of bounded length, a PIN as a rule: held in pages of its own that
 * are locked in memory (never swapped), left out of core dumps, and wiped
 * whole, not up to the first NUL.
 */
#ifndef LIB_BASE_SECRET_H
#define LIB_BASE_SECRET_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Longest secret in bytes, without the NUL that always follows it. */
#define SECRET_MAX ((size_t)255)

struct secret {
	size_t length;
	char bytes[SECRET_MAX + 1]; /* NUL after length bytes */
};

/*
 * An empty secret; the caller frees it.  ERR_INPUT where the system gives
 * no memory.  Where the limit on locked memory is used up, the secret is
 * still made: an unlocked page on a machine without swap is no reason to stop.
 */
bool secret_new(struct secret **out, struct err *err);

/*
 * A secret with these bytes; the caller frees it.  ERR_USAGE where there are
 * more than SECRET_MAX, or a NUL among them.
 */
bool secret_copy(
	const char *bytes, size_t length, struct secret **out, struct err *err);

/* Wipe and free.  NULL is allowed. */
void secret_free(struct secret *secret);

#endif
