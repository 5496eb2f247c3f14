/* SPDX-License-Identifier: ISC */
/*
 * A picture of the screen, for paper: what a PDF needs to know of a PNG file.
 * The pixels are not unpacked; PDF understands how PNG packs them.
 */
#ifndef CEREMONY_PICTURE_H
#define CEREMONY_PICTURE_H

#include "base/buf.h"

#define PICTURE_SIDE_MAX 32767 /* pixels */

struct picture {
	uint32_t width, height; /* 1 to PICTURE_SIDE_MAX */
	unsigned colors;        /* 1: grey, 3: red, green and blue; 8 bits */
	struct buf packed;      /* the pixels: zlib, with PNG's filters */
};

/*
 * Read a PNG file of 8 bits a color, grey or RGB, neither interlaced nor
 * transparent.  On success picture_free() releases *out.  Errors: ERR_INPUT.
 */
bool picture_read(const struct buf *png, struct picture *out, struct err *err);
void picture_free(struct picture *picture);

#endif
