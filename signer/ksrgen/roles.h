/* SPDX-License-Identifier: ISC */
/*
 * Which zone signing keys a quarter has: taken over from the quarter before,
 * named by the caller, or made.
 */
#ifndef SIGNER_KSRGEN_ROLES_H
#define SIGNER_KSRGEN_ROLES_H

#include "lib/ksr/ksr.h"
#include "signer/ksrgen/zsk.h"

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
 * Fill the set with the keys of each role, in canonical order.  set->folder is
 * where their files are.  With a previous quarter, the keys of its last bundle
 * are the current ones and are read from there.  The keys that retire are those
 * that wish->retire names, or else those of them that were also in the bundle
 * before it.
 *
 * New keys are of wish->algorithms, or of the algorithms of the current keys,
 * or RSASHA256.  Errors: ERR_USAGE where wishes contradict each other or the
 * previous quarter.
 */
bool roles_choose(
	const struct roles_wish *wish, struct zsk_set *set, struct err *err);

#endif
