/* SPDX-License-Identifier: ISC */
#include "lib/cli/print.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cli/screen.h"

#include <unistd.h>

bool print_text(const struct buf *text, struct err *err)
{
	return buf_ok(text, err) &&
	       file_write_fd(STDOUT_FILENO, "standard output", text->data,
		       text->len, err);
}

bool print_folded(struct buf *text, size_t indent, struct err *err)
{
	struct buf folded = BUF_EMPTY;
	bool ok;

	text_fold(
		&folded, buf_string(text), screen_width(STDOUT_FILENO), indent);
	ok = buf_ok(text, err) && print_text(&folded, err);
	buf_free(&folded);
	return ok;
}
