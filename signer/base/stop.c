/* SPDX-License-Identifier: ISC */
#include "base/stop.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static volatile sig_atomic_t arrived;

static void note_signal(int number)
{
	arrived = number;
}

void stop_catch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = note_signal};

	/* SA_RESETHAND: the second one of its kind ends the process. */
	action.sa_flags = (int)SA_RESETHAND;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
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
