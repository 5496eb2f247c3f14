/* SPDX-License-Identifier: ISC */
/*
 * The files of a ceremony's log in the machine's memory: the master copy,
 * from which every drive gets its own (replica.h).  One thread adds and
 * writes, any thread reads.
 */
#ifndef CEREMONY_SPOOL_H
#define CEREMONY_SPOOL_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPOOL_FILES_MAX 256

struct spool;

/* In a new folder of that name.  Errors: ERR_OUTPUT. */
bool spool_new(const char *folder, struct spool **out, struct err *err);
void spool_free(struct spool *spool);

/* A new file; *index is its number.  Errors: ERR_OUTPUT. */
bool spool_add(
	struct spool *spool, const char *name, size_t *index, struct err *err);

/* How many files there are; their numbers begin with 0. */
size_t spool_count(struct spool *spool);
const char *spool_name(struct spool *spool, size_t index);
uint64_t spool_size(struct spool *spool, size_t index);

/* Append.  Errors: ERR_OUTPUT; then the file is as it was. */
bool spool_write(struct spool *spool, size_t index, const void *data,
	size_t len, struct err *err);

/* As pread(2). */
ssize_t spool_read(struct spool *spool, size_t index, uint64_t offset,
	void *data, size_t len);

/* Wait until something is written, or for these milliseconds. */
void spool_wait(struct spool *spool, int milliseconds);

/* Let every spool_wait() return. */
void spool_wake(struct spool *spool);

#endif
