/* SPDX-License-Identifier: ISC */
/*
 * Which zone signing keys a quarter has: taken over from the quarter before,
 * named by the caller, or made.
 */
#ifndef GEN_ROLES_H
#define GEN_ROLES_H

#include "gen/zsk.h"
#include "ksr/ksr.h"

/*
 * Lists are names or algorithms (numbers or mnemonics) with commas between;
 * NULL where the caller has no wish.
 */
struct roles_wish {
	const struct ksr *previous; /* request or response before, or NULL */
	bool roll_begin;            /* a key retires in the first bundle */
	bool roll_end;              /* a key comes in the last bundle */
	const char *current;        /* only without a previous quarter */
	const char *retire;         /* only with roll_begin */
	const char *next;           /* only with roll_end */
	const char *algorithms;     /* of keys that are made */
	unsigned bits;              /* of RSA keys that are made */
};

/*
 * Fill the set, whose folder is stated; by role, then in canonical order.  With
 * a previous quarter the keys of its last bundle are read from the folder, and
 * must be those.  Those which retire are the ones named, or else the ones that
 * a newcomer of that last bundle replaces: they stood in the bundle before it,
 * too.
 *
 * Without a wish, new keys are of the algorithms of the current ones, or
 * RSASHA256.  Errors: ERR_USAGE where wishes contradict each other or the
 * previous quarter.
 */
bool roles_choose(
	const struct roles_wish *wish, struct zsk_set *set, struct err *err);

#endif
