/* SPDX-License-Identifier: ISC */
/*
 * A process that writes one recording (recording.h), so that a slow flash
 * drive never keeps anybody from reading: what it has not taken yet waits in
 * memory.
 */
#ifndef TOOLS_EVIDENCE_WRITER_H
#define TOOLS_EVIDENCE_WRITER_H

#include "lib/base/buf.h"

struct writer;

/*
 * program: for its messages on standard error.  The recording is open when
 * this returns: folder and prefix as for recording_open().  Errors:
 * ERR_OUTPUT.
 */
bool writer_new(const char *program, const char *folder, const char *prefix,
	struct writer **out, struct err *err);

/* Where the bytes go, for messages; borrowed. */
const char *writer_name(const struct writer *writer);

/* These bytes, after all before them. */
void writer_add(struct writer *writer, const struct buf *data);

/* To be polled for writing where bytes wait; otherwise -1. */
int writer_fd(const struct writer *writer);

/* Hand over what waits, as much as is taken now. */
void writer_send(struct writer *writer);

/*
 * Hand over the rest, wait until it is written, and free.  NULL is allowed.
 * Errors: ERR_OUTPUT; why has been said on standard error.
 */
bool writer_end(struct writer *writer, struct err *err);

#endif
