/* SPDX-License-Identifier: ISC */
/* Looks, again and again, for terminals that are open and not recorded. */
#ifndef TOOLS_EVIDENCE_WATCH_H
#define TOOLS_EVIDENCE_WATCH_H

#include "tools/evidence/terminals.h"

#include <stdint.h>

struct watch {
	int64_t due;            /* seconds of the monotonic clock */
	struct terminals known; /* not recorded at the last look */
};

/* Is it time for another look, at the second now? */
bool watch_is_due(struct watch *watch, int64_t now);

/*
 * Look.  *out gets the terminals that are not recorded at the second look in
 * a row, each once as long as that lasts; the caller frees out->all.
 */
void watch_look(struct watch *watch, const pid_t *recording, size_t count,
	struct terminals *out);

void watch_free(struct watch *watch);

#endif
