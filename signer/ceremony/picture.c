/* SPDX-License-Identifier: ISC */
#include "ceremony/picture.h"

#include <string.h>

#define NAME_LEN 4
#define CHUNK_FRAME 12 /* length and name before, checksum behind */
#define HEADER_LEN 13
#define GREY 0
#define RGB 2

static const uint8_t signature[] = {
	0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

struct chunk {
	const uint8_t *name, *content;
	size_t len;
};

static uint32_t number(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

static bool is_named(const struct chunk *chunk, const char *name)
{
	return memcmp(chunk->name, name, NAME_LEN) == 0;
}

/* The chunk at *place, and *place behind it. */
static bool next_chunk(const struct buf *png, size_t *place,
	struct chunk *chunk, struct err *err)
{
	size_t left = png->len - *place;

	if (left < CHUNK_FRAME ||
		number(png->data + *place) > left - CHUNK_FRAME)
		return err_set(err, ERR_INPUT, "the picture is cut off");
	chunk->len = number(png->data + *place);
	chunk->name = png->data + *place + 4;
	chunk->content = chunk->name + NAME_LEN;
	*place += CHUNK_FRAME + chunk->len;
	return true;
}

/* Width, height, bits, color type, compression, filter, interlace. */
static bool read_header(
	const struct chunk *chunk, struct picture *picture, struct err *err)
{
	const uint8_t *at = chunk->content;

	if (!is_named(chunk, "IHDR") || chunk->len != HEADER_LEN)
		return err_set(err, ERR_INPUT, "the picture has no header");
	picture->width = number(at);
	picture->height = number(at + 4);
	picture->colors = at[9] == RGB ? 3 : 1;
	if (picture->width == 0 || picture->width > PICTURE_SIDE_MAX ||
		picture->height == 0 || picture->height > PICTURE_SIDE_MAX)
		return err_set(err, ERR_INPUT, "a picture of %lu by %lu pixels",
			(unsigned long)picture->width,
			(unsigned long)picture->height);
	if (at[8] != 8 || (at[9] != RGB && at[9] != GREY) || at[10] != 0 ||
		at[11] != 0 || at[12] != 0)
		return err_set(err, ERR_INPUT,
			"the picture is transparent, interlaced, or not of 8 "
			"bits a color");
	return true;
}

bool picture_read(const struct buf *png, struct picture *out, struct err *err)
{
	struct picture picture = {.packed = BUF_EMPTY};
	size_t place = sizeof(signature);
	struct chunk chunk;
	bool ok = false;

	if (png->len < place || memcmp(png->data, signature, place) != 0)
		return err_set(err, ERR_INPUT, "not a picture in PNG");
	if (!next_chunk(png, &place, &chunk, err) ||
		!read_header(&chunk, &picture, err))
		return false;
	do {
		if (!next_chunk(png, &place, &chunk, err))
			goto done;
		if (is_named(&chunk, "IDAT"))
			buf_bytes(&picture.packed, chunk.content, chunk.len);
	} while (!is_named(&chunk, "IEND"));
	if (!buf_ok(&picture.packed, err))
		goto done;

	*out = picture;
	picture.packed = (struct buf)BUF_EMPTY;
	ok = true;
done:
	picture_free(&picture);
	return ok;
}

void picture_free(struct picture *picture)
{
	buf_free(&picture->packed);
}
