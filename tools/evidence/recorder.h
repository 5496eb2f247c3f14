/* SPDX-License-Identifier: ISC */
/*
 * The one process that keeps a ceremony's log: takes what programs send
 * (feed.h) and what the kernel says of devices, and writes it to every
 * folder, its journal chained.
 *
 * "status" is answered by lines:
 *
 *	lines N HASH			of the journal
 *	folder STATE PATH		written, slow or lost
 *	reason TEXT			why that folder is lost
 *	stream BYTES PROCESS NAME	being recorded
 *	full				memory: nothing can be recorded
 *
 * and "finish" by "hash HASH" and, for each folder, "folder" and "reason".
 */
#ifndef TOOLS_EVIDENCE_RECORDER_H
#define TOOLS_EVIDENCE_RECORDER_H

#include "lib/base/err.h"

#include <stddef.h>

#define RECORDER_FOLDERS_MAX 8
#define RECORDER_TERMINAL "terminal-" /* the names of terminals begin so */

/*
 * Keep the log in these folders (absolute paths) until "finish" is asked for
 * or SIGTERM arrives.  ready is called once everything works.  Errors:
 * ERR_OUTPUT.
 */
bool recorder_run(const char *const *folders, size_t count,
	void (*ready)(void *), void *argument, struct err *err);

#endif
