/* SPDX-License-Identifier: ISC */
/*
 * The line that tells dm-verity what to check is where a slip would cost the
 * most.  Shows that it is exactly what the kernel's verity.rst asks for, that
 * no weakening option is in it, and that an image too short for its hash tree
 * and parity is refused before the kernel is asked.
 */
#include "verity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SALT "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static const struct verity_params params = {.root = ROOT,
	.salt = SALT,
	.data_blocks = 6383,
	.hash_start = 6400,
	.fec_start = 6451,
	.fec_roots = 2};

/* 6434 = 6383 data blocks and 51 of the tree: what the parity covers. */
static void verity_table_is_what_the_kernel_asks(void **state)
{
	char table[VERITY_TABLE];

	(void)state;
	assert_true(verity_table(&params, "/dev/loop0", table));
	assert_string_equal(table,
		"1 /dev/loop0 /dev/loop0 4096 4096 6383 6400 sha256 " ROOT
		" " SALT
		" 8 use_fec_from_device /dev/loop0 fec_blocks 6434 fec_start 6451 fec_roots 2");
}

static void verity_table_that_does_not_fit_is_refused(void **state)
{
	char path[VERITY_TABLE];
	char table[VERITY_TABLE];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_false(verity_table(&params, path, table));
}

static void verity_short_image_is_refused(void **state)
{
	const struct loop loop = {
		.path = "/dev/loop0", .size = 6452 * 4096 - 1};
	char device[32] = "untouched";
	struct err err = {.text = ""};

	(void)state;
	assert_false(verity_open(
		"name", &params, &loop, device, sizeof(device), &err));
	assert_string_equal(err.text,
		"the image has 26427391 bytes, expected at least 26427392");
	assert_string_equal(device, "untouched");
}

static unsigned calls;
static unsigned last;

static void progress(unsigned percent)
{
	calls++;
	last = percent;
}

/* A plain file stands in for the device; three chunks and a bit. */
static void verity_check_reads_to_the_end(void **state)
{
	char path[] = "/var/tmp/keyroom-check-XXXXXX";
	struct err err = {.text = ""};
	int file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, (3 << 20) + 4096), 0);
	if (!verity_check(path, progress, &err)) {
		unlink(path);
		fail_msg("%s", err.text);
	}
	assert_int_equal(last, 100);
	assert_int_equal(calls, 5);
	close(file);
	unlink(path);
	assert_false(verity_check(path, progress, &err));
	assert_non_null(strstr(err.text, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verity_table_is_what_the_kernel_asks),
		cmocka_unit_test(verity_table_that_does_not_fit_is_refused),
		cmocka_unit_test(verity_short_image_is_refused),
		cmocka_unit_test(verity_check_reads_to_the_end),
	};

	return cmocka_run_group_tests_name("init_verity", tests, NULL, NULL);
}
