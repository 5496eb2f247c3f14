/* SPDX-License-Identifier: ISC */
/* Arrays that grow at their end. */
#ifndef LIB_BASE_ARRAY_H
#define LIB_BASE_ARRAY_H

#include "lib/base/err.h"

#include <stddef.h>

/*
 * Add an element to the end of an owned array.  array is the address of the
 * pointer to its *count elements of the given size (NULL and 0 at first); the
 * array may move.  The pointer to the new, zeroed element, or NULL and err,
 * and then the array is as it was.
 */
void *array_grow(void *array, size_t *count, size_t size, struct err *err);

#endif
