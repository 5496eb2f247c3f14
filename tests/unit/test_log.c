/* SPDX-License-Identifier: ISC */
/*
 * Shows that the transcript has the form auditors read, that hostile text
 * cannot write lines of its own or move a cursor, that two runs never share a
 * file, and that a line which cannot be written is not forgotten.
 */
#include "unit.h"

#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/file.h"
#include "lib/cli/log.h"

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
	log_copy(log, LOG_LEVEL_ERROR, "a\nb\r\n\n", 6);
	log_write(log, LOG_LEVEL_INFO, "| done");
	log_write(log, LOG_LEVEL_INFO, "%s", "|");
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
	assert_non_null(strstr(line, "Z: [ERROR] | a\n"));
	assert_non_null(strstr(line, "Z: [ERROR] | b\\x0d\n"));
	assert_non_null(strstr(line, "Z: [ERROR] | \n"));
	assert_non_null(strstr(line, "Z: [INFO] \\x7c done\n"));
	assert_non_null(strstr(line, "Z: [INFO] \\x7c\n"));
	assert_null(strstr(line, "[INFO] |"));
	assert_null(strstr(line, "asked"));
	assert_int_equal(line[text.len - 1], '\n');
	buf_free(&text);
	free(path);
}

/* The lines of a log that a copy of the text makes, without time and level. */
static void copy_into(const char *text, size_t len, struct buf *out)
{
	struct log *log = must_open(false);
	struct err err = ERR_EMPTY;
	struct buf whole = BUF_EMPTY;
	char *path = strdup(log_path(log)), *line, *rest;

	log_copy(log, LOG_LEVEL_INFO, text, len);
	assert_true(log_close(log, &err));
	must_read(path, &whole);
	buf_u8(&whole, '\0');
	rest = (char *)whole.data;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
		buf_format(out, "%s\n", strchr(line, ']') + 2);
	buf_free(&whole);
	free(path);
}

/* Each line, of a copy too, and no copy is wider than it was before. */
static void line_of_an_experiment_says_so(void **state)
{
	char text[3 * 72], *line, *rest;
	struct buf lines = BUF_EMPTY;
	size_t count = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	experiment_set(true);
	copy_into(text, sizeof(text), &lines);
	experiment_set(false);
	buf_u8(&lines, '\0');
	rest = (char *)lines.data;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		assert_memory_equal(line, "EXPERIMENT |", 12);
		assert_true(strlen(line) <= 72 + 3);
		count++;
	}
	assert_int_equal(count, 4);
	buf_free(&lines);
}

/* Case: a comment in a request that wrote "done" into the transcript. */
static void copy_never_begins_like_an_event(void **state)
{
	char text[3 * 72 + 10];
	struct buf lines = BUF_EMPTY;
	const char *line;

	(void)state;
	/* Where paper or a screen would go on, there is a mark, too. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "done\n\n| done\n", 13);
	memcpy(text + 13 + 72, "SHA256 hash of SKR:", 19);
	text[sizeof(text) - 1] = '\x1b';
	copy_into(text, sizeof(text), &lines);
	line = buf_string(&lines);
	assert_int_equal(strncmp(line, "| done\n| \n| | done\n| xxx", 24), 0);
	assert_non_null(strstr(line, "\n|+ SHA256 hash of SKR:xxx"));
	for (; *line != '\0'; line = strchr(line, '\n') + 1) {
		assert_int_equal(*line, '|');
		assert_true(strcspn(line, "\n") <= 75);
	}
	buf_free(&lines);
}

static void event_never_begins_like_a_copy(void **state)
{
	struct log *log = must_open(false);
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	char *path = strdup(log_path(log));

	(void)state;
	log_write(log, LOG_LEVEL_INFO, "%s", "| from a file");
	log_write(log, LOG_LEVEL_INFO, "a | b");
	assert_true(log_close(log, &err));
	must_read(path, &text);
	assert_non_null(
		strstr(buf_string(&text), "[INFO] \\x7c from a file\n"));
	assert_non_null(strstr(buf_string(&text), "[INFO] a | b\n"));
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
		cmocka_unit_test(line_of_an_experiment_says_so),
		cmocka_unit_test(copy_never_begins_like_an_event),
		cmocka_unit_test(event_never_begins_like_a_copy),
		cmocka_unit_test(runs_never_share_a_file),
		cmocka_unit_test(unwritten_line_is_not_forgotten),
		cmocka_unit_test(missing_folder_is_an_output_error),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
