/* SPDX-License-Identifier: ISC */
#include "lib/base/array.h"

#include <stdlib.h>
#include <string.h>

void *array_grow(void *array, size_t *count, size_t size, struct err *err)
{
	void **slot = array;
	char *grown = *slot;

	/* Room doubles: it is full at each power of two. */
	if ((*count & (*count - 1)) == 0) {
		size_t room = *count > 0 ? *count * 2 : 1;

		grown = reallocarray(*slot, room, size);
		if (grown == NULL) {
			err_nomem(err);
			return NULL;
		}
		*slot = grown;
	}
	memset(grown + *count * size, 0, size);
	(*count)++;
	return grown + (*count - 1) * size;
}
