/* SPDX-License-Identifier: ISC */
#include "lib/cli/screen.h"

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
