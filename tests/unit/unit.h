/* SPDX-License-Identifier: ISC */
/* cmocka with the headers it wants, and what several tests share. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * The path of a file of the reference data (../shared from the project's
 * root); skips the test where it is absent.
 */
#define DATA(name)                                                             \
	(data_present("../shared/data/" name) ? "../shared/data/" name         \
					      : (skip(), ""))

static inline int data_present(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (f != NULL)
		fclose(f);
	return f != NULL;
}

#endif
