/* SPDX-License-Identifier: ISC */
/*
 * measure COMMAND...: runs it with its output thrown away and prints the
 * microseconds on the clock and of the processor, and the most memory it had
 * in KiB.  Tiny, because a process starts with the memory peak of whoever
 * started it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long micro(struct timeval t)
{
	return (long)t.tv_sec * 1000000 + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage used;
	int status = 0;
	pid_t pid;

	if (argc < 2)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%ld %ld %ld\n",
		(long)(end.tv_sec - start.tv_sec) * 1000000 +
			(end.tv_nsec - start.tv_nsec) / 1000,
		micro(used.ru_utime) + micro(used.ru_stime), used.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
