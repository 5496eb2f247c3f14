/* SPDX-License-Identifier: ISC */
/*
 * What a terminal has shown lately, in memory: RUN/lately/PROCESS, a recording
 * without its beginning, which page-back reads.  It is no evidence, and what
 * fails here fails in silence: then there is no such file.
 */
#ifndef TOOLS_EVIDENCE_LATELY_H
#define TOOLS_EVIDENCE_LATELY_H

#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* At least so many bytes are there, the last ones, and at most twice as many.
 */
#define LATELY_KEPT ((size_t)1024 * 1024)

/* With less than that left in memory nothing is kept any more. */
#define LATELY_ROOM ((size_t)16 * 1024 * 1024)

struct lately;

/* Of this process.  Errors: ERR_OUTPUT. */
bool lately_new(struct lately **out, struct err *err);

/* Removes the file. */
void lately_free(struct lately *lately);

/* lately may be NULL. */
void lately_add(struct lately *lately, const void *data, size_t len);

/*
 * Has the terminal's shell asked to be recorded (by RUN/lately/PROCESS.wanted,
 * which is gone once it has its answer)?
 */
bool lately_is_wanted(const struct lately *lately);
void lately_answered(const struct lately *lately);

#endif
