/* SPDX-License-Identifier: ISC */
/* What is being recorded, where, and what is not (recorder.h). */
#ifndef TOOLS_EVIDENCE_STATE_H
#define TOOLS_EVIDENCE_STATE_H

#include "lib/base/buf.h"
#include "tools/evidence/terminals.h"

#include <stdint.h>

struct state_folder {
	const char *path, *reason; /* reason: "" where it is not lost */
	bool lost, slow;
};

struct state_stream {
	const char *name;
	uint64_t bytes;
	pid_t process;
};

/* Texts are borrowed from text, arrays owned. */
struct state {
	struct buf text;
	uint64_t lines;
	const char *hash; /* of the last line */
	struct state_folder *folders;
	size_t folder_count;
	struct state_stream *streams;
	size_t stream_count;
	bool full;
};

/*
 * Ask the log ("status" or "finish"; what the other does not say is empty).
 * state_free() in any case.  Errors: ERR_OUTPUT.
 */
bool state_ask(const char *request, struct state *out, struct err *err);
void state_free(struct state *state);

/* The terminals, as terminals_read().  The caller frees out->all. */
bool state_terminals(
	const struct state *state, struct terminals *out, struct err *err);

/* Append what the operator is shown. */
void state_show(const struct state *state, const struct terminals *terminals,
	struct buf *out);

/* Is everything written everywhere, and every terminal recorded? */
bool state_is_complete(
	const struct state *state, const struct terminals *terminals);

#endif
