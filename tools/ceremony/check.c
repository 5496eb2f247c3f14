/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/check.h"

#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "lib/base/text.h"
#include "lib/cli/print.h"
#include "tools/ceremony/folder.h"
#include "tools/ceremony/say.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)4 * 1024 * 1024)

extern char **environ;

/* The points, in the order of the answers; ceremony(1) has what they ask. */
static const struct {
	const char *name;
	check_point *ask;
} points[] = {
	{"FILES", check_files},
	{"SEAL", check_seal},
	{"LOG", check_log},
	{"RECORDINGS", check_recordings},
	{"TERMINALS", check_terminals},
	{"TIMES", check_times},
	{"SCRIPT", check_script},
	{"STEPS", check_steps},
	{"COMMANDS", check_commands},
	{"STATUS", check_status},
	{"SEEN", check_seen},
	{"CONFIRMED", check_confirmed},
	{"EXCEPTIONS", check_exceptions},
	{"DISC", check_disc},
	{"REQUEST", check_request},
	{"RESPONSE", check_response},
	{"SIGNATURES", check_signatures},
	{"PAGES", check_pages},
};

static __attribute__((format(printf, 2, 0))) void add_reason(
	struct check_verdict *verdict, const char *fmt, va_list list)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, list) < 0)
		text = NULL;
	if (text != NULL && verdict->count++ < CHECK_LINES_MAX) {
		buf_text(&verdict->lines, "      ");
		say_text(&verdict->lines, text);
		buf_u8(&verdict->lines, '\n');
	}
	free(text);
}

void check_fail(struct check_verdict *verdict, const char *fmt, ...)
{
	va_list list;

	verdict->result = CHECK_FAIL;
	va_start(list, fmt);
	add_reason(verdict, fmt, list);
	va_end(list);
}

void check_skip(struct check_verdict *verdict, const char *fmt, ...)
{
	va_list list;

	if (verdict->result != CHECK_FAIL)
		verdict->result = CHECK_SKIP;
	va_start(list, fmt);
	add_reason(verdict, fmt, list);
	va_end(list);
}

void check_path(const struct check *check, const char *path, struct buf *out)
{
	buf_format(out, "%s/%s", check->folder, path);
}

const char *check_log_name(const struct check *check, size_t log)
{
	return check->logs[log] + strlen(check->folder) + 1;
}

/* posix_spawnp does not change what argv points to. */
static char *const *borrow(const char *const *argv)
{
	union {
		const char *const *in;
		char *const *out;
	} pun = {.in = argv};

	return pun.out;
}

static bool spawn(
	const char *const *argv, int output, pid_t *out, struct err *err)
{
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error == 0) {
		posix_spawn_file_actions_addopen(
			&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(
			&actions, output, STDOUT_FILENO);
		posix_spawn_file_actions_addopen(
			&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		stop_default_output();
		error = posix_spawnp(
			out, argv[0], &actions, NULL, borrow(argv), environ);
		stop_ignore_output();
		posix_spawn_file_actions_destroy(&actions);
	}
	return error == 0 || err_set(err, ERR_OUTPUT, "cannot start %s: %s",
				     argv[0], strerror(error));
}

bool check_run(
	const char *const *argv, struct buf *out, int *status, struct err *err)
{
	int ends[2], ended = 0;
	pid_t child = -1;
	bool ok;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, ERR_OUTPUT, "cannot start %s: %s", argv[0],
			strerror(errno));
	ok = spawn(argv, ends[1], &child, err);
	close(ends[1]);
	ok = ok && file_read_fd(ends[0], argv[0], OUTPUT_MAX, out, err);
	close(ends[0]);
	while (child > 0 && waitpid(child, &ended, 0) < 0 && errno == EINTR)
		;
	*status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 255;
	return ok;
}

/* "log", and where the power was cut "log-2" and so on. */
static bool find_logs(struct check *check, struct err *err)
{
	for (size_t i = 1; i <= CHECK_LOGS_MAX; i++) {
		struct buf name = BUF_EMPTY, path = BUF_EMPTY;
		bool ok = true;

		buf_text(&name, FOLDER_LOG);
		if (i > 1)
			buf_format(&name, "-%zu", i);
		check_path(check, buf_string(&name), &path);
		buf_format(&name, "/" FOLDER_JOURNAL);
		if (check_file(check, buf_string(&name)) != NULL) {
			check->logs[check->log_count] =
				text_copy(buf_string(&path), err);
			ok = check->logs[check->log_count++] != NULL;
		}
		buf_free(&name);
		buf_free(&path);
		if (!ok)
			return false;
	}
	return true;
}

static bool open_folder(struct check *check, struct err *err)
{
	const char *logs[CHECK_LOGS_MAX];
	struct buf script = BUF_EMPTY;
	bool ok = tree_read(check->folder, &check->tree, err) &&
		  tree_hash(&check->tree, err) && find_logs(check, err);

	if (!ok)
		return false;
	if (check->log_count == 0)
		err_set(&check->course_why, ERR_INPUT,
			"there is no " FOLDER_LOG "/" FOLDER_JOURNAL);
	for (size_t i = 0; i < check->log_count; i++)
		logs[i] = check->logs[i];
	if (check->log_count > 0)
		(void)course_read(logs, check->log_count, &check->course,
			&check->course_why);
	check->account_why = check->course_why;
	check_path(check, FOLDER_SCRIPT, &script);
	if (check->course != NULL) {
		(void)account_read(logs, check->log_count, buf_string(&script),
			&check->account, &check->account_why);
		ok = shown_read(logs, check->log_count, check->course,
			&check->shown, err);
	}
	buf_free(&script);
	return ok;
}

static void close_folder(struct check *check)
{
	shown_free(&check->shown);
	account_free(check->account);
	course_free(check->course);
	for (size_t i = 0; i < check->log_count; i++)
		free(check->logs[i]);
	tree_free(&check->tree);
}

static void answer(
	const struct check_verdict *verdict, const char *name, struct buf *out)
{
	static const char *const words[] = {
		[CHECK_PASS] = "PASS",
		[CHECK_FAIL] = "FAIL",
		[CHECK_SKIP] = "SKIP",
	};

	buf_format(out, "%s  %s\n", words[verdict->result], name);
	buf_bytes(out, verdict->lines.data, verdict->lines.len);
	if (verdict->count > CHECK_LINES_MAX)
		buf_format(out, "      and %zu more\n",
			verdict->count - CHECK_LINES_MAX);
}

static bool ask_all(
	struct check *check, struct buf *out, size_t counts[3], struct err *err)
{
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof(points) / sizeof(*points); i++) {
		struct check_verdict verdict = {.lines = BUF_EMPTY};

		ok = points[i].ask(check, &verdict, err);
		if (ok)
			answer(&verdict, points[i].name, out);
		counts[verdict.result]++;
		buf_free(&verdict.lines);
	}
	if (ok && counts[CHECK_FAIL] > 0)
		buf_format(out, "FAIL: %zu of %zu points\n", counts[CHECK_FAIL],
			sizeof(points) / sizeof(*points));
	else if (ok && counts[CHECK_SKIP] > 0)
		buf_format(out, "PASS, but %zu points were not asked\n",
			counts[CHECK_SKIP]);
	else if (ok)
		buf_text(out, "PASS\n");
	return ok && buf_ok(out, err);
}

static bool judge(const struct command_given *given, struct err *err)
{
	struct check check = {.given = given,
		.folder = given->operands[0],
		.tree = {.root = NULL},
		.shown = SHOWN_EMPTY};
	size_t counts[3] = {0, 0, 0};
	struct buf out = BUF_EMPTY;
	bool ok;

	ok = check_given(given, err) && open_folder(&check, err) &&
	     ask_all(&check, &out, counts, err) && print_text(&out, err);
	close_folder(&check);
	buf_free(&out);
	if (ok && counts[CHECK_FAIL] > 0)
		return err_set(err, ERR_REFUSED, "%s: %zu points fail",
			given->operands[0], counts[CHECK_FAIL]);
	return ok;
}

const struct command command_check = {
	.name = "check",
	.options = "releases key anchor",
	.operands = "the public folder",
	.least = 1,
	.most = 1,
	.run = judge,
};
