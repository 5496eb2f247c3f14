/* SPDX-License-Identifier: ISC */
/*
 * The volume descriptor is the first thing that is read from a medium nobody
 * has vouched for.  Shows that the two names are taken from where ECMA-119
 * puts them, that a message can safely print them, and that what is not a
 * primary volume descriptor is refused.
 */
#include "volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A descriptor as ECMA-119 8.4 has it, as far as it is read. */
static void make(uint8_t sector[VOLUME_SECTOR])
{
	memset(sector, 0, VOLUME_SECTOR);
	sector[0] = 1;
	memcpy(sector + 1, "CD001", 5);
	sector[6] = 1;
	memset(sector + 8, ' ', 64);
	memcpy(sector + 40, "KEYROOM 0.1.0", 13);
	memcpy(sector + 128, "\x00\x08\x08\x00", 4);
	memset(sector + 190, ' ', 624);
	memcpy(sector + 190, "KEYROOM_0123", 12);
}

static void volume_names_are_read(void **state)
{
	uint8_t sector[VOLUME_SECTOR];
	struct volume volume;
	struct err err;

	(void)state;
	make(sector);
	assert_true(volume_parse(sector, &volume, &err));
	assert_string_equal(volume.id, "KEYROOM 0.1.0");
	assert_string_equal(volume.set_id, "KEYROOM_0123");
}

static void volume_full_and_empty_names_are_read(void **state)
{
	uint8_t sector[VOLUME_SECTOR];
	struct volume volume;
	struct err err;

	(void)state;
	make(sector);
	memset(sector + 40, ' ', 32);
	memset(sector + 190, 'A', 128);
	assert_true(volume_parse(sector, &volume, &err));
	assert_string_equal(volume.id, "");
	assert_int_equal(strlen(volume.set_id), 128);
	assert_int_equal(strspn(volume.set_id, "A"), 128);
}

/* A terminal must not be told anything by a strange disc; and a name that
 * only begins like the right one must not compare equal to it. */
static void volume_unprintable_bytes_are_masked(void **state)
{
	uint8_t sector[VOLUME_SECTOR];
	struct volume volume;
	struct err err;

	(void)state;
	make(sector);
	memcpy(sector + 190, "A\033[2J\0\377\177 B", 10);
	memset(sector + 200, ' ', 118);
	assert_true(volume_parse(sector, &volume, &err));
	assert_string_equal(volume.set_id, "A?[2J??? B");
	make(sector);
	sector[190 + 12] = '\0';
	assert_true(volume_parse(sector, &volume, &err));
	assert_string_equal(volume.set_id, "KEYROOM_0123?");
}

static const struct {
	size_t at;
	const char *says;
} breaks[] = {
	{0, "of another kind"},
	{1, "not an ISO 9660"},
	{5, "not an ISO 9660"},
	{6, "of another kind"},
	{128, "other blocks"},
	{131, "other blocks"},
};

static void volume_other_descriptor_is_refused(void **state)
{
	uint8_t sector[VOLUME_SECTOR];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		struct volume volume = {.id = "untouched"};
		struct err err = {.text = ""};

		make(sector);
		sector[breaks[i].at] ^= 0x10;
		assert_false(volume_parse(sector, &volume, &err));
		assert_non_null(strstr(err.text, breaks[i].says));
		assert_string_equal(volume.id, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volume_names_are_read),
		cmocka_unit_test(volume_full_and_empty_names_are_read),
		cmocka_unit_test(volume_unprintable_bytes_are_masked),
		cmocka_unit_test(volume_other_descriptor_is_refused),
	};

	return cmocka_run_group_tests_name("init_volume", tests, NULL, NULL);
}
