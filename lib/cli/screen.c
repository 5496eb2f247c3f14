/* SPDX-License-Identifier: ISC */
#include "lib/cli/screen.h"

#include "lib/base/text.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_WIDTH 80

size_t screen_width(int fd)
{
	struct winsize size;

	if (isatty(fd) != 1)
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return USUAL_WIDTH;
	return size.ws_col;
}

void screen_line(struct buf *out, int fd, const char *text)
{
	struct buf escaped = BUF_EMPTY;

	text_escape(&escaped, text, strlen(text));
	text_fold(out, buf_string(&escaped), screen_width(fd), SCREEN_INDENT);
	out->failed |= escaped.failed;
	buf_free(&escaped);
}
