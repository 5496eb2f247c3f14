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
 * escaped.  What the kinds say is in ceremony-log(1); what checks all that is
 * lib/verify-log.
 */
#ifndef TOOLS_EVIDENCE_JOURNAL_H
#define TOOLS_EVIDENCE_JOURNAL_H

#include "lib/base/buf.h"

#define JOURNAL_HASH_LEN 64

struct journal {
	uint64_t lines;
	char hash[JOURNAL_HASH_LEN + 1]; /* of the last line */
};

/* No line yet. */
void journal_start(struct journal *journal);

/*
 * Append the next line, with the time of now, to out.  text: printable ASCII
 * (text_escape()).  Errors: ERR_INPUT: it is not; memory.
 */
bool journal_line(struct journal *journal, const char *kind, const char *text,
	struct buf *out, struct err *err);

/*
 * The hash of a line: before is that of the line before it, rest what stands
 * behind its own.  Errors: memory.
 */
bool journal_chain(const char before[JOURNAL_HASH_LEN + 1], const char *rest,
	char out[JOURNAL_HASH_LEN + 1], struct err *err);

#endif
