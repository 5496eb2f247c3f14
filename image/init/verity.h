/* SPDX-License-Identifier: ISC */
/*
 * dm-verity with Reed-Solomon parity, set up through the kernel's own
 * interface (Documentation/admin-guide/device-mapper/verity.rst).
 *
 * A block that does not match the hash tree is rebuilt from the parity; if
 * the result still does not match, reading it fails with EIO.  No option
 * that would weaken this is set: no block goes unchecked, none is checked
 * only once.
 */
#ifndef INIT_VERITY_H
#define INIT_VERITY_H

#include "cmdline.h"
#include "loop.h"

#include <stddef.h>

/* What the device of the root is called. */
#define VERITY_ROOT "keyroom-root"

enum { VERITY_TABLE = 512 };

/*
 * Write the table's parameters for an image on the block device at path.
 * Fails if they do not fit.
 */
bool verity_table(const struct verity_params *params, const char *path,
	char out[static VERITY_TABLE]);

/*
 * Set up a read-only device of that name over an image file in a loop device,
 * and write the path of its node to out.  That the contents match the root
 * hash shows at the first read, not here.
 */
bool verity_open(const char *name, const struct verity_params *params,
	const struct loop *loop, char *out, size_t size, struct err *err);

/* Remove the device; false while something uses it. */
bool verity_close(const char *name);

/*
 * Read every block of the device once.  progress is called with the part
 * done, in percent, whenever that changes.
 */
bool verity_check(
	const char *path, void (*progress)(unsigned percent), struct err *err);

#endif
