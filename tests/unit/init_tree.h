/* SPDX-License-Identifier: ISC */
/* A made-up sysfs and /dev in a temporary folder, for the boot stage's tests */
#ifndef TEST_INIT_TREE_H
#define TEST_INIT_TREE_H

#include <stdint.h>

struct tree {
	char top[64];
	char sysfs[80];
	char dev[80];
};

/* A row of a made-up machine: one block device. */
struct tree_disk {
	const char *name;
	const char *path;      /* from sysfs/devices down to the device */
	const char *removable; /* the attribute, or NULL for none */
	const char *type;      /* device/type, or NULL for none */
};

void tree_make(struct tree *tree);
void tree_remove(const struct tree *tree);
void tree_add(const struct tree *tree, const struct tree_disk *disk);

/* dev/NAME: a medium with this Volume Set Identifier. */
void tree_insert(const struct tree *tree, const char *name, const char *id);

#endif
