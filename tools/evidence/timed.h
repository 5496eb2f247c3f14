/* SPDX-License-Identifier: ISC */
/*
 * What a serial line says, as records, each with the time at which its first
 * byte arrived:
 *
 *	TIME MARK BYTES newline
 *
 * A record ends with the line's newline, with a carriage return that no
 * newline follows, or where the line pauses: what comes then, a prompt say,
 * has a time of its own.  MARK tells:
 *
 *	blank	bytes of the line, after a newline of the line (or at first)
 *	-	bytes of the line; the newline before this record is not the
 *line's #	a remark of ours +	a remark of ours; the newline before it
 *is not the line's
 *
 * so that the bytes of the records, put together, are those of the line.
 */
#ifndef TOOLS_EVIDENCE_TIMED_H
#define TOOLS_EVIDENCE_TIMED_H

#include "lib/base/buf.h"

#define TIMED_PAUSE_MS 1000

struct timed {
	bool open;    /* a record has no newline yet */
	bool cr;      /* its last byte is a carriage return */
	int64_t last; /* milliseconds: when the last byte arrived */
};

/*
 * Bytes that have arrived: at time (seconds, UTC), at the millisecond clock
 * of a clock that only goes on.  Records are appended to file as they are
 * kept, and to view as they are shown: control characters as \xNN, the
 * backslash doubled.
 */
void timed_bytes(struct timed *timed, const uint8_t *data, size_t len,
	int64_t time, int64_t clock, struct buf *file, struct buf *view);

/* A remark, printable. */
void timed_remark(struct timed *timed, const char *text, int64_t time,
	struct buf *file, struct buf *view);

#endif
