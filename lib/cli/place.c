/* SPDX-License-Identifier: ISC */
#include "lib/cli/place.h"

#include <stdlib.h>
#include <sys/stat.h>

void place(struct buf *out, const char *path)
{
	const char *root = getenv("SYSROOT");

	if (root != NULL && root[0] == '/')
		buf_text(out, root);
	buf_text(out, path);
}

void place_make_run(void)
{
	struct buf path = BUF_EMPTY;

	place(&path, PLACE_RUN);
	mkdir(buf_string(&path), 0755);
	buf_free(&path);
}
