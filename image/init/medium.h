/* SPDX-License-Identifier: ISC */
/*
 * Finding the disc: among removable devices, by its id, and no other.
 */
#ifndef INIT_MEDIUM_H
#define INIT_MEDIUM_H

#include "device.h"
#include "volume.h"

enum { MEDIUM_PATH = 63 };

/* What to look for and where; tests point it at folders of their own. */
struct medium_search {
	const char *sysfs; /* "/sys" */
	const char *dev;   /* "/dev" */
	const char *id;    /* the Volume Set Identifier that is wanted */
	int64_t patience;  /* ms to wait after the last device appeared */
};

struct medium {
	struct device device;
	char path[MEDIUM_PATH + 1]; /* of the device node */
	char label[VOLUME_ID + 1];  /* the volume id, for people */
};

/*
 * Look once at each device of the list that may carry the disc.  On failure
 * err has a line for each device with the reason why it is not taken.
 */
bool medium_look(const struct medium_search *search,
	const struct device_list *list, struct medium *out, struct err *err);

/* Look again and again as devices come, until patience has run out. */
bool medium_find(const struct medium_search *search, struct medium *out,
	struct err *err);

/* Forbid writing to the device, and mount its ISO 9660 at target. */
bool medium_mount(
	const struct medium *medium, const char *target, struct err *err);

#endif
