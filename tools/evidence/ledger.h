/* SPDX-License-Identifier: ISC */
/*
 * The log in memory: the spool, whose first file is the journal, and the
 * recordings, for whose bytes the journal vouches.
 */
#ifndef TOOLS_EVIDENCE_LEDGER_H
#define TOOLS_EVIDENCE_LEDGER_H

#include "tools/evidence/journal.h"
#include "tools/evidence/spool.h"

#define LEDGER_JOURNAL "journal"

struct ledger {
	struct spool *spool;
	struct journal journal;
	bool full; /* the last thing was not taken */
};

/* A recording that is being made. */
struct ledger_stream {
	size_t file;
	uint64_t vouched;    /* bytes for which the journal vouches */
	struct sha256 *hash; /* of those behind them; may be NULL */
};

/*
 * In a new folder TIME below that of the logs in memory (feed.h).  Errors:
 * ERR_OUTPUT.  ledger_free() in any case.
 */
bool ledger_new(struct ledger *out, struct err *err);
void ledger_free(struct ledger *ledger);

/* The next line of the journal; text is escaped.  Errors: memory is full. */
bool ledger_line(struct ledger *ledger, const char *kind, const char *text,
	struct err *err);

/* The same with a text that is printable as it is; an error if it is not. */
bool ledger_line_as_is(struct ledger *ledger, const char *kind,
	const char *text, struct err *err);

/*
 * A recording of that name; where there is one already, of the like.
 * Errors: ERR_OUTPUT.
 */
bool ledger_open(struct ledger *ledger, const char *name,
	struct ledger_stream *out, struct err *err);

/* These bytes belong to it.  Errors: ERR_OUTPUT; then none was taken. */
bool ledger_take(struct ledger *ledger, struct ledger_stream *stream,
	const void *data, size_t len, struct err *err);

/* A line for the bytes that came since the last one.  Errors: ERR_OUTPUT. */
bool ledger_vouch(
	struct ledger *ledger, struct ledger_stream *stream, struct err *err);

/* Its last lines; nothing more can be added.  Errors: ERR_OUTPUT. */
bool ledger_close(
	struct ledger *ledger, struct ledger_stream *stream, struct err *err);

const char *ledger_name(
	const struct ledger *ledger, const struct ledger_stream *stream);
uint64_t ledger_size(
	const struct ledger *ledger, const struct ledger_stream *stream);

#endif
