/* SPDX-License-Identifier: ISC */
/*
 * The one process that keeps a ceremony's log: takes what programs send
 * (feed.h) and what the kernel says of devices, and writes it to every
 * folder, its journal chained.
 */
#ifndef CEREMONY_RECORDER_H
#define CEREMONY_RECORDER_H

#include "base/err.h"

#include <stddef.h>

#define RECORDER_FOLDERS_MAX 8
#define RECORDER_JOURNAL "journal"

/*
 * Keep the log in these folders (absolute paths) until "finish" is asked for
 * or SIGTERM arrives.  ready is called once everything works.  Errors:
 * ERR_OUTPUT.
 */
bool recorder_run(const char *const *folders, size_t count,
	void (*ready)(void *), void *argument, struct err *err);

#endif
