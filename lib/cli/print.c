/* SPDX-License-Identifier: ISC */
#include "lib/cli/print.h"

#include "lib/base/file.h"

#include <unistd.h>

bool print_text(const struct buf *text, struct err *err)
{
	return buf_ok(text, err) &&
	       file_write_fd(STDOUT_FILENO, "standard output", text->data,
		       text->len, err);
}
