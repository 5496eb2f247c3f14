/* SPDX-License-Identifier: ISC */
#include "tools/evidence/alarm.h"

#include "lib/base/buf.h"
#include "tools/evidence/terminals.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void show_on(const char *path, const struct buf *message)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* A terminal that takes nothing now has lost its chance. */
	if (isatty(fd) == 1 && write(fd, message->data, message->len) < 0)
		tcflush(fd, TCOFLUSH);
	close(fd);
}

static void show_matching(const char *pattern, const struct buf *message)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		show_on(found.gl_pathv[i], message);
	globfree(&found);
}

void alarm_show(const char *text)
{
	const char *p = terminals_patterns(TERMINALS_TOLD);
	struct buf message = BUF_EMPTY, pattern = BUF_EMPTY;

	buf_format(&message, "\r\n\033[1;31m*** %s ***\033[0m\a\r\n", text);
	while (*p != '\0' && !message.failed) {
		size_t len = strcspn(p, ":");

		buf_clear(&pattern);
		buf_bytes(&pattern, p, len);
		show_matching(buf_string(&pattern), &message);
		p += len + (p[len] == ':');
	}
	buf_free(&message);
	buf_free(&pattern);
}
