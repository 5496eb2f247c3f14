/* SPDX-License-Identifier: ISC */
/*
 * What a medium is besides the ISO at its beginning: its sessions, whether more
 * can be written to it, and what lies behind the ISO.
 *
 * A machine starts an optical disc from the boot record of its last session (El
 * Torito 1.0 §2), so a disc whose first session is the release may start
 * something else.  Sources: MMC-6 §6.21 (READ DISC INFORMATION), ECMA-119.
 */
#ifndef TOOLS_EVIDENCE_MEDIUM_H
#define TOOLS_EVIDENCE_MEDIUM_H

#include "lib/base/buf.h"

enum medium_state { MEDIUM_UNKNOWN, MEDIUM_OPEN, MEDIUM_CLOSED };

struct medium {
	bool optical;
	unsigned sessions; /* of an optical disc; 0: the drive does not say */
	enum medium_state state; /* of an optical disc */
	uint64_t size;           /* bytes that the medium has */
	uint64_t looked; /* how far what lies behind the ISO was looked at */
	bool unreadable; /* reading ended there with an error */
	uint64_t first;  /* the first byte behind the ISO that is not 0; 0: none
			  */
	uint64_t session; /* a volume descriptor behind the ISO; 0: none */
};

/* The drive's answer to READ DISC INFORMATION; what is too short says nothing.
 */
void medium_disc_information(
	const uint8_t *answer, size_t len, struct medium *out);

/*
 * Look at all that lies behind the first iso bytes of an optical disc or a
 * file, and at the first 64 MiB of it on a stick or card, unless all is set.
 * Errors: ERR_INPUT.
 */
bool medium_look(int fd, const char *name, uint64_t iso, bool all,
	struct medium *out, struct err *err);

/* Lines for people, appended. */
void medium_describe(
	const struct medium *medium, uint64_t iso, struct buf *out);

/*
 * Is the ISO all that a machine can start from this?  False: ERR_REFUSED says
 * what else there is.
 */
bool medium_is_one_closed_session(
	const struct medium *medium, const char *name, struct err *err);

#endif
