/* SPDX-License-Identifier: ISC */
/*
 * A copy of the spool in a folder on a drive, kept up by a thread of its own,
 * so that one slow or missing drive holds up nobody.
 *
 * A drive that fails or is pulled is lost until the same drive is back: its
 * folder is there again and its journal begins with the same line.  What is
 * on it is then compared; a file that is not a beginning of the master copy
 * is kept as NAME.damaged and written anew.
 */
#ifndef CEREMONY_REPLICA_H
#define CEREMONY_REPLICA_H

#include "ceremony/spool.h"

struct replica;

/*
 * path: an existing folder, absolute, without a file of file 0's name.  The
 * first file is written and synced before this returns.  Afterwards each
 * change of state is a line on notify: "lost PATH: REASON" or "back PATH".
 * Errors: ERR_OUTPUT.
 */
bool replica_new(const char *path, struct spool *spool, int notify,
	struct replica **out, struct err *err);

const char *replica_path(const struct replica *replica);
bool replica_is_lost(struct replica *replica);

/*
 * Write what is left, end the thread and free.  True where the folder holds
 * everything.  NULL is allowed, and true.
 */
bool replica_end(struct replica *replica);

#endif
