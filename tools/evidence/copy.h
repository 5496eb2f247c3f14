/* SPDX-License-Identifier: ISC */
/* The work on one drive: its folder is made the same as the spool's. */
#ifndef TOOLS_EVIDENCE_COPY_H
#define TOOLS_EVIDENCE_COPY_H

#include "lib/base/err.h"

#include <stdint.h>

struct copy;

/*
 * path: the folder on the drive; spool: the folder of the master copy; last:
 * the name of the file that is written after all others.  Nothing is read or
 * written yet.  Errors: memory; ERR_OUTPUT: spool cannot be opened.
 */
bool copy_new(const char *path, const char *spool, const char *last,
	struct copy **out, struct err *err);
void copy_free(struct copy *copy);

/*
 * While much is copied: call tick with argument now and then, each time that
 * something has reached the drive.
 */
void copy_tick(struct copy *copy, void (*tick)(void *argument), void *argument);

/* The one descriptor that it holds: the spool's folder. */
int copy_spool(const struct copy *copy);

/* Is the folder there?  Remembered as the one meant.  errno says why not. */
bool copy_find(struct copy *copy);

/*
 * Append what the master copy has more.  *length is then what the last file
 * has; *wrote whether anything was.  False: errno says why; the folder is not
 * there, say, or a file in it is not what was written.
 */
bool copy_more(struct copy *copy, uint64_t *length, bool *wrote);

/*
 * After a failure: is the same drive there, with the same first line in its
 * last file?  Then what is on it is compared and completed.  False: errno
 * says why not; nothing but what was damaged has been touched.
 */
bool copy_resume(struct copy *copy, uint64_t *length);

/* Remove the last file: a start that has failed leaves none. */
void copy_undo(const struct copy *copy);

#endif
