/* SPDX-License-Identifier: ISC */
#include "lib/base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY_MS 100

static volatile sig_atomic_t arrived;

static void note_signal(int number)
{
	arrived = number;
}

static void handle_output(void (*handler)(int))
{
	static const int numbers[] = {SIGPIPE, SIGXFSZ};
	struct sigaction action = {.sa_handler = handler};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

void stop_ignore_output(void)
{
	handle_output(SIG_IGN);
}

void stop_default_output(void)
{
	handle_output(SIG_DFL);
}

void stop_catch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU,
		SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2};
	struct sigaction action = {.sa_handler = note_signal};

	/* SA_RESETHAND: the second one of its kind ends the process. */
	action.sa_flags = (int)SA_RESETHAND;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
	stop_ignore_output();
}

int stop_signal(void)
{
	return arrived;
}

bool stop_check(struct err *err)
{
	if (arrived == 0)
		return true;
	return err_set(err, ERR_REFUSED, "stopped by signal SIG%s",
		sigabbrev_np(arrived));
}

int stop_read_byte(int fd, char *byte, struct err *err)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	for (;;) {
		ssize_t got;
		int ready;

		if (!stop_check(err))
			return -1;
		ready = poll(&wait, 1, LOOK_EVERY_MS);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		got = ready < 0 ? -1 : read(fd, byte, 1);
		if (got >= 0)
			return (int)got;
		if (errno != EINTR) {
			err_set(err, ERR_REFUSED,
				"cannot read the terminal: %s",
				strerror(errno));
			return -1;
		}
	}
}
