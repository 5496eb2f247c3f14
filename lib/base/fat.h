/* SPDX-License-Identifier: ISC */
/*
 * Names on FAT and exFAT, which the flash drives of a ceremony have.
 */
#ifndef LIB_BASE_FAT_H
#define LIB_BASE_FAT_H

#include "lib/base/err.h"

/*
 * Can a file have this name there, and no other: no control character, none of
 * "*:<>?\|, no dot and no blank at its end (they are dropped)?  Errors:
 * ERR_OUTPUT, with the name.
 */
bool fat_check_name(const char *name, struct err *err);

/* Are the two one name there: but for case, and dots and blanks at the end? */
bool fat_is_same(const char *a, const char *b);

/* Is the folder on such a drive?  false where it cannot be known. */
bool fat_holds(const char *folder);

#endif
