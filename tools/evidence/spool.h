/* SPDX-License-Identifier: ISC */
/*
 * The files of a ceremony's log in the machine's memory: the master copy,
 * from which every drive gets its own (replica.h).  They only grow, and what
 * other processes see of one is whole: a write is done, or it never was.
 */
#ifndef TOOLS_EVIDENCE_SPOOL_H
#define TOOLS_EVIDENCE_SPOOL_H

#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SPOOL_FILES_MAX 100000

struct spool;

/* In a new folder of that name.  Errors: ERR_OUTPUT. */
bool spool_new(const char *folder, struct spool **out, struct err *err);
void spool_free(struct spool *spool);

/* Where it is; borrowed. */
const char *spool_folder(const struct spool *spool);

/* A new file; *index is its number, from 0.  Errors: ERR_OUTPUT. */
bool spool_add(
	struct spool *spool, const char *name, size_t *index, struct err *err);

/* Is there a file of that name? */
bool spool_has(const struct spool *spool, const char *name);

/* How many files there are. */
size_t spool_count(const struct spool *spool);
const char *spool_name(const struct spool *spool, size_t index);
uint64_t spool_size(const struct spool *spool, size_t index);

/* Append.  Errors: ERR_OUTPUT; then the file is as it was. */
bool spool_write(struct spool *spool, size_t index, const void *data,
	size_t len, struct err *err);

/* Nothing more will be written to it. */
void spool_done(struct spool *spool, size_t index);

#endif
