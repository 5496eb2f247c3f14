/* SPDX-License-Identifier: ISC */
/*
 * A copy of the spool in a folder on a drive, kept up by a process of its
 * own, so that one slow or missing drive holds up nobody: what a drive has
 * not taken yet waits in the spool.
 *
 * The journal is written last, and no further than what it vouches for is
 * there: a drive that is pulled holds a log that verifies to its last line.
 *
 * A drive that fails or is pulled is lost until the same drive is back: its
 * folder is there again and its journal begins with the same line.  What is
 * on it is then compared; a file that is not a beginning of the master copy
 * is kept as NAME.damaged and written anew.
 */
#ifndef TOOLS_EVIDENCE_REPLICA_H
#define TOOLS_EVIDENCE_REPLICA_H

#include "tools/evidence/spool.h"

struct replica;

enum replica_state {
	REPLICA_WRITTEN,
	REPLICA_SLOW, /* has not taken a line for a while */
	REPLICA_LOST,
};

/*
 * path: an existing folder, absolute, without a file of file 0's name, which
 * is the journal.  It is written and synced before this returns.
 * Errors: ERR_OUTPUT.
 */
bool replica_new(const char *path, const struct spool *spool,
	struct replica **out, struct err *err);

const char *replica_path(const struct replica *replica);
enum replica_state replica_state(const struct replica *replica);

/* Bytes of the journal that are on the drive. */
uint64_t replica_length(const struct replica *replica);

/* What the reason says of a drive that takes no more. */
#define REPLICA_FULL "the drive is full"

/* Why it is lost, or was; borrowed. */
const char *replica_reason(const struct replica *replica);

/* To be polled for reading, and then replica_listen(); -1: none. */
int replica_fd(const struct replica *replica);

/* There is more in the spool. */
void replica_wake(struct replica *replica);

/*
 * Read what its process says, without waiting, and see whether it keeps up.
 * True where the state has changed.
 */
bool replica_listen(struct replica *replica);

/*
 * Let all of these write what is left, at once, and end their processes, with
 * patience for a drive as long as it goes on taking something.  The states
 * say which folders hold everything.
 */
void replica_end(struct replica *const *replicas, size_t count);

/* After replica_end(): remove the journal, as if it had never begun. */
void replica_undo(struct replica *replica);

/* NULL is allowed. */
void replica_free(struct replica *replica);

/*
 * After the log's end: complete the folder of a log from the spool in that
 * folder.  Errors: ERR_OUTPUT: not this log's drive, or why it cannot be.
 */
bool replica_complete(const char *path, const char *spool, struct err *err);

#endif
