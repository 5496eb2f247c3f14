/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/command.h"

#include <unistd.h>

bool command_paper(const struct command_given *given,
	const struct sheet_paper **out, struct err *err)
{
	const char *name = given->paper != NULL ? given->paper : "letter";
	const struct sheet_paper *paper = sheet_paper(name);

	if (paper == NULL)
		return err_set(err, ERR_USAGE, "unknown paper \"%s\"", name);
	*out = paper;
	return true;
}

bool command_no_terminal(struct err *err)
{
	return isatty(STDOUT_FILENO) == 0 ||
	       err_set(err, ERR_USAGE,
		       "standard output is a terminal: give a file (>FILE) or a printer (| lp)");
}
