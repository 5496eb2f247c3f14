/* SPDX-License-Identifier: ISC */
#include "tools/evidence/start.h"

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/cli/feed.h"
#include "tools/evidence/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder, made if it is not there, by its one absolute name. */
static char *prepare_folder(const char *name, struct err *err)
{
	char *path;

	/* Paths are words of the journal and of what the recorder says. */
	for (const char *p = name; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			err_set(err, ERR_USAGE,
				"%s: control characters in the name", name);
			return NULL;
		}
	if (mkdir(name, 0755) != 0 && errno != EEXIST) {
		err_set(err, ERR_OUTPUT, "%s: cannot create: %s", name,
			strerror(errno));
		return NULL;
	}
	path = realpath(name, NULL);
	if (path == NULL)
		err_set(err, ERR_OUTPUT, "%s: %s", name, strerror(errno));
	return path;
}

/* Through a pipe to the process that the operator started. */
static void tell_ready(void *argument)
{
	int *fd = argument;

	if (write(*fd, "ready", 5) != 5)
		errno = 0;
	close(*fd);
	*fd = -1;
}

static void detach(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (chdir("/") != 0)
		errno = 0;
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static _Noreturn void run_recorder(
	const char *const *folders, size_t count, int report)
{
	struct err err = ERR_EMPTY;
	bool ok;

	detach();
	ok = recorder_run(folders, count, tell_ready, &report, &err);
	if (!ok && report >= 0 && write(report, err.text, strlen(err.text)) < 0)
		errno = 0;
	_exit(ok ? 0 : ERR_OUTPUT);
}

static bool spawn_recorder(
	const char *const *folders, size_t count, struct err *err)
{
	struct buf text = BUF_EMPTY;
	int ends[2];
	pid_t child;
	bool ok;

	if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0)
		return err_set(
			err, ERR_OUTPUT, "cannot start: %s", strerror(errno));
	if (child == 0) {
		close(ends[0]);
		run_recorder(folders, count, ends[1]);
	}
	close(ends[1]);
	ok = file_read_fd(ends[0], "recorder", ERR_TEXT_MAX, &text, err);
	close(ends[0]);
	if (ok && strcmp(buf_string(&text), "ready") != 0)
		ok = err_set(err, ERR_OUTPUT, "%s",
			text.len > 0 ? buf_string(&text) : "recorder died");
	buf_free(&text);
	return ok;
}

static bool is_being_kept(void)
{
	struct buf answer = BUF_EMPTY;
	struct err discarded = ERR_EMPTY;
	bool kept = feed_request("status", &answer, &discarded);

	buf_free(&answer);
	return kept;
}

bool start_log(const char *const *names, size_t count, struct err *err)
{
	char *folders[RECORDER_FOLDERS_MAX] = {NULL};
	const char *borrowed[RECORDER_FOLDERS_MAX];
	bool ok = true;

	if (count == 0 || count > RECORDER_FOLDERS_MAX)
		return err_set(err, ERR_USAGE, "start: give 1 to %d folders",
			RECORDER_FOLDERS_MAX);
	if (is_being_kept())
		return err_set(err, ERR_REFUSED, "a log is being kept already");
	for (size_t i = 0; ok && i < count; i++) {
		folders[i] = prepare_folder(names[i], err);
		borrowed[i] = folders[i];
		ok = folders[i] != NULL;
	}
	ok = ok && spawn_recorder(borrowed, count, err);
	for (size_t i = 0; i < count; i++)
		free(folders[i]);
	return ok;
}
