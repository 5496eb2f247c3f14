/* SPDX-License-Identifier: ISC */
/*
 * Shows: a ceremony's journal becomes steps with times, exceptions and the
 * script that was played; the journal of a day that the power cut is two; what
 * is broken in one is named, and what is none is refused.  Matters: pages,
 * history and the check afterwards say what this has read.
 */
#include "unit.h"

#include "lib/base/buf.h"
#include "tools/ceremony/course.h"

#include <sys/stat.h>
#include <unistd.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct said {
	const char *kind, *text;
};

/* A folder of its own for each test. */
static int make_room(void **state)
{
	char path[] = "/tmp/keyroom-course-XXXXXX";

	*state = strdup(mkdtemp(path));
	return 0;
}

static int remove_room(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
	free(*state);
	return system(command);
}

static void write_journal(const char *folder, const void *data, size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/journal", folder);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* A journal of these lines; the hash of its last one. */
static struct journal journal_of(const char *folder, const struct said *lines,
	size_t count, struct buf *out)
{
	struct journal journal;
	struct err err = ERR_EMPTY;

	journal_start(&journal);
	assert_true(journal_line(
		&journal, "start", "release 1 (2), /x", out, &err));
	for (size_t i = 0; i < count; i++)
		assert_true(journal_line(
			&journal, lines[i].kind, lines[i].text, out, &err));
	write_journal(folder, out->data, out->len);
	return journal;
}

static struct course *read_one(const char *folder)
{
	struct course *course = NULL;
	struct err err = ERR_EMPTY;

	assert_true(course_read(&folder, 1, &course, &err));
	return course;
}

static const struct said day[] = {
	{"script", HASH " my script.md"},
	{"early", "2026-11-29T10:00:00Z step 1 begin"},
	{"early", "2026-11-29T10:01:00Z step 1 value Bag number: a: 7"},
	{"early", "2026-11-29T10:02:00Z step 1 end 0"},
	{"step", "2 begin"},
	{"step", "2 command ksrsigner \\xe2\\x80\\xa6 \\\\"},
	{"step", "2 confirm IW the words are those"},
	{"step", "2 end 3"},
	{"except", "1 2 the status was 3"},
	{"step", "3 begin"},
	{"step", "3 skip"},
	{"step", "3 end 0"},
	{"except", "2 3 no printer"},
	{"note", "of something else"},
	{"end", ""},
};
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void course_of_a_day_has_steps_with_times(void **state)
{
	struct buf bytes = BUF_EMPTY;
	struct journal journal = journal_of(*state, day, COUNT(day), &bytes);
	struct course *course = read_one(*state);
	const struct course_step *step = course_step(course, 1);

	assert_int_equal(course->problem_count, 0);
	assert_string_equal(course->script_sha256, HASH);
	assert_string_equal(course->script_name, "my script.md");
	assert_true(course->logs[0].ended);
	assert_string_equal(course->logs[0].hash, journal.hash);
	assert_int_equal(course->line_count, COUNT(day) + 1);
	assert_int_equal(course->step_count, 3);
	assert_int_equal(step->end - step->begin, 120);
	assert_true(step->events[0].line->early);
	assert_string_equal(step->events[1].name, "Bag number");
	assert_string_equal(step->events[1].text, "a: 7");
	step = course_step(course, 2);
	assert_string_equal(step->events[1].text, "ksrsigner \xe2\x80\xa6 \\");
	assert_string_equal(step->events[2].name, "IW");
	assert_int_equal(step->status, 3);
	assert_false(step->skipped);
	assert_true(course_step(course, 3)->skipped);
	assert_null(course_step(course, 4));
	assert_null(course_step(course, 4000000));
	assert_int_equal(course->exception_count, 2);
	assert_int_equal(course->exceptions[1].step, 3);
	assert_string_equal(course->exceptions[1].text, "no printer");
	course_free(course);
	buf_free(&bytes);
}

static void course_of_a_cut_day_is_two_journals(void **state)
{
	char one[128], two[128], after[160];
	const char *folders[] = {one, two};
	struct said first[] = {{"script", HASH " a.md"}, {"step", "1 begin"}};
	struct said second[] = {{"script", HASH " a.md"}, {"after", after},
		{"step", "1 begin"}, {"step", "1 end 0"}, {"end", ""}};
	struct buf bytes = BUF_EMPTY, other = BUF_EMPTY;
	struct course *course = NULL;
	struct err err = ERR_EMPTY;
	struct journal journal;

	snprintf(one, sizeof(one), "%s/1", (char *)*state);
	snprintf(two, sizeof(two), "%s/2", (char *)*state);
	assert_int_equal(mkdir(one, 0700) + mkdir(two, 0700), 0);
	journal = journal_of(one, first, 2, &bytes);
	/* As the power leaves it: half a line more. */
	buf_text(&bytes, "0123 4 2026");
	write_journal(one, bytes.data, bytes.len);
	snprintf(after, sizeof(after), "%s /media/x", journal.hash);
	journal_of(two, second, COUNT(second), &other);
	assert_true(course_read(folders, 2, &course, &err));
	assert_int_equal(course->problem_count, 0);
	assert_false(course->logs[0].ended);
	assert_int_equal(course_step(course, 1)->event_count, 3);
	course_free(course);
	/* Not in this order, and not without naming it. */
	folders[0] = two;
	folders[1] = one;
	assert_true(course_read(folders, 2, &course, &err));
	assert_int_equal(course->problem_count, 1);
	course_free(course);
	after[0] = after[0] == '0' ? '1' : '0';
	folders[0] = one;
	folders[1] = two;
	buf_clear(&other);
	journal_of(two, second, COUNT(second), &other);
	assert_true(course_read(folders, 2, &course, &err));
	assert_int_equal(course->problem_count, 1);
	assert_int_equal(course->problems[0].log, 1);
	course_free(course);
	buf_free(&bytes);
	buf_free(&other);
}

static void course_names_what_is_malformed(void **state)
{
	static const struct said bad[] = {
		{"step", "begin"},
		{"step", "0 begin"},
		{"step", "10000 begin"},
		{"step", "1"},
		{"step", "1 begin now"},
		{"step", "1 command"},
		{"step", "1 confirm IW"},
		{"step", "1 value Bag 7"},
		{"step", "1 end"},
		{"step", "1 end 256"},
		{"step", "1 end -1"},
		{"step", "1 beginning"},
		{"step", "99999999999 begin"},
		{"except", "1 x"},
		{"except", "1 2"},
		{"except", "2 1 first"},
		{"script", "0123 a.md"},
		{"script", HASH},
		{"script", HASH " "},
		{"after", HASH},
		{"early", "step 1 begin"},
		{"early", "2026-11-29T10:00:00Z note x"},
		{"early", "2026-13-29T10:00:00Z step 1 begin"},
		{"early", "2026-11-29T10:00:00Z step 1"},
		{"start", "again"},
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buf bytes = BUF_EMPTY;
		struct course *course;

		journal_of(*state, &bad[i], 1, &bytes);
		course = read_one(*state);
		if (course->problem_count != 1)
			print_error("%s %s\n", bad[i].kind, bad[i].text);
		assert_int_equal(course->problem_count, 1);
		assert_int_equal(course->problems[0].line, 2);
		assert_int_equal(course->step_count, 0);
		course_free(course);
		buf_free(&bytes);
	}
}

static void course_names_two_scripts(void **state)
{
	static const struct said lines[] = {
		{"script", HASH " a"}, {"script", OTHER " a"}};
	struct buf bytes = BUF_EMPTY;
	struct course *course;

	journal_of(*state, lines, 2, &bytes);
	course = read_one(*state);
	assert_int_equal(course->problem_count, 1);
	assert_string_equal(course->script_sha256, HASH);
	course_free(course);
	buf_free(&bytes);
}

static void course_names_a_broken_chain(void **state)
{
	struct buf bytes = BUF_EMPTY;
	struct course *course;
	char *line;

	journal_of(*state, day, COUNT(day), &bytes);
	/* One letter of the seventh line. */
	line = strstr(buf_string(&bytes), "those");
	*line = 'T';
	write_journal(*state, bytes.data, bytes.len);
	course = read_one(*state);
	assert_int_equal(course->problem_count, 1);
	assert_int_equal(course->problems[0].line, 8);
	course_free(course);
	/* And that line gone: the numbers tell it, too. */
	line = memrchr(bytes.data, '\n', (size_t)(line - (char *)bytes.data));
	{
		char *end = strchr(line + 1, '\n');

		memmove(line, end,
			bytes.len - (size_t)(end - (char *)bytes.data));
		bytes.len -= (size_t)(end - line);
	}
	write_journal(*state, bytes.data, bytes.len);
	course = read_one(*state);
	assert_true(course->problem_count > 1);
	assert_int_equal(course->problems[0].line, 8);
	course_free(course);
	buf_free(&bytes);
}

/* As the power leaves it, and as somebody leaves it who hides something. */
static void course_passes_what_the_power_cut_off(void **state)
{
	static const char torn[] = "0123 17\0\x1b\xff half a li";
	struct buf bytes = BUF_EMPTY;
	struct course *course;

	for (size_t end = 0; end < 2; end++) {
		size_t count = COUNT(day) - 1 + end;

		buf_clear(&bytes);
		journal_of(*state, day, count, &bytes);
		buf_bytes(&bytes, torn, sizeof(torn) - 1);
		write_journal(*state, bytes.data, bytes.len);
		course = read_one(*state);
		assert_int_equal(course->line_count, count + 1);
		assert_true(course->logs[0].torn);
		assert_int_equal(course->logs[0].ended, end);
		assert_int_equal(course->problem_count, end);
		if (end > 0)
			assert_int_equal(course->problems[0].line, count + 2);
		course_free(course);
	}
	buf_free(&bytes);
}

static void what_is_no_journal_is_refused(void **state)
{
	static const struct {
		const char *bytes, *why;
	} bad[] = {{"", "no line"}, {"half", "no line"},
		{"a\x1b\n", ":1: byte 0x1b"}, {"a\nb\r\n", ":2: byte 0x0d"}};
	const char *folder = *state;
	struct course *course = NULL;
	struct err err = ERR_EMPTY;

	assert_false(course_read(&folder, 1, &course, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	for (size_t i = 0; i < COUNT(bad); i++) {
		write_journal(folder, bad[i].bytes, strlen(bad[i].bytes));
		assert_false(course_read(&folder, 1, &course, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_non_null(strstr(err.text, bad[i].why));
		assert_null(course);
	}
	write_journal(folder, "x\n\nHASH 3\n", 10);
	assert_true(course_read(&folder, 1, &course, &err));
	assert_int_equal(course->problem_count, 3);
	course_free(course);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			course_passes_what_the_power_cut_off, make_room,
			remove_room),
		cmocka_unit_test_setup_teardown(
			course_of_a_day_has_steps_with_times, make_room,
			remove_room),
		cmocka_unit_test_setup_teardown(
			course_of_a_cut_day_is_two_journals, make_room,
			remove_room),
		cmocka_unit_test_setup_teardown(
			course_names_what_is_malformed, make_room, remove_room),
		cmocka_unit_test_setup_teardown(
			course_names_two_scripts, make_room, remove_room),
		cmocka_unit_test_setup_teardown(
			course_names_a_broken_chain, make_room, remove_room),
		cmocka_unit_test_setup_teardown(
			what_is_no_journal_is_refused, make_room, remove_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
