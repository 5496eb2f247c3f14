/* SPDX-License-Identifier: ISC */
#include "tools/paper/paper.h"

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* posix_spawnp does not change what argv points to. */
static char *borrow(const char *text)
{
	union {
		const char *in;
		char *out;
	} pun = {.in = text};

	return pun.out;
}

static bool start(const char *title, const char *copies, int input, pid_t *out,
	struct err *err)
{
	posix_spawn_file_actions_t actions;
	struct buf option = BUF_EMPTY;
	char *argv[] = {
		borrow("printlog"), NULL, borrow("-"), borrow(copies), NULL};
	int error;

	buf_text(&option, "--title=");
	buf_text(&option, title);
	argv[1] = borrow(buf_string(&option));
	error = posix_spawn_file_actions_init(&actions);
	if (error == 0) {
		posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
		stop_default_output();
		error = posix_spawnp(
			out, "printlog", &actions, NULL, argv, environ);
		stop_ignore_output();
		posix_spawn_file_actions_destroy(&actions);
	}
	buf_free(&option);
	if (error != 0)
		return err_set(err, ERR_OUTPUT, "cannot start printlog: %s",
			strerror(error));
	return true;
}

static bool finish(pid_t child, struct err *err)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_OUTPUT, "printlog: %s",
				strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_OUTPUT, "not printed");
	return true;
}

bool paper_print(const char *title, const struct buf *text, const char *copies,
	struct err *err)
{
	struct err discarded = ERR_EMPTY;
	pid_t child;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(
			err, ERR_OUTPUT, "cannot print: %s", strerror(errno));
	if (!start(title, copies, ends[0], &child, err)) {
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	close(ends[0]);
	/* A printlog that ends early says so with its exit status. */
	file_write_fd(ends[1], "printlog", text->data, text->len, &discarded);
	close(ends[1]);
	return finish(child, err);
}
