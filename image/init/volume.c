/* SPDX-License-Identifier: ISC */
#include "volume.h"

#include <string.h>

/* Offsets in the descriptor, ECMA-119 table 4, counted from 0. */
enum {
	AT_TYPE = 0,
	AT_STANDARD = 1,
	AT_VERSION = 6,
	AT_VOLUME_ID = 40,
	AT_BLOCK_SIZE = 128, /* both byte orders: little, then big */
	AT_SET_ID = 190,
	TYPE_PRIMARY = 1,
};

static void copy_field(char *out, const uint8_t *field, size_t length)
{
	size_t i;

	while (length > 0 && field[length - 1] == ' ')
		length--;
	for (i = 0; i < length; i++)
		out[i] = field[i] >= ' ' && field[i] <= '~' ? (char)field[i]
							    : '?';
	out[length] = '\0';
}

bool volume_parse(const uint8_t sector[static VOLUME_SECTOR],
	struct volume *out, struct err *err)
{
	static const uint8_t block_size[] = {0x00, 0x08, 0x08, 0x00};

	if (memcmp(sector + AT_STANDARD, "CD001", 5) != 0)
		return err_set(err, "not an ISO 9660 disc");
	if (sector[AT_TYPE] != TYPE_PRIMARY || sector[AT_VERSION] != 1)
		return err_set(err, "an ISO 9660 disc of another kind");
	if (memcmp(sector + AT_BLOCK_SIZE, block_size, sizeof(block_size)))
		return err_set(err, "an ISO 9660 disc with other blocks");
	copy_field(out->id, sector + AT_VOLUME_ID, VOLUME_ID);
	copy_field(out->set_id, sector + AT_SET_ID, VOLUME_SET_ID);
	return true;
}
