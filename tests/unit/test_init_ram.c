/* SPDX-License-Identifier: ISC */
/*
 * Copying the image to memory from a drive that fails now and then.  Shows
 * that what reads is copied byte for byte, that a sector that does not read
 * is left empty for the parity and counted, and that nothing beside it is
 * lost.  pread is replaced by one that fails where the test says so.
 */
#include "ram.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = (2 << 20) + 5 * 2048 + 100, SECTOR = 2048, BAD_MAX = 4 };

ssize_t __real_pread(int file, void *buffer, size_t size, off_t at);
ssize_t __wrap_pread(int file, void *buffer, size_t size, off_t at);

/* Which sectors fail, how much a call may give, and what was shown. */
static struct {
	off_t bad[BAD_MAX];
	size_t bad_count;
	size_t most;
	unsigned last;
	unsigned shown;
} drive;

ssize_t __wrap_pread(int file, void *buffer, size_t size, off_t at)
{
	size_t i;

	if (drive.most != 0 && size > drive.most)
		size = drive.most;
	for (i = 0; i < drive.bad_count; i++)
		if (drive.bad[i] * SECTOR < at + (off_t)size &&
			(drive.bad[i] + 1) * SECTOR > at) {
			errno = EIO;
			return -1;
		}
	return __real_pread(file, buffer, size, at);
}

static void progress(unsigned percent)
{
	assert_true(drive.shown == 0 || percent > drive.last);
	drive.last = percent;
	drive.shown++;
}

struct fixture {
	char folder[64];
	char source[80];
	char target[80];
	uint8_t content[SIZE];
	uint8_t copy[SIZE];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	FILE *file;
	size_t i;

	memset(&drive, 0, sizeof(drive));
	strcpy(fixture->folder, "/tmp/keyroom-ram-XXXXXX");
	if (mkdtemp(fixture->folder) == NULL)
		return -1;
	snprintf(fixture->source, sizeof(fixture->source), "%s/source",
		fixture->folder);
	snprintf(fixture->target, sizeof(fixture->target), "%s/target",
		fixture->folder);
	for (i = 0; i < SIZE; i++)
		fixture->content[i] = (uint8_t)(i * 7 + i / 251 + 1);
	file = fopen(fixture->source, "wb");
	if (file == NULL || fwrite(fixture->content, 1, SIZE, file) != SIZE ||
		fclose(file) != 0)
		return -1;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->source);
	unlink(fixture->target);
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

static void read_copy(struct fixture *fixture)
{
	FILE *file = fopen(fixture->target, "rb");

	assert_non_null(file);
	assert_int_equal(fread(fixture->copy, 1, SIZE, file), SIZE);
	assert_int_equal(getc(file), EOF);
	fclose(file);
}

static uint64_t copy(struct fixture *fixture)
{
	uint64_t unreadable = 99;
	struct err err = {.text = ""};

	if (!ram_copy(fixture->source, fixture->target, progress, &unreadable,
		    &err))
		fail_msg("%s", err.text);
	read_copy(fixture);
	assert_int_equal(drive.last, 100);
	return unreadable;
}

static void ram_good_file_is_copied(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(copy(fixture), 0);
	assert_memory_equal(fixture->copy, fixture->content, SIZE);
}

static void ram_short_reads_are_continued(void **state)
{
	struct fixture *fixture = *state;

	drive.most = 70000;
	assert_int_equal(copy(fixture), 0);
	assert_memory_equal(fixture->copy, fixture->content, SIZE);
}

/* The first, one in the middle, and the last, which is not whole. */
static void ram_bad_sectors_are_left_empty(void **state)
{
	struct fixture *fixture = *state;
	size_t last = SIZE / SECTOR;

	drive.bad[0] = 0;
	drive.bad[1] = 700;
	drive.bad[2] = (off_t)last;
	drive.bad_count = 3;
	assert_int_equal(copy(fixture), 3);
	memset(fixture->content, 0, SECTOR);
	memset(fixture->content + 700 * SECTOR, 0, SECTOR);
	memset(fixture->content + last * SECTOR, 0, SIZE - last * SECTOR);
	assert_memory_equal(fixture->copy, fixture->content, SIZE);
}

static void ram_existing_target_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint64_t unreadable;
	struct err err;

	copy(fixture);
	assert_false(ram_copy(
		fixture->source, fixture->target, progress, &unreadable, &err));
	assert_non_null(strstr(err.text, "target"));
	assert_false(ram_copy(
		"/nowhere", fixture->target, progress, &unreadable, &err));
	assert_non_null(strstr(err.text, "/nowhere"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ram_good_file_is_copied),
		TEST(ram_short_reads_are_continued),
		TEST(ram_bad_sectors_are_left_empty),
		TEST(ram_existing_target_is_refused),
	};

	return cmocka_run_group_tests_name("init_ram", tests, NULL, NULL);
}
