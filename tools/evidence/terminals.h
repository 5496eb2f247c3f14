/* SPDX-License-Identifier: ISC */
/*
 * The terminals that are open, compared with those that are recorded.
 *
 * Open is a terminal that a process runs on, but for one that waits for
 * somebody to log in and a console that shows the desktop; and one that a
 * process has for standard input, output or error that runs on none.  Recorded
 * is one on which "ceremony-log record" runs and one on which a script(1) shows
 * nothing but such a one, unless a process that runs elsewhere reads and writes
 * there, too; the one inside it; and one inside a script(1) that runs on such a
 * one.
 */
#ifndef TOOLS_EVIDENCE_TERMINALS_H
#define TOOLS_EVIDENCE_TERMINALS_H

#include "lib/base/err.h"

#include <sys/types.h>

/*
 * Patterns, with colons between: the terminals that people look at, which are
 * told of alarms, and all on which a shell could run.  A serial line to an HSM
 * takes no alarm.  KEYROOM_TERMINALS replaces both.
 */
#define TERMINALS_TOLD "/dev/tty[1-6]:/dev/ttyS0:/dev/pts/[0-9]*"
#define TERMINALS_WATCHED                                                      \
	"/dev/tty[0-9]*:/dev/tty[A-Z]*[0-9]:/dev/console:/dev/pts/[0-9]*"

enum terminal_state {
	TERMINAL_RECORDED,
	TERMINAL_SHOWS, /* a picture; nothing is typed there */
	TERMINAL_NOT_RECORDED,
};

struct terminal {
	char name[32]; /* without "/dev/" */
	enum terminal_state state;
	pid_t process; /* the one that has it */
	char command[16];
};

struct terminals {
	struct terminal *all; /* owned */
	size_t count;
};

/* The patterns of the environment, or else these; borrowed. */
const char *terminals_patterns(const char *patterns);

/*
 * recording: the processes that record, count of them.  The caller frees
 * out->all.  Errors: ERR_INPUT, memory.
 */
bool terminals_read(const pid_t *recording, size_t count, struct terminals *out,
	struct err *err);

/*
 * A mark by which the shell on a recorded terminal sees, without asking, that
 * it is: RUN/log/recorded/PROCESS.  Errors: ERR_OUTPUT.
 */
bool terminals_mark(pid_t process, struct err *err);
void terminals_unmark(pid_t process);

/* Remove all marks, which a log that did not end may have left. */
void terminals_forget(void);

#endif
