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
 * Everything is escaped here (base/text.h), once, newlines too: what was read
 * from a flash drive cannot make a line of its own.  Errors are sticky: after a
 * line could not be written, nothing more is, and log_ok() says so; look at it
 * before anything is signed or published.
 */
#ifndef SHOW_LOG_H
#define SHOW_LOG_H

#include "base/buf.h"

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

/* Each line of a text of len bytes, to the file only; log may be NULL. */
void log_write_lines(
	struct log *log, enum log_level level, const char *text, size_t len);

/* To standard output and, with level INFO, to the file; log may be NULL. */
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
