/* SPDX-License-Identifier: ISC */
/*
 * Where the disc keeps its own things.  The environment's SYSROOT, a folder
 * that a test made, stands for "/": the one seam for that, in C as in the
 * scripts.
 */
#ifndef LIB_CLI_PLACE_H
#define LIB_CLI_PLACE_H

#include "lib/base/buf.h"

#define PLACE_RUN "/run/keyroom" /* of this session, in memory */

/* Append where path, which begins with "/", is. */
void place(struct buf *out, const char *path);

/* Make the folder PLACE_RUN, if it is not there; what fails is found by its
 * use. */
void place_make_run(void);

#endif
