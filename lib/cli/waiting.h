/* SPDX-License-Identifier: ISC */
/*
 * Says on the terminal that an HSM, a card or a pad is waited for, what for and
 * for how long, while its module has this process and gives nothing back.  A
 * process of its own says it: a timer would interrupt the module's calls, and
 * some take that for a failure.  It is made before any PIN is read and before
 * any module is loaded, and ends with this one.  Without a terminal on standard
 * error there is none, and nothing is said.
 *
 * The pipe to it is file-scope state, as a process has one terminal: what calls
 * into a module is far from what knows of a terminal.
 */
#ifndef LIB_CLI_WAITING_H
#define LIB_CLI_WAITING_H

/* Once, at the start.  Without a process or a pipe, nothing will be said. */
void waiting_start(const char *program);

/* From here on, until waiting_end, what (a short literal) is waited for. */
void waiting_begin(const char *what);
void waiting_end(void);

#endif
