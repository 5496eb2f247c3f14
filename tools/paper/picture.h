/* SPDX-License-Identifier: ISC */
/* The door to libpng: a picture of the screen, for paper. */
#ifndef TOOLS_PAPER_PICTURE_H
#define TOOLS_PAPER_PICTURE_H

#include "lib/base/buf.h"

#define PICTURE_SIDE_MAX 32767          /* pixels */
#define PICTURE_PIXELS_MAX (64UL << 20) /* in all */

struct picture {
	uint32_t width, height; /* 1 to PICTURE_SIDE_MAX */
	unsigned colors;        /* bytes a pixel: 1 grey, 3 red, green, blue */
	struct buf pixels;      /* row by row from above */
};

/*
 * Read a PNG file of any kind; what is transparent becomes white.  On success
 * picture_free() releases *out.  Errors: ERR_INPUT.
 */
bool picture_read(const struct buf *png, struct picture *out, struct err *err);
void picture_free(struct picture *picture);

#endif
