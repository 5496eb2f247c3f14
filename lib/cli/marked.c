/* SPDX-License-Identifier: ISC */
#include "lib/cli/marked.h"

#include "lib/base/experiment.h"
#include "lib/cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void marked_begin(struct log *log)
{
	struct buf path = BUF_EMPTY;
	int fd;

	if (!experiment_is_on())
		return;
	log_warn(log,
		"algorithms that no zone uses: nothing made here is for production");
	place(&path, MARKED_EXPERIMENT);
	fd = open(buf_string(&path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	else if (errno != ENOENT) /* a machine that is not the disc */
		log_warn(log, "%s: %s", buf_string(&path), strerror(errno));
	buf_free(&path);
}
