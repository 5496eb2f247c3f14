/* SPDX-License-Identifier: ISC */
/*
 * Reading ahead.  Shows that exactly the bytes that were asked for are read,
 * once and in order, that a piece which does not read is left out, and that the
 * end of the file is the end.  A read-ahead that is badly aimed costs more than
 * none.
 */
#include "ahead.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = (1 << 20) + 12345, PIECE = 256 << 10 };

ssize_t __real_pread(int file, void *buffer, size_t size, off_t at);
ssize_t __wrap_pread(int file, void *buffer, size_t size, off_t at);

/* What was asked of the drive; where it fails; how much it gives at most. */
static struct {
	off_t next;
	size_t read;
	unsigned calls;
	off_t bad;
	size_t most;
} drive;

ssize_t __wrap_pread(int file, void *buffer, size_t size, off_t at)
{
	drive.calls++;
	assert_int_equal(at, drive.next);
	if (at == drive.bad) {
		drive.next = at + (off_t)size;
		errno = EIO;
		return -1;
	}
	if (drive.most != 0 && size > drive.most)
		size = drive.most;
	size = (size_t)__real_pread(file, buffer, size, at);
	drive.next = at + (off_t)size;
	drive.read += size;
	return (ssize_t)size;
}

static int setup(void **state)
{
	char *path = strdup("/tmp/keyroom-ahead-XXXXXX");
	int file = mkstemp(path);

	*state = path;
	memset(&drive, 0, sizeof(drive));
	drive.bad = -1;
	return file < 0 || ftruncate(file, SIZE) < 0 || close(file) < 0 ? -1
									: 0;
}

static int teardown(void **state)
{
	unlink(*state);
	free(*state);
	return 0;
}

static void ahead_reads_what_was_asked_for(void **state)
{
	drive.next = 5000;
	ahead_read(*state, 5000, 5000 + PIECE + 1);
	assert_int_equal(drive.read, PIECE + 1);
	assert_int_equal(drive.calls, 2);
}

static void ahead_short_reads_are_continued(void **state)
{
	drive.most = 70000;
	ahead_read(*state, 0, 3 * PIECE);
	assert_int_equal(drive.read, 3 * PIECE);
}

static void ahead_ends_with_the_file(void **state)
{
	ahead_read(*state, 0, UINT64_MAX);
	assert_int_equal(drive.read, SIZE);
}

static void ahead_leaves_out_what_does_not_read(void **state)
{
	drive.bad = PIECE;
	ahead_read(*state, 0, 3 * PIECE);
	assert_int_equal(drive.read, 2 * PIECE);
}

static void ahead_of_nothing_reads_nothing(void **state)
{
	ahead_read(*state, 4096, 4096);
	ahead_read(*state, 4096, 0);
	ahead_read("/nowhere", 0, 4096);
	assert_int_equal(drive.calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ahead_reads_what_was_asked_for),
		TEST(ahead_short_reads_are_continued),
		TEST(ahead_ends_with_the_file),
		TEST(ahead_leaves_out_what_does_not_read),
		TEST(ahead_of_nothing_reads_nothing),
	};

	return cmocka_run_group_tests_name("init_ahead", tests, NULL, NULL);
}
