/* SPDX-License-Identifier: ISC */
/*
 * Shows that the transcript has the form auditors read, that hostile text
 * cannot write lines of its own or move a cursor, that two runs never share a
 * file, and that a line which cannot be written is not forgotten.
 */
#include "unit.h"

#include "base/file.h"
#include "show/log.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/test_log.XXXXXX";

static struct log *must_open(bool debug)
{
	struct log_settings settings = {
		.program = "prog", .folder = folder, .debug = debug};
	struct log *log = NULL;
	struct err err = ERR_EMPTY;

	if (!log_open(&settings, &log, &err))
		fail_msg("%s", err.text);
	return log;
}

static void must_read(const char *path, struct buf *out)
{
	struct err err = ERR_EMPTY;

	if (!file_read(path, 100000, out, &err))
		fail_msg("%s", err.text);
}

static void lines_have_the_form(void **state)
{
	char *argv[] = {(char *)"prog", (char *)"--x\033[2J", NULL};
	struct log *log = must_open(false);
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	char *path = strdup(log_path(log));
	const char *line;
	int year, n = -1;

	(void)state;
	assert_true(log_start(log, 2, argv, &err));
	log_write(log, LOG_LEVEL_WARNING, "two\nlines %d", 5);
	log_write_lines(log, LOG_LEVEL_ERROR, "a\nb\r\n", 5);
	log_write(log, LOG_LEVEL_DEBUG, "not asked for");
	log_write(NULL, LOG_LEVEL_INFO, "nowhere");
	assert_true(log_close(log, &err));
	must_read(path, &text);
	line = buf_string(&text);
	assert_int_equal(
		sscanf(line, "%4d-%*2d-%*2dT%*2d:%*2d:%*2dZ: %n", &year, &n),
		1);
	assert_int_equal(n, 22);
	assert_int_equal(strncmp(line + n, "[INFO] prog ", 12), 0);
	assert_non_null(strstr(line, "[INFO] arguments: prog --x\\x1b[2J\n"));
	assert_non_null(strstr(line, "[INFO] SHA-256 of the program: "));
	assert_non_null(strstr(line, "Z: [WARNING] two\\x0alines 5\n"));
	assert_non_null(strstr(line, "Z: [ERROR] a\n"));
	assert_non_null(strstr(line, "Z: [ERROR] b\\x0d\n"));
	assert_null(strstr(line, "asked"));
	assert_int_equal(line[text.len - 1], '\n');
	buf_free(&text);
	free(path);
}

static void runs_never_share_a_file(void **state)
{
	struct log *a = must_open(true), *b = must_open(false);
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_string_not_equal(log_path(a), log_path(b));
	log_write(a, LOG_LEVEL_DEBUG, "wanted");
	must_read(log_path(a), &text);
	assert_non_null(strstr(buf_string(&text), "[DEBUG] wanted\n"));
	assert_true(log_close(a, &err));
	assert_true(log_close(b, &err));
	assert_true(log_close(NULL, &err));
	buf_free(&text);
}

static void unwritten_line_is_not_forgotten(void **state)
{
	struct log *log = must_open(false);
	struct rlimit before, none = {0, 0};
	struct err err = ERR_EMPTY;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	log_write(log, LOG_LEVEL_INFO, "lost");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	log_write(log, LOG_LEVEL_INFO, "too late");
	assert_false(log_ok(log, &err));
	assert_int_equal(err.kind, ERR_OUTPUT);
	assert_false(log_close(log, &err));
}

static void missing_folder_is_an_output_error(void **state)
{
	struct log_settings settings = {
		.program = "prog", .folder = "/nonexistent"};
	struct log *log = NULL;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_false(log_open(&settings, &log, &err));
	assert_int_equal(err.kind, ERR_OUTPUT);
	assert_non_null(strstr(err.text, "/nonexistent/prog-"));
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_the_form),
		cmocka_unit_test(runs_never_share_a_file),
		cmocka_unit_test(unwritten_line_is_not_forgotten),
		cmocka_unit_test(missing_folder_is_an_output_error),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
