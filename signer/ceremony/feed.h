/* SPDX-License-Identifier: ISC */
/*
 * What programs send to the ceremony's log, which one process keeps while a
 * ceremony is recorded (recorder.h).
 *
 * The line on a local socket is one request: "note TEXT", "status", "finish",
 * or "stream NAME", after which every byte belongs to the file NAME.
 */
#ifndef CEREMONY_FEED_H
#define CEREMONY_FEED_H

#include "base/buf.h"

#define FEED_NAME_MAX 100

/* /run/keyroom, or where KEYROOM_RUN says; borrowed. */
const char *feed_run_folder(void);

/* Append the path of the socket. */
void feed_socket_path(struct buf *out);

/* Is text usable as the name of a file in the log: A-Z a-z 0-9 . _ - ? */
bool feed_is_name(const char *text);

/* Append what comes after the last slash of path, made such a name. */
void feed_name(struct buf *out, const char *path);

/* A connection; the caller closes.  -1 where no log is being kept. */
int feed_open(void);

/*
 * A file NAME in the log; what is written to *fd then goes there, and
 * closing ends it.  False without a message where no log is being kept;
 * *fd is -1 then.
 */
bool feed_stream(const char *name, int *fd);

/* One request; the whole answer is appended.  Errors: ERR_OUTPUT. */
bool feed_request(const char *request, struct buf *answer, struct err *err);

#endif
