/* SPDX-License-Identifier: ISC */
/*
 * The boot stage reads its orders from the kernel command line.  Shows that
 * it takes exactly what README.md in image/init allows, and that a word that
 * is missing, doubled, misspelt or out of range is refused by name: a typing
 * mistake must never turn a check off.
 */
#include "cmdline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROOT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SALT "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define VERITY "keyroom.verity=sha256:" ROOT ":" SALT ":6383:6383:6434:2"
#define MEDIUM "keyroom.medium=KEYROOM_0123"
#define BOTH MEDIUM " " VERITY
#define TEN "AAAAAAAAAA"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void cmdline_complete_is_read(void **state)
{
	struct cmdline out;
	struct err err = {.text = ""};

	(void)state;
	assert_true(cmdline_parse("BOOT_IMAGE=/vmlinuz " BOTH
				  " quiet\tkeyroom.toram keyroom.debug\n",
		&out, &err));
	assert_string_equal(out.medium, "KEYROOM_0123");
	assert_string_equal(out.image, "/live/root.squashfs");
	assert_string_equal(out.verity.root, ROOT);
	assert_string_equal(out.verity.salt, SALT);
	assert_int_equal(out.verity.data_blocks, 6383);
	assert_int_equal(out.verity.hash_start, 6383);
	assert_int_equal(out.verity.fec_start, 6434);
	assert_int_equal(out.verity.fec_roots, 2);
	assert_true(out.toram);
	assert_true(out.debug);
	assert_false(out.check);
	assert_int_equal(out.front_blocks, 0);
}

/* Before the image's size is known, or after; up to its end. */
static void cmdline_ahead_is_read(void **state)
{
	struct cmdline out;
	struct err err = {.text = ""};

	(void)state;
	assert_true(cmdline_parse("keyroom.ahead=17:6000 " BOTH, &out, &err));
	assert_int_equal(out.front_blocks, 17);
	assert_int_equal(out.tables_start, 6000);
	assert_true(cmdline_parse(BOTH " keyroom.ahead=6383:6383", &out, &err));
	assert_int_equal(out.front_blocks, 6383);
}

/* The kernel ends a word there, so it is where we have to. */
static void cmdline_is_split_where_the_kernel_splits(void **state)
{
	struct cmdline out;
	struct err err = {.text = ""};

	(void)state;
	assert_true(cmdline_parse("quiet\240" BOTH
				  "\vkeyroom.toram\f\rkeyroom.check\240",
		&out, &err));
	assert_true(out.toram);
	assert_true(out.check);
}

/* Others' words may look like ours without being ours. */
static void cmdline_words_of_others_are_passed_over(void **state)
{
	struct cmdline out;
	struct err err = {.text = ""};

	(void)state;
	assert_true(cmdline_parse(BOTH
		" xkeyroom.medium=X keyroom keyroom_x systemd.x=keyroom.",
		&out, &err));
	assert_true(cmdline_parse(
		"keyroom.image=/a-b_c.d/E9 keyroom.check keyroom.medium=" SIXTY
		"0123 " VERITY,
		&out, &err));
	assert_string_equal(out.image, "/a-b_c.d/E9");
	assert_string_equal(out.medium, SIXTY "0123");
	assert_true(out.check);
}

static const struct refusal {
	const char *text;
	const char *says;
} refusals[] = {
	{"", "keyroom.medium is missing"},
	{VERITY, "keyroom.medium is missing"},
	{MEDIUM, "keyroom.verity is missing"},
	{BOTH " keyroom.debgu", "unknown parameter keyroom.debgu"},
	{BOTH " keyroom.", "unknown parameter keyroom."},
	{BOTH " keyroom.Toram", "unknown parameter keyroom.Toram"},
	{BOTH " " MEDIUM, "keyroom.medium is there twice"},
	{BOTH " " VERITY, "keyroom.verity is there twice"},
	{BOTH " keyroom.toram keyroom.toram", "keyroom.toram is there twice"},
	{BOTH " keyroom.ahead", "keyroom.ahead: expected FRONT:TABLES"},
	{BOTH " keyroom.ahead=7", "keyroom.ahead: expected FRONT:TABLES"},
	{BOTH " keyroom.ahead=7:", "keyroom.ahead: expected FRONT:TABLES"},
	{BOTH " keyroom.ahead=-1:7", "keyroom.ahead: expected FRONT:TABLES"},
	{BOTH " keyroom.ahead=7:8:9", "keyroom.ahead: expected FRONT:TABLES"},
	{BOTH " keyroom.ahead=6384:8",
		"keyroom.ahead: expected no block behind the image's 6383"},
	{BOTH " keyroom.ahead=7:6384",
		"keyroom.ahead: expected no block behind the image's 6383"},
	{BOTH " keyroom.toram=no", "keyroom.toram: expected no value"},
	{BOTH " keyroom.toram=", "keyroom.toram: expected no value"},
	{VERITY " keyroom.medium", "keyroom.medium: expected"},
	{VERITY " keyroom.medium=", "keyroom.medium: expected"},
	{VERITY " keyroom.medium=SHORT_7", "keyroom.medium: expected"},
	{VERITY " keyroom.medium=" SIXTY "01234", "keyroom.medium: expected"},
	{VERITY " keyroom.medium=lower_case", "keyroom.medium: expected"},
	{VERITY " keyroom.medium=\"KEYROOM_0123\"", "keyroom.medium: expect"},
	{BOTH " keyroom.image=live/root", "keyroom.image: expected"},
	{BOTH " keyroom.image=/", "keyroom.image: expected"},
	{BOTH " keyroom.image=/live/../root", "keyroom.image: expected"},
	{BOTH " keyroom.image=//live", "keyroom.image: expected"},
	{BOTH " keyroom.image=/li,ve", "keyroom.image: expected"},
	{BOTH " keyroom.image=/" SIXTY SIXTY "0123456", "keyroom.image"},
	/* The longest word that is looked at, and one more. */
	{BOTH " keyroom.image=/" SIXTY SIXTY SIXTY SIXTY SIXTY "012345678901",
		"keyroom.image: expected"},
	{BOTH " keyroom.image=/" SIXTY SIXTY SIXTY SIXTY SIXTY "0123456789012",
		"longer than any may be"},
	{BOTH " keyroom.image=/" SIXTY SIXTY SIXTY SIXTY SIXTY SIXTY,
		"longer than any may be"},
};

static void cmdline_wrong_is_refused_by_name(void **state)
{
	struct cmdline untouched;
	struct cmdline out;
	size_t i;

	(void)state;
	memset(&untouched, 0xA5, sizeof(untouched));
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct err err = {.text = ""};

		out = untouched;
		assert_false(cmdline_parse(refusals[i].text, &out, &err));
		if (strstr(err.text, refusals[i].says) == NULL)
			fail_msg("\"%s\" says \"%s\"", refusals[i].text,
				err.text);
		assert_memory_equal(&out, &untouched, sizeof(out));
	}
}

static const char *const wrong_verity[] = {
	"",
	"sha256",
	"sha512:" ROOT ":" SALT ":10:10:20:2",
	"sha256:" ROOT ":" SALT ":10:10:20",
	"sha256:" ROOT ":" SALT ":10:10:20:2:",
	"sha256:" ROOT ":" SALT ":10:10:20:2:0",
	"sha256:" ROOT "0:" SALT ":10:10:20:2",
	"sha256:0" SALT ":10:10:20:2",
	"sha256::" SALT ":10:10:20:2",
	"sha256:" ROOT "::10:10:20:2",
	"sha256:" ROOT ":-:10:10:20:2",
	"sha256:G0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff:" SALT
	":10:10:20:2",
	"sha256:A0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff:" SALT
	":10:10:20:2",
	"sha256:" ROOT ":" SALT ":0:10:20:2",
	"sha256:" ROOT ":" SALT "::10:20:2",
	"sha256:" ROOT ":" SALT ":010:10:20:2",
	"sha256:" ROOT ":" SALT ":+10:10:20:2",
	"sha256:" ROOT ":" SALT ":-10:10:20:2",
	"sha256:" ROOT ":" SALT ":0x10:16:20:2",
	"sha256:" ROOT ":" SALT ":10:9:20:2",
	"sha256:" ROOT ":" SALT ":10:10:10:2",
	"sha256:" ROOT ":" SALT ":10:10:20:1",
	"sha256:" ROOT ":" SALT ":10:10:20:25",
	"sha256:" ROOT ":" SALT ":2147483648:2147483648:2147483649:2",
	"sha256:" ROOT ":" SALT ":4294967306:4294967306:4294967316:2",
	"sha256:" ROOT ":" SALT ":10:2147483647:2147483648:2",
	"sha256:" ROOT ":" SALT ":99999999999:99999999999:99999999999:2",
};

static void cmdline_wrong_verity_is_refused(void **state)
{
	char text[1024];
	struct cmdline out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong_verity) / sizeof(wrong_verity[0]); i++) {
		struct err err = {.text = ""};

		snprintf(text, sizeof(text), MEDIUM " keyroom.verity=%s",
			wrong_verity[i]);
		if (cmdline_parse(text, &out, &err))
			fail_msg("taken: %s", wrong_verity[i]);
		assert_non_null(strstr(err.text,
			"keyroom.verity: expected sha256:ROOT:SALT:"));
	}
}

static void cmdline_number_at_the_edge_is_taken(void **state)
{
	struct cmdline out;
	struct err err = {.text = ""};

	(void)state;
	assert_true(cmdline_parse(MEDIUM " keyroom.verity=sha256:" ROOT ":" SALT
					 ":1:2147483646:2147483647:24",
		&out, &err));
	assert_int_equal(out.verity.fec_start, 2147483647);
	assert_int_equal(out.verity.fec_roots, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmdline_complete_is_read),
		cmocka_unit_test(cmdline_ahead_is_read),
		cmocka_unit_test(cmdline_is_split_where_the_kernel_splits),
		cmocka_unit_test(cmdline_words_of_others_are_passed_over),
		cmocka_unit_test(cmdline_wrong_is_refused_by_name),
		cmocka_unit_test(cmdline_wrong_verity_is_refused),
		cmocka_unit_test(cmdline_number_at_the_edge_is_taken),
	};

	return cmocka_run_group_tests_name("init_cmdline", tests, NULL, NULL);
}
