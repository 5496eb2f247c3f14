/* SPDX-License-Identifier: ISC */
/*
 * The primary volume descriptor of an ISO 9660 medium (ECMA-119 8.4): enough
 * of it to tell one disc from another.
 */
#ifndef INIT_VOLUME_H
#define INIT_VOLUME_H

#include "err.h"

#include <stdint.h>

enum {
	VOLUME_SECTOR = 2048,
	VOLUME_OFFSET = 16 * VOLUME_SECTOR, /* bytes from the start */
	VOLUME_ID = 32,
	VOLUME_SET_ID = 128,
};

/* Without the padding.  Anything not printable ASCII reads as '?'. */
struct volume {
	char id[VOLUME_ID + 1];
	char set_id[VOLUME_SET_ID + 1];
};

/* On failure *out is untouched and err says what is there instead. */
bool volume_parse(const uint8_t sector[static VOLUME_SECTOR],
	struct volume *out, struct err *err);

#endif
