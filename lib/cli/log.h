/* SPDX-License-Identifier: ISC */
/*
 * The transcript: an append-only file, one line an event, written line by
 * line, and the same lines on the screen.  A program that dies loses nothing;
 * for a machine that dies the file is synced at every warning and error and
 * in log_ok(), which programs call before each step that matters: a question,
 * a signature, the publication, the end.
 *
 *	2026-11-22T05:30:00Z: [INFO] text
 *
 * In an experiment (lib/base/experiment.h) each text, and each line of the
 * screen, begins with its mark:
 *
 *	2026-11-22T05:30:00Z: [INFO] EXPERIMENT text
 *
 * A document that is copied into it has a mark before each of its lines that no
 * event's text begins with, and its long lines are cut, so that it cannot write
 * the transcript, on paper either:
 *
 *	2026-11-22T05:30:00Z: [INFO] | <KSR id="...
 *	2026-11-22T05:30:00Z: [INFO] |+ what did not fit the line before
 *
 * Everything is escaped here (base/text.h), once, newlines too: what was read
 * from a flash drive cannot make a line of its own.  Errors are sticky: after a
 * line could not be written, nothing more is, and log_ok() says so; look at it
 * before anything is signed or published.
 */
#ifndef LIB_CLI_LOG_H
#define LIB_CLI_LOG_H

#include "lib/base/buf.h"

struct log;

enum log_level {
	LOG_LEVEL_DEBUG, /* only where asked for */
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
};

struct log_settings {
	const char *program;
	const char *folder; /* NULL: the current one */
	bool debug;         /* debug lines too */
	bool syslog;        /* copy every line to syslog */
};

/*
 * Create FOLDER/PROGRAM-YYYYMMDD-HHMMSS.log, which must not exist (a second
 * run within the second gets -2, -3 and so on before the dot).  Errors:
 * ERR_OUTPUT.
 */
bool log_open(
	const struct log_settings *settings, struct log **out, struct err *err);

/* The first lines: release, build id, arguments, SHA-256 of the program. */
bool log_start(struct log *log, int argc, char *const *argv, struct err *err);

/* The file's name, borrowed. */
const char *log_path(const struct log *log);

/* To the file only.  log may be NULL: then nothing happens. */
void log_write(struct log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A document of len bytes, to the file only, each line marked as a copy; log
 * may be NULL.
 */
void log_copy(
	struct log *log, enum log_level level, const char *text, size_t len);

/*
 * To standard output and, with level INFO, to the file; log may be NULL.  On a
 * terminal a line that is too long goes on indented.
 */
void log_say(struct log *log, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A warning: to standard error and to the file; log may be NULL. */
void log_warn(struct log *log, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with level ERROR: what refuses the run. */
void log_error(struct log *log, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Is every line so far on the medium, and shown?  Errors: ERR_OUTPUT.  log
 * may be NULL.
 */
bool log_ok(struct log *log, struct err *err);

/* The last check, and the end; log is freed in any case.  NULL is fine. */
bool log_close(struct log *log, struct err *err);

#endif
