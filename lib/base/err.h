/* SPDX-License-Identifier: ISC */
/*
 * The one error idiom: bool f(..., struct err *err).
 *
 * False means that err says why and that the outputs are untouched.  The
 * deepest message wins: a function that calls another adds context with
 * err_prefix() and never overwrites.  Only a program's main prints.
 *
 * Messages are one line, lowercase, without a full stop.  They may quote
 * hostile input as it is: whoever prints escapes (base/text.h).
 */
#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* The kinds are the exit statuses of every program (see err_exit_table). */
enum err_kind {
	ERR_NONE = 0,
	ERR_REFUSED = 1, /* by the operator or by a check */
	ERR_USAGE = 2,   /* the command line or the configuration */
	ERR_INPUT = 3,   /* an input that cannot be read, memory exhausted */
	ERR_HSM = 4,     /* the HSM or its module */
	ERR_OUTPUT = 5,  /* an output or the log */
};

#define ERR_TEXT_MAX 1024

struct err {
	enum err_kind kind;
	/* ERR_HSM: about one key, the HSM works; a check may take it on */
	bool about_key;
	char text[ERR_TEXT_MAX]; /* NUL-terminated, cut when too long */
};

/* struct err err = ERR_EMPTY; */
#define ERR_EMPTY {.kind = ERR_NONE}

/* Fill err; a second call replaces the first.  Always returns false. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "prefix: " before the message that is there.  Always returns false. */
bool err_prefix(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Memory is exhausted (ERR_INPUT: what was read is too large to hold). */
bool err_nomem(struct err *err);

/* Said here as well, so that compilers and analyzers know that it is false. */
static inline bool err_false(bool said)
{
	(void)said;
	return false;
}
#define err_set(...) err_false(err_set(__VA_ARGS__))
#define err_prefix(...) err_false(err_prefix(__VA_ARGS__))
#define err_nomem(...) err_false(err_nomem(__VA_ARGS__))

/* The exit statuses and their meaning, for --help; ends with text NULL. */
struct err_exit {
	int status;
	const char *text;
};
extern const struct err_exit err_exit_table[];

#endif
