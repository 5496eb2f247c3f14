/* SPDX-License-Identifier: ISC */
/* The question before an action that matters. */
#ifndef LIB_CLI_ASK_H
#define LIB_CLI_ASK_H

#include "lib/base/buf.h"
#include "lib/cli/log.h"

/*
 * Show "QUESTION (y/N)? " and read one line from standard input, which must
 * be a terminal.  y, Y, yes and Yes go on; anything else, the end of input, a
 * signal or no terminal is ERR_REFUSED.  With force nobody is asked.  Question
 * and answer, or that nobody was asked, go into the log (which may be NULL).
 */
bool ask_yes(
	struct log *log, const char *question, bool force, struct err *err);

/*
 * One line that a person types on the terminal after question, without its
 * newline, appended.  Errors: ERR_REFUSED without a terminal or an answer.
 */
bool ask_line(const char *question, struct buf *out, struct err *err);

#endif
