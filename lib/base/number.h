/* SPDX-License-Identifier: ISC */
/* The one integer parser. */
#ifndef LIB_BASE_NUMBER_H
#define LIB_BASE_NUMBER_H

#include "lib/base/err.h"

#include <stdint.h>

/*
 * Decimal digits only, at most 19 of them; leading zeros are fine (key tags
 * are written with five digits).  A minus sign is accepted where min is
 * negative; no plus sign, no blanks.  Errors: ERR_INPUT, naming the text and
 * the range min to max.
 */
bool number_parse(const char *text, int64_t min, int64_t max, int64_t *out,
	struct err *err);

#endif
