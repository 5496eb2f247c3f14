/* SPDX-License-Identifier: ISC */
/*
 * Shows: names that come from outside become safe names, text on its way to
 * paper loses what a terminal would have obeyed, the journal's chain is the
 * one that others check, a serial line's records have their times, drives are
 * compared in one order.  Matters: this is the record that outlives the
 * ceremony.
 */
#include "unit.h"

#include "lib/base/buf.h"
#include "lib/cli/feed.h"
#include "lib/cli/hash.h"
#include "lib/hash/sha256.h"
#include "tools/evidence/journal.h"
#include "tools/evidence/timed.h"
#include "tools/evidence/tree.h"
#include "tools/paper/page.h"
#include "tools/paper/plain.h"
#include "tools/paper/replay.h"

#include <sys/stat.h>
#include <unistd.h>

static void feed_names_are_plain(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".hidden", "-rf",
		"a/b", "a b", "a\n", "gr\xc3\xbc", "a\x1b"};
	static const char *const good[] = {
		"a", "terminal-tty1.typescript", "A_b-1.log"};
	char longest[FEED_NAME_MAX + 2] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(feed_is_name(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(feed_is_name(good[i]));
	memset(longest, 'a', FEED_NAME_MAX + 1);
	assert_false(feed_is_name(longest));
	longest[FEED_NAME_MAX] = '\0';
	assert_true(feed_is_name(longest));
}

static void feed_name_replaces_what_is_not_plain(void **state)
{
	struct buf out = BUF_EMPTY;

	(void)state;
	feed_name(&out, "/dev/tty USB\n\x1b*");
	assert_string_equal(buf_string(&out), "tty_USB___");
	buf_free(&out);
}

static void check_plain(bool log, const char *text, const char *expected)
{
	struct buf in = BUF_EMPTY, out = BUF_EMPTY;

	buf_text(&in, text);
	plain_text(log, &in, &out);
	assert_string_equal(buf_string(&out), expected);
	buf_free(&in);
	buf_free(&out);
}

static void plain_text_shows_every_byte(void **state)
{
	(void)state;
	check_plain(false, "", "");
	check_plain(false, "no newline", "no newline\n");
	check_plain(false, "a\tb\r\n", "a       b\n");
	check_plain(false, "12345678\tb", "12345678        b\n");
	check_plain(false, "a\rb", "a\\x0db\n");
	check_plain(false, "\x1b[2J\xff", "\\x1b[2J\\xff\n");
	check_plain(false, "Gr\303\274\303\t\302\205",
		"Gr\303\274\\xc3 \\xc2\\x85\n");
	check_plain(false, "\n\n", "\n\n");
}

static void plain_log_leaves_out_only_whole_prefixes(void **state)
{
	static const char stamp[] = "2026-11-22T05:30:00Z: [INFO] ";
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "%sx", stamp);
	check_plain(true, text, "x\n");
	check_plain(false, text, "2026-11-22T05:30:00Z: [INFO] x\n");
	check_plain(true, stamp, "\n");
	/* Every shorter beginning is text. */
	for (size_t len = 1; len < sizeof(stamp) - 1; len++) {
		char expected[sizeof(stamp) + 1] = {0};

		memcpy(expected, stamp, len);
		memcpy(text, expected, sizeof(expected));
		expected[len] = '\n';
		check_plain(true, text, expected);
	}
}

static void check_replay(const char *text, const char *expected)
{
	struct buf in = BUF_EMPTY, out = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	buf_text(&in, text);
	assert_true(replay_lines(&in, &out, &err));
	assert_string_equal(buf_string(&out), expected);
	buf_free(&in);
	buf_free(&out);
}

static void replay_shows_what_a_terminal_shows(void **state)
{
	(void)state;
	check_replay("", "");
	check_replay("\x1b[1;31mred\x1b[0m", "red\n");
	check_replay("10 %\r100 %\r\n", "100 %\n");
	check_replay("abc\b\bX\x1b[K\n", "aX\n");
	check_replay("a\x1b[3Cb\r\n", "a   b\n");
	check_replay("abcd\x1b[9Dx\r\n", "xbcd\n");
	check_replay("\x1b]0;title\x07y\r\n", "y\n");
	check_replay("end \x1b[", "end\n");
	check_replay("Gr\303\274\303\237e\377\r\n",
		"Gr\303\274\303\237e\357\277\275\n");
	check_replay("one\r\n\x1b[H\x1b[2Jtwo\r\n", "one\ntwo\n");
}

static void replay_says_what_it_leaves_out(void **state)
{
	(void)state;
	check_replay("a\r\n\x1b]0;never ended\r\nlost\x1b[0mb\r\n",
		"a\n\001[left out: 19 bytes of a string that nobody ended]\nb\n");
	check_replay("a\x1b]0;x",
		"a\n\001[left out: 3 bytes of a string that nobody ended]\n");
	check_replay("$ less\r\n\x1b[?1049hpage\x1b[?1049l$ \r\n",
		"$ less\n\001[the alternate screen, as last seen:]\n\002page\n\001[end of the alternate screen]\n$\n");
}

/* The hash that a line must have after this one, by journal.h's words. */
static void expect_hash(const char *before, const char *rest, char out[65])
{
	struct err err = ERR_EMPTY;
	struct buf text = BUF_EMPTY;
	uint8_t hash[SHA256_LEN];

	buf_format(&text, "%s %s", before, rest);
	assert_true(sha256_of(text.data, text.len, hash, &err));
	for (size_t i = 0; i < SHA256_LEN; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	buf_free(&text);
}

static void journal_chain_is_as_described(void **state)
{
	char before[65], hash[65];
	struct err err = ERR_EMPTY;
	struct buf text = BUF_EMPTY;
	struct journal journal;

	(void)state;
	memset(before, '0', 64);
	before[64] = '\0';
	journal_start(&journal);
	for (int i = 0; i < 5; i++) {
		char *rest, number[16];

		buf_clear(&text);
		assert_true(
			journal_line(&journal, "note", "a text", &text, &err));
		buf_string(&text);
		rest = (char *)text.data + 65;
		rest[-1] = '\0';
		rest[strlen(rest) - 1] = '\0';
		expect_hash(before, rest, hash);
		assert_string_equal((char *)text.data, hash);
		assert_string_equal(journal.hash, hash);
		snprintf(number, sizeof(number), "%d ", i + 1);
		assert_memory_equal(rest, number, strlen(number));
		assert_non_null(strstr(rest, "Z note a text"));
		strcpy(before, hash);
	}
	buf_free(&text);
}

static void journal_line_that_is_not_printable_is_refused(void **state)
{
	static const char *const bad[] = {"a\nb", "\x1b", "\x7f", "gr\xc3\xbc"};
	struct buf text = BUF_EMPTY;
	struct journal journal;

	(void)state;
	journal_start(&journal);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = ERR_EMPTY;

		assert_false(
			journal_line(&journal, "note", bad[i], &text, &err));
		assert_int_equal(err.kind, ERR_INPUT);
	}
	assert_int_equal(text.len, 0);
	assert_int_equal(journal.lines, 0);
}

/* What arrived, and how many milliseconds after what came before. */
struct arrival {
	int after;
	const char *bytes;
};

#define T "1970-01-01T00:00:00Z"

static void records_end_where_a_terminal_ends_a_line(void **state)
{
	static const struct {
		struct arrival arrivals[4];
		const char *file, *view;
	} cases[] = {
		{{{0, "a\nb\n"}}, T " a\n" T " b\n", T " a\n" T " b\n"},
		{{{0, "a\r\nb"}}, T " a\r\n" T " b", T " a\n" T " b"},
		{{{0, "a\rb\rc"}}, T " a\r\n" T "-b\r\n" T "-c",
			T " a\\x0d\n" T "-b\\x0d\n" T "-c"},
		{{{0, "a\r"}, {5000, "\nb"}}, T " a\r\n" T " b",
			T " a\n" T " b"},
		{{{0, "a\r\r\n"}, {0, "b"}}, T " a\r\r\n" T " b",
			T " a\\x0d\n" T " b"},
		{{{0, "a\n\r> "}}, T " a\n" T " \r\n" T "-> ",
			T " a\n" T " \\x0d\n" T "-> "},
		{{{0, "login: "}, {999, "x"}, {1000, "root\n"}},
			T " login: x\n" T "-root\n",
			T " login: x\n" T "-root\n"},
		{{{0, "done"}, {1000, "\r\n"}}, T " done\n" T "-\r\n",
			T " done\n" T "-\n"},
		{{{0, "\x1b\\\xff\n"}}, T " \x1b\\\xff\n",
			T " \\x1b\\\\\\xff\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf file = BUF_EMPTY, view = BUF_EMPTY;
		struct timed timed = {.open = false};
		int64_t clock = 0;

		for (const struct arrival *a = cases[i].arrivals;
			a < cases[i].arrivals + 4 && a->bytes != NULL; a++) {
			clock += a->after;
			timed_bytes(&timed, (const uint8_t *)a->bytes,
				strlen(a->bytes), 0, clock, &file, &view);
		}
		assert_string_equal(buf_string(&file), cases[i].file);
		assert_string_equal(buf_string(&view), cases[i].view);
		buf_free(&file);
		buf_free(&view);
	}
}

static void record_that_a_remark_breaks_off_says_so(void **state)
{
	struct buf file = BUF_EMPTY, view = BUF_EMPTY;
	struct timed timed = {.open = false};

	(void)state;
	timed_remark(&timed, "one", 0, &file, &view);
	timed_bytes(&timed, (const uint8_t *)"a\r", 2, 0, 0, &file, &view);
	timed_remark(&timed, "two", 0, &file, &view);
	assert_string_equal(
		buf_string(&file), T "# one\n" T " a\r\n" T "+ two\n");
	assert_string_equal(
		buf_string(&view), T "# one\n" T " a\\x0d\n" T "+ two\n");
	buf_free(&file);
	buf_free(&view);
}

static void words_stand_in_columns(void **state)
{
	uint8_t hash[SHA256_LEN];
	struct buf out = BUF_EMPTY;
	size_t lines = 0, width = 0;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		memset(hash, byte, sizeof(hash));
		buf_clear(&out);
		hash_block(&out, hash);
		lines = 0;
		for (const char *p = buf_string(&out); *p != '\0'; lines++) {
			size_t len = strcspn(p, "\n");

			width = len > width ? len : width;
			p += len + 1;
		}
		assert_int_equal(lines, 9);
	}
	assert_true(width <= 80);
	buf_free(&out);
}

static void put_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void tree_order_is_that_of_whole_paths(void **state)
{
	static const char *const expected[] = {"B", "a-b", "a/b", "a0"};
	char folder[] = "/tmp/keyroom-tree-XXXXXX", command[64];
	struct tree tree = {.root = NULL};
	struct err err = ERR_EMPTY;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command), "%s/a", folder);
	assert_int_equal(mkdir(command, 0755), 0);
	for (size_t i = 4; i-- > 0;)
		put_file(folder, expected[i], expected[i]);
	assert_true(tree_read(folder, &tree, &err));
	assert_int_equal(tree.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(tree.files[i].path, expected[i]);
	tree_free(&tree);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void page_of_nothing_is_one_page(void **state)
{
	static const uint8_t hash[SHA256_LEN];
	struct buf lines = BUF_EMPTY, pdf = BUF_EMPTY, again = BUF_EMPTY;
	struct page_text text = {
		.about = {.title = "(\\)", .release = "0", .hash = hash},
		.lines = &lines};
	struct err err = ERR_EMPTY;

	(void)state;
	assert_null(sheet_paper("a3"));
	assert_true(page_pdf(&text, sheet_paper("a4"), &pdf, &err));
	assert_non_null(memmem(pdf.data, pdf.len, "000, 1 pages", 12));
	assert_true(page_pdf(&text, sheet_paper("a4"), &again, &err));
	assert_true(buf_equal(&pdf, &again));
	buf_free(&pdf);
	buf_free(&again);
}

static void page_without_end_is_refused(void **state)
{
	static const uint8_t hash[SHA256_LEN];
	struct buf lines = BUF_EMPTY, pdf = BUF_EMPTY;
	struct page_text text = {
		.about = {.title = "x", .release = "0", .hash = hash},
		.lines = &lines};
	struct err err = ERR_EMPTY;

	(void)state;
	for (int i = 0; i <= PAGE_MAX * PAGE_LINES; i++)
		buf_u8(&lines, '\n');
	assert_false(page_pdf(&text, sheet_paper("a4"), &pdf, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "2001 pages"));
	assert_int_equal(pdf.len, 0);
	buf_free(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feed_names_are_plain),
		cmocka_unit_test(feed_name_replaces_what_is_not_plain),
		cmocka_unit_test(plain_text_shows_every_byte),
		cmocka_unit_test(plain_log_leaves_out_only_whole_prefixes),
		cmocka_unit_test(replay_shows_what_a_terminal_shows),
		cmocka_unit_test(replay_says_what_it_leaves_out),
		cmocka_unit_test(journal_chain_is_as_described),
		cmocka_unit_test(journal_line_that_is_not_printable_is_refused),
		cmocka_unit_test(records_end_where_a_terminal_ends_a_line),
		cmocka_unit_test(record_that_a_remark_breaks_off_says_so),
		cmocka_unit_test(words_stand_in_columns),
		cmocka_unit_test(tree_order_is_that_of_whole_paths),
		cmocka_unit_test(page_of_nothing_is_one_page),
		cmocka_unit_test(page_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
