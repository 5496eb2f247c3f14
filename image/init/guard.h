/* SPDX-License-Identifier: ISC */
/*
 * The watch over the disc that the machine was started from, as a service of
 * the running system.  It is this very program, which lies in memory, so it
 * needs nothing of the disc when the disc is gone.
 */
#ifndef INIT_GUARD_H
#define INIT_GUARD_H

#include <stdbool.h>
#include <stddef.h>

enum guard_news {
	GUARD_NOTHING,
	GUARD_REMOVED, /* the device is gone */
	GUARD_CHANGED  /* its medium may be */
};

/*
 * What a message of the kernel (strings, each with its NUL:
 * "remove@/devices/...", "DEVNAME=sda", ...) says of the block device name.
 */
enum guard_news guard_news(
	const char *message, size_t length, const char *name);

/*
 * Does this record of the kernel's log (the kernel's documentation,
 * ABI/testing/dev-kmsg: "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT") say that a part of
 * the disc could not be read, or that it does not match its hash, and that the
 * parity could not mend it?  What programs write into that log is none.
 */
bool guard_damage(const char *record);

/*
 * Break text between words into lines of at most width letters, ended by CR LF;
 * a word that is longer gets a line of its own.  What does not fit into out is
 * left out.
 */
void guard_fold(const char *text, size_t width, char *out, size_t size);

/* Keep watch until the machine goes off; the exit status if it cannot. */
int guard(void);

#endif
