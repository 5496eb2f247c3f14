/* SPDX-License-Identifier: ISC */
/*
 * Shows: the parsers of numbers, times, durations, hex and base64 take what
 * the format allows and nothing else; buffers, escaping and file writing keep
 * their promises.  Matters: every field of a hostile request passes here.
 */
#include "unit.h"

#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void number_good_accepted(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {{"0", 0}, {"05017", 5017}, {"65535", 65535}, {"-1", -1},
		{"9223372036854775807", INT64_MAX}};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t value = 99;

		assert_true(number_parse(
			cases[i].text, -1, INT64_MAX, &value, &err));
		assert_true(value == cases[i].value);
	}
}

static void number_bad_refused(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "256x",
		"0x10", "1e3", "65536", "99999999999999999999",
		"9223372036854775808", "--1", "-"};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t value = 99;

		err.kind = ERR_NONE;
		assert_false(number_parse(bad[i], 0, 65535, &value, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_int_equal(value, 99);
	}
}

static void time_good_round_trips(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {{"1970-01-01T00:00:00", 0},
		{"2010-04-01T00:00:00", 1270080000},
		{"2010-07-15T00:00:00+00:00", 1279152000},
		{"2000-02-29T23:59:59Z", 951868799},
		{"2010-04-01T00:00:00.0", 1270080000},
		{"2010-04-01T00:00:00.000Z", 1270080000},
		{"2010-04-01T00:00:00.000000000000+00:00", 1270080000},
		{"9999-12-31T23:59:59", 253402300799}};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[TIME_TEXT_MAX];
		int64_t t = -1;

		assert_true(time_parse(cases[i].text, &t, &err));
		assert_true(t == cases[i].value);
		time_format(t, TIME_BARE, text);
		assert_memory_equal(text, cases[i].text, 19);
		assert_int_equal(strlen(text), 19);
	}
}

static void time_bad_refused(void **state)
{
	static const char *const bad[] = {"", "2010-04-01", "2010-4-1T0:0:0",
		"2010-02-29T00:00:00", "1900-01-01T00:00:00",
		"2010-13-01T00:00:00", "2010-00-01T00:00:00",
		"2010-01-32T00:00:00", "2010-01-01T24:00:00",
		"2010-01-01T00:60:00", "2010-01-01T00:00:60",
		"2010-01-01T00:00:00+01:00", "2010-01-01T00:00:00-00:00",
		"2010-01-01T00:00:00.5", "2010-01-01T00:00:00.",
		"2010-01-01T00:00:00.001", "2010-01-01T00:00:00.0.0",
		"2010-01-01T00:00:00.0 ", "2010-01-01T00:00:00,0",
		"2010-01-01T00:00:00 ", " 2010-01-01T00:00:00",
		"2010-01-01 00:00:00", "12010-01-01T00:00:00",
		"2010-01-01T00:00:00z", "2010-01-01T00:00:00ZZ"};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t t = -7;

		assert_false(time_parse(bad[i], &t, &err));
		assert_true(t == -7);
	}
}

static void time_styles_written(void **state)
{
	static const char *const expected[] = {
		[TIME_BARE] = "2010-04-01T00:00:00",
		[TIME_Z] = "2010-04-01T00:00:00Z",
		[TIME_OFFSET] = "2010-04-01T00:00:00+00:00",
		[TIME_FILE] = "20100401-000000",
		[TIME_DNS] = "20100401000000"};
	char text[TIME_TEXT_MAX];

	(void)state;
	for (int style = TIME_BARE; style <= TIME_DNS; style++) {
		time_format(1270080000, (enum time_style)style, text);
		assert_string_equal(text, expected[style]);
	}
	time_format(-1, TIME_BARE, text);
	assert_string_equal(text, "out-of-range");
}

/* The C library knows the calendar, too; in UTC it is asked for every week. */
static void time_calendar_agrees(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	for (int64_t t = 0; t <= INT64_C(253402300799); t += 604801) {
		char ours[TIME_TEXT_MAX], theirs[TIME_TEXT_MAX];
		time_t seconds = (time_t)t;
		struct tm tm;

		time_format(t, TIME_BARE, ours);
		assert_non_null(gmtime_r(&seconds, &tm));
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S", &tm);
		assert_string_equal(ours, theirs);
	}
}

/* A zone that counts leap seconds shifts what gmtime() says, by 27 here. */
static void time_zone_does_not_matter(void **state)
{
	char text[TIME_TEXT_MAX];

	(void)state;
	setenv("TZ", "right/UTC", 1);
	tzset();
	time_format(1700000000, TIME_Z, text);
	assert_string_equal(text, "2023-11-14T22:13:20Z");
	setenv("TZ", "UTC", 1);
	tzset();
}

static void duration_good_round_trips(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
		const char *canonical;
	} cases[] = {{"P21D", 21 * TIME_DAY, "P21D"}, {"PT0S", 0, "PT0S"},
		{"P0D", 0, "PT0S"}, {"P1DT2H3M4S", 93784, "P1DT2H3M4S"},
		{"PT36H", 129600, "P1DT12H"}, {"PT90S", 90, "PT1M30S"},
		{"P0Y", 0, "PT0S"}, {"P0M", 0, "PT0S"},
		{"P0Y0M10D", 10 * TIME_DAY, "P10D"},
		{"P0Y0M0DT0H0M0.000S", 0, "PT0S"}, {"P0MT5M", 300, "PT5M"},
		{"PT0.000S", 0, "PT0S"}, {"PT7.0S", 7, "PT7S"},
		{"P999999999D", INT64_C(86399999913600), "P999999999D"}};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[TIME_DURATION_MAX];
		int64_t seconds = -1;

		assert_true(time_duration_parse(cases[i].text, &seconds, &err));
		assert_true(seconds == cases[i].value);
		time_duration_format(seconds, text);
		assert_string_equal(text, cases[i].canonical);
	}
}

static void duration_bad_refused(void **state)
{
	static const char *const bad[] = {"", "P", "PT", "P1M", "P1Y", "P1W",
		"-P1D", "P-1D", "P1.5D", "P1DT", "PT1H1H", "PT1S1M", "1D",
		"P1D ", "p1d", "P1000000000D", "PD", "P1D2H", "P1",
		/* A year or a month of unknown length, in any company. */
		"P1Y0M10D", "P0Y1M10D", "P0M0Y", "P0D0Y", "P0Y0Y", "PT0Y",
		/* A part of a second, or a fraction of what is none. */
		"PT0.5S", "PT0.001S", "PT0.S", "PT.0S", "PT0,0S", "P0.0D",
		"PT0.0M", "P0Y0.0M"};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t seconds = -7;

		assert_false(time_duration_parse(bad[i], &seconds, &err));
		assert_true(seconds == -7);
	}
}

static void hex_round_trips_and_refuses(void **state)
{
	struct buf bytes = BUF_EMPTY, text = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_true(hex_decode("00fFa9", &bytes, &err));
	assert_memory_equal(bytes.data, "\x00\xff\xa9", 3);
	hex_encode(&text, bytes.data, bytes.len);
	assert_string_equal(buf_string(&text), "00ffa9");
	assert_false(hex_decode("0", &bytes, &err));
	assert_false(hex_decode("0g", &bytes, &err));
	assert_false(hex_decode("0 0", &bytes, &err));
	assert_int_equal(bytes.len, 3);
	buf_free(&bytes);
	buf_free(&text);
}

static void base64_good_round_trips(void **state)
{
	/* RFC 4648 §10, and one wrapped as XML may have it */
	static const struct {
		const char *text;
		const char *bytes;
	} cases[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"},
		{"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"},
		{"Zm9vYmFy", "foobar"}, {"\n Zm9v\r\n\tYg=\n= \n", "foob"}};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf bytes = BUF_EMPTY, text = BUF_EMPTY;

		assert_true(base64_decode(cases[i].text, &bytes, &err));
		assert_string_equal(buf_string(&bytes), cases[i].bytes);
		if (i < 7) {
			base64_encode(&text, bytes.data, bytes.len);
			assert_string_equal(buf_string(&text), cases[i].text);
		}
		buf_free(&bytes);
		buf_free(&text);
	}
}

/* A character more, at each place: a blank is skipped, any other refused. */
static void base64_one_more_character_is_seen_anywhere(void **state)
{
	static const char text[] = "AAECAwQFBgcICQoL";
	size_t len = strlen(text);

	(void)state;
	for (size_t at = 0; at <= len; at++) {
		for (const char *more = " \n=*A"; *more != '\0'; more++) {
			struct buf bytes = BUF_EMPTY;
			struct err err = ERR_EMPTY;
			bool blank = *more == ' ' || *more == '\n';
			struct buf longer = BUF_EMPTY;

			buf_bytes(&longer, text, at);
			buf_u8(&longer, (uint8_t)*more);
			buf_text(&longer, text + at);
			assert_int_equal(base64_decode(buf_string(&longer),
						 &bytes, &err),
				blank);
			assert_int_equal(bytes.len, blank ? 12 : 0);
			for (size_t i = 0; i < bytes.len; i++)
				assert_int_equal(bytes.data[i], i);
			buf_free(&longer);
			buf_free(&bytes);
		}
	}
}

static void base64_bad_refused(void **state)
{
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "=",
		"Zh==", "Zm9=", "Zg==Zg==", "Zm9v!", "Zm-_", "Z===", "Zg=x"};
	struct buf bytes = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64_decode(bad[i], &bytes, &err));
	assert_int_equal(bytes.len, 0);
	buf_free(&bytes);
}

static void text_hostile_escaped(void **state)
{
	struct buf out = BUF_EMPTY;

	(void)state;
	text_escape(&out, "a\x1b[2J\n\x7f\xc2\x9b\\b", 11);
	assert_string_equal(
		buf_string(&out), "a\\x1b[2J\\x0a\\x7f\\xc2\\x9b\\\\b");
	buf_free(&out);
}

static void text_folded_between_words(void **state)
{
	static const struct {
		const char *text;
		size_t width, indent;
		const char *want;
	} cases[] = {
		{"one two three", 0, 0, "one two three"},
		{"one two three", 13, 0, "one two three"},
		{"one two three", 12, 0, "one two\nthree"},
		{"one two three", 7, 0, "one two\nthree"},
		{"one two three", 6, 2, "one\n  two\n  thre\n  e"},
		{"one two three", 7, 2, "one two\n  three"},
		{"W:  one two three", 11, 4, "W:  one two\n    three"},
		{"  unbroken rest", 8, 0, "  unbrok\nen rest"},
		{"  unbroken rest", 8, 4, "  unbrok\n    en\n    rest"},
		{"0123456789abc", 6, 2, "012345\n  6789\n  abc"},
		{"ends in  blanks  ", 7, 0, "ends in\nblanks"},
		{"short\nand a long one\n", 8, 0, "short\nand a\nlong one\n"},
		{"", 5, 0, ""},
		{"as it is", 3, 3, "as it is"},
	};
	struct buf out = BUF_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		text_fold(&out, cases[i].text, cases[i].width, cases[i].indent);
		assert_string_equal(buf_string(&out), cases[i].want);
	}
	buf_free(&out);
}

static void text_names_are_one_line_and_look_like_one(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {{"a", true}, {"K1", true}, {"a b", true},
		{"4fe9bb10-6f6b-4503-8575-7824e2d66925", true}, {".", true},
		{"", false}, {" ", false}, {" a", false}, {"a ", false},
		{"a  b", false}, {"a\tb", false}, {"a\nb", false},
		{"a\x1b[2J", false}, {"a\x7f", false}, {"caf\xc3\xa9", false},
		{"a\xc2\xa0z", false}};
	char longest[TEXT_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			text_is_name(cases[i].text, strlen(cases[i].text)),
			cases[i].want);
	memset(longest, 'x', sizeof(longest));
	assert_true(text_is_name(longest, TEXT_NAME_MAX));
	assert_false(text_is_name(longest, TEXT_NAME_MAX + 1));
	assert_false(text_is_name("a\0b", 3));
}

static void err_long_message_cut(void **state)
{
	struct err err = ERR_EMPTY;
	char text[3000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(err_set(&err, ERR_HSM, "%s", text));
	assert_false(err_prefix(&err, "%s", "token"));
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(err.text, "token: xxx", 10);
	assert_int_equal(err.kind, ERR_HSM);
}

/* How many names the folder holds. */
static int folder_count(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2; /* . and .. */

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void file_write_keeps_old(void **state)
{
	char folder[] = "/tmp/test_base.XXXXXX";
	struct buf content = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	char path[64], *kept = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/f", folder);
	assert_true(file_write(path, "one", 3, &kept, &err));
	assert_null(kept);
	assert_true(file_write(path, "two", 3, &kept, &err));
	assert_non_null(kept);
	assert_true(file_read(kept, 3, &content, &err));
	assert_string_equal(buf_string(&content), "one");
	buf_clear(&content);
	assert_true(file_read(path, 3, &content, &err));
	assert_string_equal(buf_string(&content), "two");
	assert_int_equal(folder_count(folder), 2);
	unlink(kept);
	unlink(path);
	rmdir(folder);
	free(kept);
	buf_free(&content);
}

static void file_stage_unpublished_leaves_nothing(void **state)
{
	char folder[] = "/tmp/test_base.XXXXXX";
	struct file_stage *stage = NULL;
	struct err err = ERR_EMPTY;
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/f", folder);
	assert_true(file_stage_new(path, "one", 3, &stage, &err));
	assert_int_equal(folder_count(folder), 1);
	file_stage_free(stage);
	assert_int_equal(folder_count(folder), 0);
	rmdir(folder);
}

static void file_read_bounded(void **state)
{
	struct buf content = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_false(file_read("/dev/zero", 10, &content, &err));
	assert_false(file_read("/tmp", 10, &content, &err));
	assert_false(file_read("/nonexistent", 10, &content, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_false(file_read("/proc/self/maps", 10, &content, &err));
	assert_int_equal(content.len, 0);
	buf_free(&content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_good_accepted),
		cmocka_unit_test(number_bad_refused),
		cmocka_unit_test(time_good_round_trips),
		cmocka_unit_test(time_bad_refused),
		cmocka_unit_test(time_styles_written),
		cmocka_unit_test(time_calendar_agrees),
		cmocka_unit_test(time_zone_does_not_matter),
		cmocka_unit_test(duration_good_round_trips),
		cmocka_unit_test(duration_bad_refused),
		cmocka_unit_test(hex_round_trips_and_refuses),
		cmocka_unit_test(base64_good_round_trips),
		cmocka_unit_test(base64_bad_refused),
		cmocka_unit_test(base64_one_more_character_is_seen_anywhere),
		cmocka_unit_test(text_hostile_escaped),
		cmocka_unit_test(text_folded_between_words),
		cmocka_unit_test(text_names_are_one_line_and_look_like_one),
		cmocka_unit_test(err_long_message_cut),
		cmocka_unit_test(file_write_keeps_old),
		cmocka_unit_test(file_stage_unpublished_leaves_nothing),
		cmocka_unit_test(file_read_bounded),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
