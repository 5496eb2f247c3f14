/* SPDX-License-Identifier: ISC */
#include "lib/cli/progress.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MEGABYTE 1000000
#define NAME_SHOWN 48   /* of the name, so that it stays one line */
#define QUIET_SECONDS 2 /* what is done sooner shows nothing */

static int64_t seconds(void)
{
	return time_steady() / 1000;
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
	struct buf what = BUF_EMPTY;
	int64_t now;

	progress->done += len;
	if (!progress->terminal)
		return;
	now = seconds();
	if (now - progress->start < QUIET_SECONDS || now == progress->shown)
		return;
	progress->shown = now;
	text_escape(&what, progress->what, strlen(progress->what));
	fprintf(stderr, "\r%.*s %" PRIu64, NAME_SHOWN, buf_string(&what),
		progress->done / MEGABYTE);
	buf_free(&what);
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
