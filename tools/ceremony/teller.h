/* SPDX-License-Identifier: ISC */
/*
 * Tells the ceremony's log what happens, while a script is played.
 *
 * Before there is a log, lines are kept, in the machine's memory too
 * (RUN/early), each with the time since the machine was started: the clock may
 * not be set yet.  They go into the log as "early" lines once there is one.
 */
#ifndef TOOLS_CEREMONY_TELLER_H
#define TOOLS_CEREMONY_TELLER_H

#include "tools/ceremony/course.h"

enum teller_state {
	TELLER_EARLY,  /* there is no log yet */
	TELLER_WRITES, /* the log takes lines */
	TELLER_ENDED,  /* the log has been finished, or has died */
};

struct teller_line {
	int64_t boot; /* seconds since the machine was started */
	char *text;   /* owned; "KIND TEXT" */
};

struct teller {
	enum teller_state state;
	char *script; /* owned; "SHA256 NAME" */
	char *after;  /* owned; "SHA256 FOLDER", or NULL */
	struct teller_line *kept;
	size_t kept_count;
	struct err said; /* why the log did not take the last line; or empty */
};

/*
 * script and after are copied.  Lines that an earlier run of the same script
 * has kept are read.  teller_free() in any case.  Errors: ERR_OUTPUT,
 * ERR_INPUT.
 */
bool teller_open(const char *script, const char *after, struct teller *out,
	struct err *err);
void teller_free(struct teller *teller);

/*
 * The log that is being kept has lines of this script already: the script is
 * not named again.
 */
void teller_go_on(struct teller *teller);

/*
 * "KIND TEXT"; a newline in it becomes a blank.  Where the log does not take
 * it, said has the reason, and it is not lost as long as the machine runs.
 * Errors: memory.
 */
bool teller_say(struct teller *teller, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The script has come to its end: what is kept is no more of use. */
void teller_end(struct teller *teller);

/*
 * The folder in which commands are run, so that a run that was left goes on
 * there: to be kept (memory only; what fails is not kept), and gone to where
 * one was kept for this script.
 */
void teller_keep_folder(const struct teller *teller);
void teller_go_to_folder(const struct teller *teller);

/* Is there a log now?  What was kept is told then. */
void teller_look(struct teller *teller);

#endif
