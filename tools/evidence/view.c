/* SPDX-License-Identifier: ISC */
#include "tools/evidence/view.h"

#include "lib/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAITING_MAX ((size_t)65536)
#define MESSAGE_MAX 2048

void view_open(struct view *view, int descriptor)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	*view = (struct view){.waiting = BUF_EMPTY};
	view->fd = open(
		path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_APPEND | O_CLOEXEC);
	/* A socket cannot be opened so, and is no terminal. */
	if (view->fd < 0)
		view->fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
}

void view_close(struct view *view)
{
	if (view->fd >= 0)
		close(view->fd);
	view->fd = -1;
	buf_free(&view->waiting);
}

/* How many bytes it has taken. */
static size_t offer(int fd, const uint8_t *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t put = write(fd, data + done, len - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			break;
		done += (size_t)put;
	}
	return done;
}

void view_retry(struct view *view)
{
	struct buf *waiting = &view->waiting;
	size_t done;

	if (view->fd < 0 || waiting->len == 0)
		return;
	done = offer(view->fd, waiting->data, waiting->len);
	waiting->len -= done;
	memmove(waiting->data, waiting->data + done, waiting->len);
}

void view_show(struct view *view, const struct buf *text)
{
	static const char gap[] = "\n[not everything was shown]\n";

	if (view->fd < 0 || text->len == 0)
		return;
	view_retry(view);
	if (view->waiting.len == 0 && view->missed) {
		buf_text(&view->waiting, gap);
		view_retry(view);
		view->missed = false;
	}
	if (view->waiting.len > 0 ||
		offer(view->fd, text->data, text->len) < text->len)
		view->missed = true;
}

void view_say(struct view *view, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list arguments;
	int len;

	va_start(arguments, fmt);
	len = vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	if (len < 0 || view->fd < 0 || view->waiting.len > WAITING_MAX)
		return;
	buf_text(&view->waiting, text);
	view_retry(view);
}
