/* SPDX-License-Identifier: ISC */
/*
 * The check after the event: a verdict for each point, with nothing but the
 * public folder (folder.h), the list of releases and public keys.
 */
#ifndef TOOLS_CEREMONY_CHECK_H
#define TOOLS_CEREMONY_CHECK_H

#include "tools/ceremony/account.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/shown.h"
#include "tools/evidence/tree.h"

#define CHECK_LOGS_MAX 8
#define CHECK_LINES_MAX 20 /* reasons that are shown of one point */
#define CHECK_RELEASES_MAX ((size_t)4 * 1024 * 1024)

enum check_result {
	CHECK_PASS,
	CHECK_FAIL,
	CHECK_SKIP, /* not asked, and why */
};

struct check_verdict {
	enum check_result result;
	struct buf lines; /* the reasons, each with a newline */
	size_t count;
};

struct check {
	const struct command_given *given;
	const char *folder;
	struct tree tree;           /* every file of it, hashed */
	char *logs[CHECK_LOGS_MAX]; /* the folders of its logs; owned */
	size_t log_count;
	struct course *course;   /* NULL: unreadable, and why */
	struct account *account; /* NULL: unreadable, and why */
	struct shown shown;
	struct err course_why, account_why;
};

/* Can the key, the anchor and the list of releases be read?  Errors: ERR_INPUT;
 * ERR_OUTPUT: openssl cannot be started. */
bool check_given(const struct command_given *given, struct err *err);

/* A reason; the verdict is FAIL. */
void check_fail(struct check_verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The verdict is SKIP, unless it is FAIL. */
void check_skip(struct check_verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A file of the folder, by its path below it; or NULL. */
const struct tree_file *check_file(const struct check *check, const char *path);

/* "log", "log/journal" or the like: the path of a log's folder below the
 * public one, borrowed. */
const char *check_log_name(const struct check *check, size_t log);

/* Is it a file that the journal notes, of those that other programs wrote into
 * the folder of that log? */
bool check_is_noted(const struct check *check, size_t log, const char *name);

/* FOLDER/PATH. */
void check_path(const struct check *check, const char *path, struct buf *out);

/* A point: fills the verdict.  Errors: memory. */
typedef bool check_point(
	struct check *check, struct check_verdict *verdict, struct err *err);

check_point check_files, check_seal;                   /* check_folder.c */
check_point check_pages;                               /* check_pages.c */
check_point check_terminals;                           /* check_terminals.c */
check_point check_disc;                                /* check_folder.c */
check_point check_log, check_recordings, check_times;  /* check_log.c */
check_point check_script, check_steps, check_commands; /* check_steps.c */
check_point check_status, check_seen, check_confirmed; /* check_steps.c */
check_point check_exceptions;                          /* check_steps.c */
check_point check_request, check_response;             /* check_signed.c */
check_point check_signatures;                          /* check_skr.c */

/* Of RECORDINGS: what "ceremony-log finish" put beside an ended log. */
bool check_manifests(const struct check *check, struct check_verdict *verdict,
	struct err *err);

/* Of COMMANDS: journal and recordings have the same.  Errors: memory. */
bool check_marks(const struct check *check, struct check_verdict *verdict,
	struct err *err);

/* Of STATUS: steps ended as their recordings say.  Errors: memory. */
bool check_ended(const struct check *check, struct check_verdict *verdict,
	struct err *err);

/* The command of a step of the script, as it was to be typed; or none. */
bool check_command(const struct check *check, const struct script_step *step,
	struct buf *out, struct err *err);

/*
 * Run a program without input; its standard output is appended.  *status is its
 * exit status.  Errors: ERR_OUTPUT: it cannot be started.
 */
bool check_run(
	const char *const *argv, struct buf *out, int *status, struct err *err);

#endif
