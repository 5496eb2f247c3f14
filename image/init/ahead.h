/* SPDX-License-Identifier: ISC */
/*
 * What every boot reads, read once and in order: an optical drive needs a tenth
 * of a second for each seek.  The image's front holds these files (mksquashfs
 * -sort), its end the tables of squashfs and the hash tree.  Nothing is decided
 * here: what is read lies in the kernel's cache of the image file, and each
 * block of it goes through dm-verity when it is used.
 */
#ifndef INIT_AHEAD_H
#define INIT_AHEAD_H

#include <stdint.h>

/*
 * Read the bytes from "from" to before "to" of the file at path, as far as
 * there are any; what cannot be read is left to whoever needs it.
 */
void ahead_read(const char *path, uint64_t from, uint64_t to);

/* The same in a process of its own, while the boot goes on. */
void ahead_read_beside(const char *path, uint64_t from, uint64_t to);

#endif
