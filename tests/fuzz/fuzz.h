/* SPDX-License-Identifier: ISC */
/*
 * What the fuzz entries share.  libFuzzer brings its own main; replay.c is
 * the other one, which runs files through an entry once.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "lib/base/err.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A refusal must say why, on one bounded line of its kind. */
static inline void fuzz_expect_reason(const struct err *err)
{
	assert(err->kind >= ERR_REFUSED && err->kind <= ERR_OUTPUT);
	assert(memchr(err->text, '\0', sizeof(err->text)) != NULL);
	assert(err->text[0] != '\0');
}

#endif
