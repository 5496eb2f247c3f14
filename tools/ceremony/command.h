/* SPDX-License-Identifier: ISC */
/* The commands of ceremony(1): one row each, one file each. */
#ifndef TOOLS_CEREMONY_COMMAND_H
#define TOOLS_CEREMONY_COMMAND_H

#include "lib/base/buf.h"
#include "tools/paper/sheet.h"

/* What the command line says; NULL and false where it does not. */
struct command_given {
	const char *pages, *releases, *paper, *sheets, *script, *key, *format,
		*after, *anchor;
	bool pdf;
	const char *const *operands;
	size_t count;
};

struct command {
	const char *name;
	const char *options;  /* that it takes, blanks between */
	const char *operands; /* in words, for a message */
	size_t least, most;   /* of them */
	bool (*run)(const struct command_given *given, struct err *err);
};

/*
 * What "run" starts when it begins to be recorded: itself.  The script is in
 * the environment.
 */
#define COMMAND_SCRIPT_PATH "KEYROOM_CARD_SCRIPT"
#define COMMAND_AGAIN "exec ceremony run \"$" COMMAND_SCRIPT_PATH "\""

extern const struct command command_run, command_check, command_history;
extern const struct command command_lint, command_list, command_print,
	command_annotate, command_publish;

/* What --paper names, or letter.  Errors: ERR_USAGE. */
bool command_paper(const struct command_given *given,
	const struct sheet_paper **out, struct err *err);

/* Pages are for a file or a printer.  Errors: ERR_USAGE. */
bool command_no_terminal(struct err *err);

#endif
