/* SPDX-License-Identifier: ISC */
/*
 * The ceremony's journal: lines chained by hash, so that a line that was cut,
 * changed, moved or put in shows.
 *
 *	HASH NUMBER TIME KIND TEXT
 *
 * HASH is the SHA-256, in hexadecimal, of the HASH of the line before (64
 * zeros for the first), a blank, and the rest of this line without its
 * newline.  NUMBER counts from 1, TIME is UTC, KIND is one word, TEXT is
 * escaped.  The bytes of every other file of the log are vouched for by lines
 * "data NAME OFFSET LENGTH SHA256".
 */
#ifndef CEREMONY_JOURNAL_H
#define CEREMONY_JOURNAL_H

#include "crypto/crypto.h"

#define JOURNAL_HASH_LEN 64

struct journal {
	uint64_t lines;
	char hash[JOURNAL_HASH_LEN + 1]; /* of the last line */
};

/* No line yet. */
void journal_start(struct journal *journal);

/*
 * Append the next line, with the time of now, to out.  text is escaped here.
 * Errors: ERR_INPUT, memory.
 */
bool journal_line(struct journal *journal, const char *kind, const char *text,
	struct buf *out, struct err *err);

/* A line that has been read; the texts end with it. */
struct journal_entry {
	char *time, *kind, *text;
};

/*
 * Check the line at *text (changed: cut into words) against the journal so
 * far, and move *text behind it.  Errors: ERR_REFUSED, naming the line.
 */
bool journal_check(struct journal *journal, char **text,
	struct journal_entry *entry, struct err *err);

#endif
