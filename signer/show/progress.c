/* SPDX-License-Identifier: ISC */
#include "show/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MEGABYTE 1000000
#define QUIET_SECONDS 2 /* what is done sooner shows nothing */

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void progress_start(struct progress *progress, const char *what, uint64_t total)
{
	*progress = (struct progress){
		.terminal = isatty(STDERR_FILENO) == 1,
		.what = what,
		.start = seconds(),
		.total = total,
	};
}

void progress_add(struct progress *progress, uint64_t len)
{
	int64_t now;

	progress->done += len;
	if (!progress->terminal)
		return;
	now = seconds();
	if (now - progress->start < QUIET_SECONDS || now == progress->shown)
		return;
	progress->shown = now;
	fprintf(stderr, "\r%s %" PRIu64, progress->what,
		progress->done / MEGABYTE);
	if (progress->total > 0)
		fprintf(stderr, " of %" PRIu64 " MB (%" PRIu64 " %%)",
			progress->total / MEGABYTE,
			progress->done * 100 / progress->total);
	else
		fprintf(stderr, " MB");
}

void progress_end(struct progress *progress)
{
	if (progress->shown != 0)
		fprintf(stderr, "\r\033[K");
	progress->shown = 0;
}
