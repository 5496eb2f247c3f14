/* SPDX-License-Identifier: ISC */
#include "lib/cli/options.h"

#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/stop.h"
#include "lib/base/version.h"
#include "lib/cli/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The two that every program has. */
static bool is_word(const char *arg, size_t len, const char *name)
{
	return strlen(name) == len && strncmp(arg, name, len) == 0;
}

/* Are the names equal, where _ is written for -? */
static bool same_name(const char *arg, size_t len, const char *name)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((arg[i] == '_' ? '-' : arg[i]) != name[i])
			return false;
	return true;
}

static const struct option_entry *find_long(
	const struct option_entry *options, const char *name, size_t len)
{
	for (; options->name != NULL; options++)
		if (same_name(name, len, options->name))
			return options;
	return NULL;
}

static const struct option_entry *find_short(
	const struct option_entry *options, char letter)
{
	for (; options->name != NULL; options++)
		if (options->letter != 0 && options->letter == letter)
			return options;
	return NULL;
}

static bool set_value(
	const struct option_entry *option, const char *value, struct err *err)
{
	const char **slot = option->value;

	if (*slot != NULL)
		return err_set(
			err, ERR_USAGE, "--%s is given twice", option->name);
	*slot = value;
	return true;
}

/* A cursor over argv. */
struct cursor {
	char *const *argv;
	int argc;
	int next;
};

/* attached: the text behind "=" or the letter, or NULL. */
static bool take(const struct option_entry *option, const char *attached,
	struct cursor *cursor, struct err *err)
{
	if (option->kind == OPTION_FLAG) {
		if (attached != NULL)
			return err_set(err, ERR_USAGE, "--%s takes no value",
				option->name);
		*(bool *)option->value = true;
		return true;
	}
	if (attached == NULL) {
		if (cursor->next == cursor->argc)
			return err_set(err, ERR_USAGE, "--%s needs a value",
				option->name);
		attached = cursor->argv[cursor->next++];
	}
	return set_value(option, attached, err);
}

static bool take_long(const struct option_program *program, const char *arg,
	struct cursor *cursor, struct option_result *result, struct err *err)
{
	const char *name = arg + 2, *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct option_entry *option =
		find_long(program->options, name, len);

	if (option != NULL)
		return take(option, equals != NULL ? equals + 1 : NULL, cursor,
			err);
	if (equals == NULL && is_word(name, len, "help")) {
		result->help = true;
		return true;
	}
	if (equals == NULL && is_word(name, len, "version")) {
		result->version = true;
		return true;
	}
	return err_set(err, ERR_USAGE, "unknown option --%.*s", (int)len, name);
}

/* A cluster of letters; one that takes a value ends it. */
static bool take_short(const struct option_program *program, const char *arg,
	struct cursor *cursor, struct option_result *result, struct err *err)
{
	for (const char *p = arg + 1; *p != '\0'; p++) {
		const struct option_entry *option =
			find_short(program->options, *p);

		if (option == NULL && *p == 'h') {
			result->help = true;
			continue;
		}
		if (option == NULL)
			return err_set(
				err, ERR_USAGE, "unknown option -%c", *p);
		if (option->kind == OPTION_VALUE)
			return take(option, p[1] != '\0' ? p + 1 : NULL, cursor,
				err);
		if (!take(option, NULL, cursor, err))
			return false;
	}
	return true;
}

bool options_parse(const struct option_program *program, int argc,
	char *const *argv, struct option_result *out, struct err *err)
{
	struct cursor cursor = {.argv = argv, .argc = argc, .next = 1};
	struct option_result result = {.argc = argc, .argv = argv};
	bool ended = false, ok = true;

	result.operands = calloc((size_t)argc + 1, sizeof(*result.operands));
	if (result.operands == NULL)
		return err_nomem(err);
	while (ok && cursor.next < argc) {
		const char *arg = argv[cursor.next++];

		if (ended || arg[0] != '-' || arg[1] == '\0')
			result.operands[result.count++] = arg;
		else if (strcmp(arg, "--") == 0)
			ended = true;
		else if (arg[1] == '-')
			ok = take_long(program, arg, &cursor, &result, err);
		else
			ok = take_short(program, arg, &cursor, &result, err);
	}
	if (!ok) {
		free(result.operands);
		return false;
	}
	*out = result;
	return true;
}

static void help_option(const struct option_entry *option, FILE *out)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%s --%s%s%s",
		option->letter != 0 ? '-' : ' ',
		option->letter != 0 ? option->letter : ' ',
		option->letter != 0 ? "," : " ", option->name,
		option->kind == OPTION_VALUE ? " " : "",
		option->kind == OPTION_VALUE ? option->argument : "");
	fprintf(out, "  %-28s  %s\n", left, option->help);
}

void options_help(const struct option_program *program, FILE *out)
{
	static const struct option_entry common[] = {
		{"help", 'h', OPTION_FLAG, NULL, "print this text", NULL},
		{"version", 0, OPTION_FLAG, NULL, "print the version", NULL},
	};

	for (size_t i = 0; program->usage[i] != NULL; i++)
		fprintf(out, "%s %s%s%s\n", i == 0 ? "usage:" : "      ",
			program->name, program->usage[i][0] != '\0' ? " " : "",
			program->usage[i]);
	fprintf(out, "\n%s\n\noptions:\n", program->purpose);
	for (const struct option_entry *o = program->options; o->name != NULL;
		o++)
		help_option(o, out);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		help_option(&common[i], out);
	fprintf(out, "\nexit status:\n");
	for (size_t i = 0; err_exit_table[i].text != NULL; i++)
		fprintf(out, "  %d  %s\n", err_exit_table[i].status,
			err_exit_table[i].text);
}

void options_version(const struct option_program *program, FILE *out)
{
	fprintf(out, "%s %s (%s)\n", program->name, version_release,
		version_build_id);
}

/*
 * With a standard stream closed the next file opened would get its number,
 * and the screen's lines would be written into the log or the response.
 */
static bool check_streams(struct err *err)
{
	if (fcntl(STDOUT_FILENO, F_GETFD) == -1)
		return err_set(err, ERR_OUTPUT, "standard output is closed");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) != fd)
			return err_set(err, ERR_OUTPUT, "/dev/null: %s",
				strerror(errno));
	return true;
}

static bool flush_output(struct err *err)
{
	if (fflush(stdout) != 0 || ferror(stdout) != 0)
		return err_set(err, ERR_OUTPUT, "standard output: %s",
			strerror(errno));
	return true;
}

/*
 * What main does first; for --help and --version print, set *done and return
 * true.
 */
static bool start(const struct option_program *program, int argc,
	char *const *argv, struct option_result *out, bool *done,
	struct err *err)
{
	if (!check_streams(err) ||
		!options_parse(program, argc, argv, out, err))
		return false;
	*done = out->help || out->version;
	if (out->help)
		options_help(program, stdout);
	else if (out->version)
		options_version(program, stdout);
	return flush_output(err);
}

/* What main does last: "name: message" on standard error. */
static int fail(const struct option_program *program, const struct err *err)
{
	struct buf line = BUF_EMPTY, shown = BUF_EMPTY;

	buf_format(
		&line, "%s%s: %s", experiment_mark(), program->name, err->text);
	screen_line(&shown, STDERR_FILENO, buf_string(&line));
	fprintf(stderr, "%s\n", buf_string(&shown));
	if (err->kind == ERR_USAGE)
		fprintf(stderr, "%s%s: see %s --help\n", experiment_mark(),
			program->name, program->name);
	buf_free(&line);
	buf_free(&shown);
	return (int)err->kind;
}

int options_main(const struct option_program *program, int argc,
	char *const *argv,
	bool (*run)(const struct option_result *given, struct err *err))
{
	struct option_result given = {0};
	struct err err = ERR_EMPTY;
	bool done = false, ok;

	stop_ignore_output();
	ok = start(program, argc, argv, &given, &done, &err);
	if (ok && !done)
		ok = run(&given, &err) && flush_output(&err);
	free(given.operands);
	return ok ? 0 : fail(program, &err);
}
