/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/shell.h"

#include "lib/base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define FOLDER_FD 9 /* where the shell says its folder: one digit, for bash */

/* What is started does not have the descriptor. */
static const char wrapper[] = "trap 'pwd -P >&9' EXIT; eval \"$1\" 9>&-";

static _Noreturn void run_bash(const char *command, int folder)
{
	static const int back[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};

	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpid());
	for (size_t i = 0; i < sizeof(back) / sizeof(*back); i++)
		signal(back[i], SIG_DFL);
	stop_default_output();
	dup2(folder, FOLDER_FD);
	execlp("bash", "bash", "-c", wrapper, "bash", command, (char *)NULL);
	fprintf(stderr, "ceremony: cannot start bash: %s\n", strerror(errno));
	_exit(127);
}

/* Nothing waits beside it: a command that was stopped goes on. */
static int wait_for(pid_t child)
{
	int status = 0;

	for (;;) {
		if (waitpid(child, &status, WUNTRACED) < 0) {
			if (errno == EINTR)
				continue;
			return 127;
		}
		if (!WIFSTOPPED(status))
			break;
		tcsetpgrp(STDIN_FILENO, child);
		kill(-child, SIGCONT);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void follow(int from)
{
	char path[PATH_MAX];
	ssize_t len = read(from, path, sizeof(path) - 1);

	if (len > 1 && path[len - 1] == '\n') {
		path[len - 1] = '\0';
		/* One that is gone meanwhile is left. */
		if (chdir(path) != 0)
			errno = 0;
	}
}

bool shell_run(const char *command, int *status, struct err *err)
{
	struct termios before;
	bool known = tcgetattr(STDIN_FILENO, &before) == 0;
	int ends[2];
	pid_t child;

	fflush(NULL);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_set(err, ERR_OUTPUT, "cannot start bash: %s",
			strerror(errno));
	child = fork();
	if (child == 0)
		run_bash(command, ends[1]);
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return err_set(err, ERR_OUTPUT, "cannot start bash: %s",
			strerror(errno));
	}
	setpgid(child, child);
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(STDIN_FILENO, child);
	*status = wait_for(child);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	if (known)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	follow(ends[0]);
	close(ends[0]);
	return true;
}
