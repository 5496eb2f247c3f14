/* SPDX-License-Identifier: ISC */
#include "lib/cli/waiting.h"

#include "lib/base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUIET_SECONDS 2 /* what is done sooner shows nothing */
#define WHAT_MAX 64

static int to_watcher = -1;

static void say(const char *program, const char *what, int64_t seconds)
{
	char line[WHAT_MAX * 3];
	int len;

	len = snprintf(line, sizeof(line),
		"\r%s: waiting for the HSM (%s), %" PRId64
		" s; Ctrl-C twice ends ",
		program, what, seconds);
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

static void clear(void)
{
	static const char line[] = "\r\033[K";

	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		return;
}

/* What begins, as text, or that it ended, as nothing: WHAT_MAX bytes each. */
static void watch(int fd, const char *program)
{
	struct pollfd news = {.fd = fd, .events = POLLIN};
	char what[WHAT_MAX] = "";
	int64_t since = 0;
	bool shown = false;

	for (;;) {
		int ready = poll(&news, 1, what[0] != '\0' ? 1000 : -1);

		if (ready < 0 && errno != EINTR)
			return;
		if (ready > 0) {
			bool more =
				read(fd, what, sizeof(what)) == sizeof(what);

			if (shown)
				clear();
			if (!more)
				return;
			what[sizeof(what) - 1] = '\0';
			since = time_steady();
			shown = false;
		} else if (ready == 0) {
			int64_t seconds = (time_steady() - since) / 1000;

			if (seconds >= QUIET_SECONDS)
				say(program, what, seconds);
			shown = shown || seconds >= QUIET_SECONDS;
		}
	}
}

void waiting_start(const char *program)
{
	static const int keys[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP};
	int ends[2];
	pid_t child;

	if (isatty(STDERR_FILENO) != 1 || pipe2(ends, O_CLOEXEC) != 0)
		return;
	child = fork();
	if (child == 0) {
		close(ends[1]);
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			signal(keys[i], SIG_IGN);
		watch(ends[0], program);
		_exit(0);
	}
	close(ends[0]);
	if (child < 0)
		close(ends[1]);
	else
		to_watcher = ends[1];
}

static void tell(const char *what)
{
	char message[WHAT_MAX] = "";

	if (to_watcher < 0)
		return;
	strncpy(message, what, sizeof(message) - 1);
	/* A pipe takes so little whole. */
	if (write(to_watcher, message, sizeof(message)) < 0) {
		close(to_watcher);
		to_watcher = -1;
	}
}

void waiting_begin(const char *what)
{
	tell(what);
}

void waiting_end(void)
{
	tell("");
}
