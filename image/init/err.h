/* SPDX-License-Identifier: ISC */
/*
 * Why something failed, and what a person in front of the machine can do.
 *
 * A function that can fail takes a struct err and gives a bool: false means
 * the err is filled.  Nothing but init.c prints one.
 */
#ifndef INIT_ERR_H
#define INIT_ERR_H

#include <stdbool.h>

struct err {
	char text[2048];    /* what is wrong; may span lines */
	const char *advice; /* what to do about it, a constant; or NULL */
};

/* Replace the text.  Always false, so that a caller can return it. */
bool err_set(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Like err_set, with ": " and the meaning of errno at the end. */
bool err_errno(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Give advice, unless something deeper has given its own.  Always false. */
bool err_advise(struct err *err, const char *advice);

#endif
