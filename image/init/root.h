/* SPDX-License-Identifier: ISC */
/* The root file system, and the way into it. */
#ifndef INIT_ROOT_H
#define INIT_ROOT_H

#include "err.h"

/* proc, sysfs, devtmpfs and the tmpfs /run, with the folders under it. */
bool root_prepare(struct err *err);

/*
 * Mount the squashfs on the device at /run/keyroom/lower, a tmpfs at
 * /run/keyroom/upper and the overlay of both at /root.
 */
bool root_mount(const char *device, struct err *err);

/*
 * Remove what the folder holds, but nothing of another file system, and not
 * what is named spared in it (NULL: all goes).  What cannot be removed stays.
 */
void root_empty(const char *path, const char *spared);

/*
 * Empty the initramfs, make /root the root, and run its process 1 in place
 * of this one.  Returns only on failure; false.
 */
bool root_enter(struct err *err);

#endif
