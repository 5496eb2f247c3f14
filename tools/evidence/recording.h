/* SPDX-License-Identifier: ISC */
/*
 * A file that must get every byte, although its drive may be slow, full or
 * pulled: what could not be written is kept in memory and tried again.
 *
 * Where a ceremony's log is being kept (feed.h), the bytes go there.
 */
#ifndef TOOLS_EVIDENCE_RECORDING_H
#define TOOLS_EVIDENCE_RECORDING_H

#include "lib/base/buf.h"

struct recording;

/*
 * A new file FOLDER/PREFIX-TIME.log, never an existing one; with folder NULL
 * in the ceremony's log, or in the current folder where none is being kept.
 * Errors: ERR_OUTPUT.
 */
bool recording_open(const char *folder, const char *prefix,
	struct recording **out, struct err *err);

/* Where the bytes go, for messages; borrowed. */
const char *recording_name(struct recording *recording);

/*
 * What became of the ceremony's log, and where the bytes go now, for whoever
 * reads messages: appended to out, once.
 */
void recording_news(struct recording *recording, struct buf *out);

/* Take these bytes, to be written by the next recording_flush(). */
void recording_add(struct recording *recording, const struct buf *data);

/*
 * Write what is waiting, onto the drive.  False fills err and keeps what is
 * left for the next try.  A ceremony's log that has been finished meanwhile
 * is replaced by a file in the current folder, which begins with the first
 * byte that the log does not have.
 */
bool recording_flush(struct recording *recording, struct err *err);

/*
 * The last try: what still cannot be written is saved in /run/keyroom, and
 * err (ERR_OUTPUT) says so.  news: as recording_news().  Frees in any case;
 * NULL is allowed.
 */
bool recording_close(
	struct recording *recording, struct buf *news, struct err *err);

/* In a process of its own: nothing else stays open but also, above 2. */
void recording_close_others(struct recording *recording, int also);

/* Close it here only: another process has it and goes on.  NULL is allowed. */
void recording_leave(struct recording *recording);

#endif
