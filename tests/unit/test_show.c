/* SPDX-License-Identifier: ISC */
/*
 * Shows: words and bytes are each other's inverse, slips of the tongue are
 * named; command lines are taken exactly as the table says.  Matters: words
 * are compared by ear, and an option that is guessed at signs the wrong thing.
 */
#include "unit.h"

#include "lib/base/buf.h"
#include "lib/cli/hashes.h"
#include "lib/cli/options.h"
#include "lib/cli/words.h"

static void words_round_trip(void **state)
{
	uint8_t bytes[512];
	struct buf text = BUF_EMPTY, back = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	/* every byte at an even and at an odd position */
	for (int i = 0; i < 256; i++)
		bytes[2 * i] = bytes[2 * i + 1] = (uint8_t)i;
	words_write(&text, bytes, sizeof(bytes), 0);
	assert_true(words_read(buf_string(&text), &back, &err));
	assert_int_equal(back.len, sizeof(bytes));
	assert_memory_equal(back.data, bytes, sizeof(bytes));
	buf_free(&text);
	buf_free(&back);
}

static void words_lines_and_forms(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x00, 0xff, 0xff};
	struct buf text = BUF_EMPTY, back = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	words_write(&text, bytes, 4, 2);
	assert_string_equal(
		buf_string(&text), "aardvark adroitness\nZulu Yucatan");
	assert_true(words_read(
		" AARDVARK\tadroitness\nzulu YUCATAN\r\n", &back, &err));
	assert_memory_equal(back.data, bytes, 4);
	buf_clear(&back);
	assert_true(words_read("0000 ff:FF\n", &back, &err));
	assert_memory_equal(back.data, bytes, 4);
	buf_free(&text);
	buf_free(&back);
}

static bool read_hashes(const char *text, struct hashes *out, struct err *err)
{
	struct buf buf = BUF_EMPTY;
	bool ok;

	buf_text(&buf, text);
	ok = hashes_read(&buf, out, err);
	buf_free(&buf);
	return ok;
}

static void hashes_that_are_none_refused(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{"00000000000000000000000000000000000000000000000000000000000000",
			"31 bytes"},
		{"", "no SHA-256"},
		{"File: x\n", "no SHA-256"},
		{"SHA-512: 00\n    00", "no SHA-256"},
		{"aardvark aardvark", "word 2"},
		{"SHA256 (x) = 00", "not 64 hex digits"},
		{"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n",
			"cut off"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hashes hashes = HASHES_EMPTY;
		struct err err = ERR_EMPTY;

		assert_false(read_hashes(bad[i].text, &hashes, &err));
		assert_non_null(strstr(err.text, bad[i].says));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_int_equal(hashes.count, 0);
	}
}

static void hashes_keep_names(void **state)
{
	static const char digits[] =
		"00000000000000000000000000000000000000000000000000000000000000ff";
	struct hashes hashes = HASHES_EMPTY;
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	const uint8_t *one;

	(void)state;
	buf_format(&text, "%s  a b.iso\n%s *C.ISO\nSHA256 (d) = %s\n%s\n",
		digits, digits, digits, digits);
	assert_true(read_hashes(buf_string(&text), &hashes, &err));
	assert_int_equal(hashes.count, 3);
	assert_string_equal(hashes.entries[0].name, "a b.iso");
	assert_string_equal(hashes.entries[1].name, "C.ISO");
	assert_string_equal(hashes.entries[2].name, "d");
	assert_true(hashes_one(&hashes, &one, &err));
	assert_int_equal(one[31], 0xff);
	hashes.entries[2].hash[0] = 1;
	assert_false(hashes_one(&hashes, &one, &err));
	assert_non_null(strstr(err.text, "two different hashes"));
	hashes_free(&hashes);
	buf_free(&text);
}

static void words_slips_named(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {{"aardvark aardvark", "word 2"}, {"adroitness", "word 1"},
		{"adroitness", "three syllables"},
		{"aardvark adroit", "not in the list"}, {"0", "odd number"},
		{"aardvark 00", "word 2"}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf back = BUF_EMPTY;
		struct err err = ERR_EMPTY;

		assert_false(words_read(bad[i].text, &back, &err));
		assert_non_null(strstr(err.text, bad[i].says));
		assert_int_equal(back.len, 0);
		buf_free(&back);
	}
}

static const char *value;
static bool flag, other;

static const struct option_entry entries[] = {
	{"some-value", 'v', OPTION_VALUE, "X", "a value", &value},
	{"flag", 'f', OPTION_FLAG, NULL, "a flag", &flag},
	{"other", 'o', OPTION_FLAG, NULL, "another", &other},
	{0},
};

static const char *const usage[] = {"[X]", NULL};
static const struct option_program program = {.name = "prog",
	.purpose = "Does nothing.",
	.usage = usage,
	.options = entries};

static bool parse(
	const char *const *words, struct option_result *out, struct err *err)
{
	char *argv[12] = {(char *)"prog"};
	int argc = 1;

	value = NULL;
	flag = other = false;
	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)words[argc - 1];
	return options_parse(&program, argc, argv, out, err);
}

static void options_forms_accepted(void **state)
{
	static const char *const forms[][5] = {{"--some-value", "x", "a", "b"},
		{"--some_value=x", "a", "b"}, {"a", "--some-value=x", "b"},
		{"-v", "x", "a", "b"}, {"-vx", "a", "b"}, {"-fvx", "a", "b"},
		{"-v", "x", "--", "a", "b"}};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *words[6] = {NULL};
		struct option_result result = {0};
		struct err err = ERR_EMPTY;

		memcpy(words, forms[i], sizeof(forms[i]));
		if (!parse(words, &result, &err))
			fail_msg("%zu: %s", i, err.text);
		assert_string_equal(value, "x");
		assert_int_equal(result.count, 2);
		assert_string_equal(result.operands[0], "a");
		free(result.operands);
	}
}

static void options_bad_refused(void **state)
{
	static const char *const bad[][4] = {{"--some"}, {"--flagx"}, {"--fla"},
		{"--some-value"}, {"-v"}, {"--flag=x"}, {"-z"}, {"--=x"},
		{"--some-value", "x", "--some_value=y"}, {"--help=x"},
		{"--Flag"}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *words[5] = {NULL};
		struct option_result result = {0};
		struct err err = ERR_EMPTY;

		memcpy(words, bad[i], sizeof(bad[i]));
		if (parse(words, &result, &err))
			fail_msg("accepted: %s", bad[i][0]);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_null(result.operands);
	}
}

static void options_dash_and_end_are_operands(void **state)
{
	static const char *const words[] = {"-", "--", "--flag", NULL};
	struct option_result result = {0};
	struct err err = ERR_EMPTY;

	(void)state;
	assert_true(parse(words, &result, &err));
	assert_int_equal(result.count, 2);
	assert_string_equal(result.operands[1], "--flag");
	assert_false(flag);
	free(result.operands);
}

static void options_help_has_all(void **state)
{
	char text[4000] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	options_help(&program, out);
	fclose(out);
	assert_non_null(strstr(text, "usage: prog [X]\n"));
	for (size_t i = 0; entries[i].name != NULL; i++)
		assert_non_null(strstr(text, entries[i].name));
	for (size_t i = 0; err_exit_table[i].text != NULL; i++)
		assert_non_null(strstr(text, err_exit_table[i].text));
	assert_non_null(strstr(text, "--version"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_round_trip),
		cmocka_unit_test(words_lines_and_forms),
		cmocka_unit_test(hashes_that_are_none_refused),
		cmocka_unit_test(hashes_keep_names),
		cmocka_unit_test(words_slips_named),
		cmocka_unit_test(options_forms_accepted),
		cmocka_unit_test(options_bad_refused),
		cmocka_unit_test(options_dash_and_end_are_operands),
		cmocka_unit_test(options_help_has_all),
	};

	return cmocka_run_group_tests_name("show", tests, NULL, NULL);
}
