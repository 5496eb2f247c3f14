/* SPDX-License-Identifier: ISC */
/* A block device over a file. */
#ifndef INIT_LOOP_H
#define INIT_LOOP_H

#include "err.h"

#include <stdint.h>

struct loop {
	char path[32]; /* of the device node */
	uint64_t size; /* of the file, in bytes */
};

/* Set up a read-only loop device over the regular file at path. */
bool loop_open(const char *path, struct loop *out, struct err *err);

#endif
