/* SPDX-License-Identifier: ISC */
/* How far a long reading is: one line on the terminal, once a second, after
 * two. */
#ifndef LIB_CLI_PROGRESS_H
#define LIB_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool terminal; /* standard error is one: else nothing is shown */
	const char *what;
	int64_t start;  /* monotonic second */
	int64_t shown;  /* second of the last line, 0: none yet */
	uint64_t done;  /* bytes */
	uint64_t total; /* bytes, 0: unknown */
};

/* what: a word or two before the figures, borrowed. */
void progress_start(
	struct progress *progress, const char *what, uint64_t total);

/* len more bytes are done. */
void progress_add(struct progress *progress, uint64_t len);

/* Wipe the line, if there is one. */
void progress_end(struct progress *progress);

#endif
