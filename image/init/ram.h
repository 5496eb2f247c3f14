/* SPDX-License-Identifier: ISC */
/* The image in memory, for a machine whose drive is wanted back. */
#ifndef INIT_RAM_H
#define INIT_RAM_H

#include "err.h"

#include <stdint.h>

/*
 * Copy the file at source to target.  What the drive cannot read is left
 * empty, for the parity to rebuild, and counted in *unreadable (in sectors
 * of 2048 bytes).  progress is called with the part done, in percent.
 */
bool ram_copy(const char *source, const char *target,
	void (*progress)(unsigned percent), uint64_t *unreadable,
	struct err *err);

/*
 * Mount a tmpfs at folder that holds a copy of the file at source and no
 * more.  Fails if the memory left beside it would be too little to work in.
 */
bool ram_mount(const char *source, const char *folder, struct err *err);

#endif
