/* SPDX-License-Identifier: ISC */
/*
 * An orderly end on SIGINT, SIGTERM, SIGHUP, SIGQUIT and every other signal
 * that ends a process and is no fault of its own: the handler only sets a flag,
 * and the program looks at it between two steps, so that it leaves through
 * its ordinary exit path (sessions closed, module finalised, temporary file
 * removed, log complete).  The second signal of a kind ends the process at
 * once: a module that hangs must not hold the operator.
 *
 * The flag is file-scope state, the one exception beside the log: a signal
 * handler has no argument to carry it.
 */
#ifndef LIB_BASE_STOP_H
#define LIB_BASE_STOP_H

#include "lib/base/err.h"

#include <stdbool.h>

/*
 * A reader that goes away and a file that grows too large are errors of
 * write(), which says so and has its exit status, not signals.
 */
void stop_ignore_output(void);

/*
 * Back to the signals, for a program that is started: an ignored signal stays
 * ignored there, and a shell's pipelines rely on SIGPIPE.
 */
void stop_default_output(void);

/*
 * Catch the signals from here on, and ignore those of output.  Blocking calls
 * return EINTR then (there is no SA_RESTART), so a prompt ends too.
 */
void stop_catch(void);

/* The signal that arrived, or 0. */
int stop_signal(void);

/*
 * True where no signal arrived; otherwise false with err ERR_REFUSED (the
 * operator wants no more).  "if (!stop_check(err)) goto done;" between steps.
 */
bool stop_check(struct err *err);

/*
 * One byte from a terminal, waited for: 1, or 0 at the end of input, or -1
 * with err (ERR_REFUSED: a signal, or the terminal is gone).  A bare read()
 * would wait for ever where the signal arrives just before it.
 */
int stop_read_byte(int fd, char *byte, struct err *err);

#endif
