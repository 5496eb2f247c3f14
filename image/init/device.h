/* SPDX-License-Identifier: ISC */
/*
 * Which block devices may carry the disc.  This is decided from sysfs alone,
 * before anything is opened: a fixed disk is never looked into.
 */
#ifndef INIT_DEVICE_H
#define INIT_DEVICE_H

#include "err.h"

#include <stddef.h>

enum { DEVICE_NAME = 31, DEVICE_MAX = 64 };

/* In the order in which they are looked at. */
enum device_kind {
	DEVICE_OPTICAL,   /* sr*: a CD, DVD or BD drive on any bus */
	DEVICE_USB,       /* sd* below a USB port */
	DEVICE_SD,        /* mmcblk* whose card says it is an SD card */
	DEVICE_REMOVABLE, /* sd* that says its medium is removable */
	DEVICE_FIXED,     /* everything else */
};

struct device {
	char name[DEVICE_NAME + 1]; /* as in /dev */
	enum device_kind kind;
};

struct device_list {
	size_t count;
	struct device device[DEVICE_MAX];
};

/* The word for a kind, as /run/keyroom/boot has it. */
const char *device_kind_name(enum device_kind kind);

/*
 * The kind of the whole disk called name.  sysfs is where sysfs is mounted.
 * What cannot be read, or is not known, is DEVICE_FIXED.
 */
enum device_kind device_classify(const char *sysfs, const char *name);

/*
 * All whole disks in sysfs/block but those that hold no medium of their own
 * (loop, dm, ram), sorted by kind and name.  More than DEVICE_MAX: the rest
 * is left out.
 */
bool device_list(const char *sysfs, struct device_list *out, struct err *err);

#endif
