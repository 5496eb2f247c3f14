/* SPDX-License-Identifier: ISC */
/*
 * Times and durations.  Both are int64_t seconds; times count from 1970 UTC.
 *
 * Texts are those of XML Schema part 2, §3.2.6 and §3.2.7, narrowed: years
 * 1970 to 9999, whole seconds, UTC only; no months, years or weeks in a
 * duration, because they have no fixed length.
 */
#ifndef LIB_BASE_TIME_H
#define LIB_BASE_TIME_H

#include "lib/base/err.h"

#include <stdint.h>

#define TIME_DAY INT64_C(86400)
#define TIME_TEXT_MAX 32     /* room for any time text */
#define TIME_DURATION_MAX 40 /* room for any duration text */

/*
 * 2010-04-01T00:00:00, optionally with Z or +00:00; no zone means UTC.
 * Errors: ERR_INPUT, quoting the text.
 */
bool time_parse(const char *text, int64_t *out, struct err *err);

/* How the zone is written. */
enum time_style {
	TIME_BARE,   /* 2010-04-01T00:00:00 (tables) */
	TIME_Z,      /* 2010-04-01T00:00:00Z (log) */
	TIME_OFFSET, /* 2010-04-01T00:00:00+00:00 (responses) */
	TIME_FILE,   /* 20100401-000000 (file names) */
	TIME_DNS,    /* 20100401000000 (RFC 4034 §3.2) */
};

/* t must lie in years 1970 to 9999, else the text is "out-of-range". */
void time_format(int64_t t, enum time_style style, char out[TIME_TEXT_MAX]);

/*
 * P21D, PT0S, P1DT2H3M4S; at most 9 digits a part; never negative.
 * Errors: ERR_INPUT, quoting the text.
 */
bool time_duration_parse(const char *text, int64_t *out, struct err *err);

/* The shortest such text; whole days stay days.  seconds >= 0. */
void time_duration_format(int64_t seconds, char out[TIME_DURATION_MAX]);

/* The clock, UTC. */
int64_t time_now(void);

/* Milliseconds since some moment, whatever the clock is set to meanwhile. */
int64_t time_steady(void);

#endif
