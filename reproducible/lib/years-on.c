/* SPDX-License-Identifier: ISC */
/*
 * A library to be preloaded: the clock three years ahead, for all that asks the
 * C library for it.  The times of files stay the kernel's, so that what reads a
 * time back finds the one it set; libfaketime moves those unless a variable is
 * set, and a build drops the variables of its caller.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define AHEAD 94694400 /* three years and a day of a fourth */

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long status = syscall(SYS_clock_gettime, clock, now);

	if (status == 0 &&
		(clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += AHEAD;
	return (int)status;
}

time_t time(time_t *out)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now = {0};

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

int timespec_get(struct timespec *now, int base)
{
	if (base != TIME_UTC || clock_gettime(CLOCK_REALTIME, now) != 0)
		return 0;
	return base;
}
