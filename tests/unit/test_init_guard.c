/* SPDX-License-Identifier: ISC */
/*
 * The watch over the disc: shows that only the removal or change of the very
 * device that the machine was started from counts, that damage is what the
 * kernel calls so of the disc's own image, and that the alarm breaks between
 * words in windows of every width.  tests/boot pulls the stick, and damages a
 * disc.
 */
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Each string of a kernel's message ends with a NUL; so does the literal. */
#define NEWS(text) guard_news(text, sizeof(text), "sda")

static void device_removed_is_heard(void **state)
{
	(void)state;
	assert_int_equal(NEWS("remove@/a\0SUBSYSTEM=block\0DEVNAME=sda\0X=y"),
		GUARD_REMOVED);
	assert_int_equal(NEWS("change@/a\0DEVNAME=sda\0SUBSYSTEM=block\0X=y"),
		GUARD_CHANGED);
}

static void other_news_is_none(void **state)
{
	static const char whole[] = "remove@/a\0SUBSYSTEM=block\0DEVNAME=sda";
	size_t cut;

	(void)state;
	assert_int_equal(NEWS("remove@/a\0SUBSYSTEM=block\0DEVNAME=sda1"),
		GUARD_NOTHING);
	assert_int_equal(NEWS("remove@/a\0SUBSYSTEM=block\0DEVNAME=sdaa"),
		GUARD_NOTHING);
	assert_int_equal(
		NEWS("remove@/a\0SUBSYSTEM=net\0DEVNAME=sda"), GUARD_NOTHING);
	assert_int_equal(
		NEWS("add@/a\0SUBSYSTEM=block\0DEVNAME=sda"), GUARD_NOTHING);
	assert_int_equal(NEWS(""), GUARD_NOTHING);
	/* A message that was cut short names another device, or none. */
	for (cut = 0; cut < sizeof(whole); cut++)
		assert_int_equal(
			guard_news(whole, cut, "sdabc"), GUARD_NOTHING);
}

static void damage_is_the_kernels_word_for_it(void **state)
{
	(void)state;
	assert_true(guard_damage(
		"3,8,7,-;SQUASHFS error: Failed to read block 0x62: -5\n"));
	assert_true(guard_damage(
		"3,8,7,-;SQUASHFS error: Unable to read page, block 62\n"));
	assert_true(guard_damage(
		"3,9,1,-;device-mapper: verity: 254:0: data block 3 is corrupted\n S=block\n"));
	/* Another image than the disc's. */
	assert_false(guard_damage(
		"3,9,1,-;device-mapper: verity: 254:1: data block 3 is corrupted\n"));
	/* It was mended. */
	assert_false(guard_damage(
		"4,9,1,-;device-mapper: verity-fec: 254:0: FEC 4096: corrected 3 errors\n"));
	/* A program wrote it: facility 1, level 3. */
	assert_false(guard_damage(
		"11,8,7,-;SQUASHFS error: Failed to read block 0x62: -5\n"));
	assert_false(guard_damage("3,8,7,-;x SQUASHFS error: \n"));
	assert_false(guard_damage("SQUASHFS error: no record\n"));
	assert_false(guard_damage("3,1,1,-;"));
	assert_false(guard_damage(""));
}

static void alarm_is_broken_between_words(void **state)
{
	static const struct {
		size_t width;
		const char *text;
	} cases[] = {
		{80, "one two three"},
		{13, "one two three"},
		{12, "one two\r\nthree"},
		{7, "one two\r\nthree"},
		{6, "one\r\ntwo\r\nthree"},
		{1, "one\r\ntwo\r\nthree"},
	};
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		guard_fold("one two three", cases[i].width, out, sizeof(out));
		assert_string_equal(out, cases[i].text);
	}
}

static void text_longer_than_room_is_cut_at_a_word(void **state)
{
	char out[12];
	size_t size;

	(void)state;
	for (size = 1; size <= sizeof(out); size++) {
		memset(out, 'x', sizeof(out));
		guard_fold("one two three", 80, out, size);
		assert_true(strlen(out) < size);
		assert_memory_equal(out, "one two three", strlen(out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_removed_is_heard),
		cmocka_unit_test(other_news_is_none),
		cmocka_unit_test(damage_is_the_kernels_word_for_it),
		cmocka_unit_test(alarm_is_broken_between_words),
		cmocka_unit_test(text_longer_than_room_is_cut_at_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
