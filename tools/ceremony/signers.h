/* SPDX-License-Identifier: ISC */
/*
 * What ksrsigner was asked to sign and what it signed, by the SHA-256 of each:
 * as the screen showed it, and as the signer's own logs have it.
 */
#ifndef TOOLS_CEREMONY_SIGNERS_H
#define TOOLS_CEREMONY_SIGNERS_H

#include "tools/ceremony/check.h"

#define SIGNERS_PROGRAM "ksrsigner"
#define SIGNERS_DIGITS 64
#define SIGNERS_HASHES_MAX 1000 /* more than any ceremony has */

enum signers_what {
	SIGNERS_REQUESTS,
	SIGNERS_RESPONSES,
	SIGNERS_PREVIOUS, /* the response before the first */
	SIGNERS_WHATS,
};

struct signers_hash {
	char digits[SIGNERS_DIGITS + 1];
	unsigned step; /* of the screen */
};

/* Each once, in the order in which they stand there. */
struct signers_hashes {
	struct signers_hash *all;
	size_t count;
};

/* A log of the signer's, which lies in a log's folder. */
struct signers_log {
	const struct tree_file *file; /* borrowed */
	size_t log;
	struct signers_hashes hashes[SIGNERS_WHATS];
	char *arguments; /* owned; or NULL */
	struct err why;  /* not read, and why; or empty */
};

struct signers {
	struct signers_hashes screen[SIGNERS_WHATS];
	struct signers_log *logs; /* in their order */
	size_t count;
};

/*
 * A log is believed where it lies in the folder of a log itself, below no
 * other, and, if that one has ended, is noted in its journal.  signers_free()
 * in any case.  Errors: memory.
 */
bool signers_read(
	const struct check *check, struct signers *out, struct err *err);
void signers_free(struct signers *signers);

/* Is the command one that signs? */
bool signers_is(const char *command);

bool signers_has(const struct signers_hashes *hashes, const char *digits);

/* The file of the folder with this hash, or NULL. */
const struct tree_file *signers_file(
	const struct check *check, const char *digits);

/* The file of that name beside the log, under the same rule; or NULL. */
const struct tree_file *signers_beside(const struct check *check,
	const struct signers_log *log, const char *name);

#endif
