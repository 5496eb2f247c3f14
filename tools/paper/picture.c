/* SPDX-License-Identifier: ISC */
#include "tools/paper/picture.h"

#include "lib/base/buf.h"

#include <png.h>
#include <string.h>

static bool check_size(const png_image *image, struct err *err)
{
	if (image->width > 0 && image->width <= PICTURE_SIDE_MAX &&
		image->height > 0 && image->height <= PICTURE_SIDE_MAX &&
		(uint64_t)image->width * image->height <= PICTURE_PIXELS_MAX)
		return true;
	return err_set(err, ERR_INPUT, "a picture of %lu by %lu pixels",
		(unsigned long)image->width, (unsigned long)image->height);
}

static bool read_pixels(
	png_image *image, struct picture *picture, struct err *err)
{
	static const png_color white = {255, 255, 255};
	uint8_t *pixels;

	picture->width = image->width;
	picture->height = image->height;
	picture->colors = (image->format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1;
	image->format = picture->colors == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
	pixels = buf_extend(&picture->pixels, PNG_IMAGE_SIZE(*image));
	if (pixels == NULL)
		return err_nomem(err);
	/* libpng answers with 0 for a picture that is cut off or damaged. */
	if (png_image_finish_read(image, &white, pixels, 0, NULL) == 0)
		return err_set(err, ERR_INPUT, "the picture cannot be read: %s",
			image->message);
	return true;
}

bool picture_read(const struct buf *png, struct picture *out, struct err *err)
{
	struct picture picture = {.pixels = BUF_EMPTY};
	png_image image = {.version = PNG_IMAGE_VERSION};
	bool ok = false;

	if (png->len == 0 || png_image_begin_read_from_memory(
				     &image, png->data, png->len) == 0)
		return err_set(err, ERR_INPUT, "not a picture in PNG%s%s",
			png->len > 0 ? ": " : "", image.message);
	ok = check_size(&image, err) && read_pixels(&image, &picture, err);
	png_image_free(&image);
	if (ok)
		*out = picture;
	else
		picture_free(&picture);
	return ok;
}

void picture_free(struct picture *picture)
{
	buf_free(&picture->pixels);
}
