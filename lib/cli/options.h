/* SPDX-License-Identifier: ISC */
/*
 * Command lines from one table, from which --help is printed too.
 *
 * Long options match exactly; a hyphen and an underscore are the same
 * character.  --name value and --name=value are one.  A single-value option
 * given twice is refused.  "--" ends options; a lone "-" is an operand.
 * --help and --version are known everywhere.
 */
#ifndef LIB_CLI_OPTIONS_H
#define LIB_CLI_OPTIONS_H

#include "lib/base/err.h"

#include <stdio.h>

enum option_kind {
	OPTION_FLAG,  /* value is a bool * */
	OPTION_VALUE, /* value is a const char **, NULL when not given */
};

struct option_entry {
	const char *name; /* long name, hyphens; NULL ends the table */
	char letter;      /* short name, or 0 */
	enum option_kind kind;
	const char *argument; /* name of the value in help, NULL for a flag */
	const char *help;     /* one line */
	void *value;
};

/* A program's face. */
struct option_program {
	const char *name;
	const char *purpose; /* one line */
	/* usage lines without the program's name; NULL ends them */
	const char *const *usage;
	const struct option_entry *options;
};

struct option_result {
	const char **operands; /* borrowed texts, the array owned: free() */
	size_t count;
	int argc; /* as given, for the log */
	char *const *argv;
	bool help;
	bool version;
};

/* Errors: ERR_USAGE.  Values are borrowed from argv. */
bool options_parse(const struct option_program *program, int argc,
	char *const *argv, struct option_result *out, struct err *err);

/* Usage, options, exit statuses. */
void options_help(const struct option_program *program, FILE *out);

/* "name release (build id)". */
void options_version(const struct option_program *program, FILE *out);

/*
 * All that main does: ignore the signals of output (stop.h; what is started
 * gets them back with stop_default_output()), see that the standard streams
 * are open, parse, print help or run, flush standard output; at the end of a
 * failure "name: message" on standard error, as screen.h shows a line, and with
 * ERR_USAGE where to find help.  Returns the exit status.
 */
int options_main(const struct option_program *program, int argc,
	char *const *argv,
	bool (*run)(const struct option_result *given, struct err *err));

#endif
