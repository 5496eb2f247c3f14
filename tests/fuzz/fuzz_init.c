/* SPDX-License-Identifier: ISC */
/*
 * Fuzz entry for what the boot stage parses: the first byte chooses, 'v' the
 * volume descriptor, anything else the command line.  What a parser takes
 * must be in the range its header promises.
 */
#include "cmdline.h"
#include "volume.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_cmdline(const uint8_t *data, size_t size)
{
	struct err err = {.text = ""};
	struct cmdline out;
	char *text = malloc(size + 1);

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (cmdline_parse(text, &out, &err)) {
		const struct verity_params *verity = &out.verity;

		assert(strlen(out.medium) >= CMDLINE_ID_MIN);
		assert(strlen(out.medium) <= CMDLINE_ID_MAX);
		assert(out.image[0] == '/' && strstr(out.image, "..") == NULL);
		assert(strlen(out.image) <= CMDLINE_PATH_MAX);
		assert(strlen(verity->root) == CMDLINE_HASH_DIGITS);
		assert(strlen(verity->salt) == CMDLINE_HASH_DIGITS);
		assert(verity->data_blocks >= 1);
		assert(verity->data_blocks <= verity->hash_start);
		assert(verity->hash_start < verity->fec_start);
		assert(verity->fec_start <= INT32_MAX);
		assert(verity->fec_roots >= 2 && verity->fec_roots <= 24);
	} else {
		assert(err.text[0] != '\0');
	}
	free(text);
}

static void try_volume(const uint8_t *data, size_t size)
{
	uint8_t *sector = calloc(1, VOLUME_SECTOR);
	struct err err = {.text = ""};
	struct volume volume;
	const char *letter;

	assert(sector != NULL);
	memcpy(sector, data, size < VOLUME_SECTOR ? size : VOLUME_SECTOR);
	if (volume_parse(sector, &volume, &err)) {
		assert(strlen(volume.id) <= VOLUME_ID);
		assert(strlen(volume.set_id) <= VOLUME_SET_ID);
		for (letter = volume.set_id; *letter; letter++)
			assert(*letter >= ' ' && *letter <= '~');
	} else {
		assert(err.text[0] != '\0');
	}
	free(sector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'v')
		try_volume(data + 1, size - 1);
	else
		try_cmdline(data + 1, size - 1);
	return 0;
}
