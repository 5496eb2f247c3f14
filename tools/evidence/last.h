/* SPDX-License-Identifier: ISC */
/*
 * Where the last log that was started is, kept in the machine's memory, so
 * that "finish" can be made again: RUN/log/last, a line for the folder of the
 * master copy and one for each folder.
 */
#ifndef TOOLS_EVIDENCE_LAST_H
#define TOOLS_EVIDENCE_LAST_H

#include "lib/base/buf.h"

struct last {
	struct buf text;
	const char *spool;    /* borrowed from text, as the folders are */
	const char **folders; /* owned */
	size_t count;
};

/* Errors: ERR_OUTPUT. */
bool last_write(const char *spool, const char *const *folders, size_t count,
	struct err *err);

/* last_free() in any case.  Errors: ERR_OUTPUT: no log has been kept. */
bool last_read(struct last *out, struct err *err);

void last_free(struct last *last);

#endif
