/* SPDX-License-Identifier: ISC */
/*
 * Shows: names that come from outside become safe names, text on its way to
 * paper loses what a terminal would have obeyed, the journal's chain breaks
 * where a line was touched, drives are compared in one order.  Matters: this
 * is the record that outlives the ceremony.
 */
#include "unit.h"

#include "ceremony/feed.h"
#include "ceremony/journal.h"
#include "ceremony/page.h"
#include "ceremony/plain.h"
#include "ceremony/report.h"
#include "ceremony/tree.h"

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

static void check_plain(
	enum plain_kind kind, const char *text, const char *expected)
{
	struct buf in = BUF_EMPTY, out = BUF_EMPTY;

	buf_text(&in, text);
	plain_text(kind, &in, &out);
	assert_string_equal(buf_string(&out), expected);
	buf_free(&in);
	buf_free(&out);
}

static void plain_text_shows_every_byte(void **state)
{
	(void)state;
	check_plain(PLAIN_TEXT, "", "");
	check_plain(PLAIN_TEXT, "no newline", "no newline\n");
	check_plain(PLAIN_TEXT, "a\tb\r\n", "a       b\n");
	check_plain(PLAIN_TEXT, "12345678\tb", "12345678        b\n");
	check_plain(PLAIN_TEXT, "a\rb", "a\\x0db\n");
	check_plain(PLAIN_TEXT, "\x1b[2J\xff", "\\x1b[2J\\xff\n");
	check_plain(PLAIN_TEXT, "\n\n", "\n\n");
}

static void plain_log_leaves_out_only_whole_prefixes(void **state)
{
	static const char stamp[] = "2026-11-22T05:30:00Z: [INFO] ";
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "%sx", stamp);
	check_plain(PLAIN_LOG, text, "x\n");
	check_plain(PLAIN_TEXT, text, "2026-11-22T05:30:00Z: [INFO] x\n");
	check_plain(PLAIN_LOG, stamp, "\n");
	/* Every shorter beginning is text. */
	for (size_t len = 1; len < sizeof(stamp) - 1; len++) {
		char expected[sizeof(stamp) + 1] = {0};

		memcpy(expected, stamp, len);
		memcpy(text, expected, sizeof(expected));
		expected[len] = '\n';
		check_plain(PLAIN_LOG, text, expected);
	}
}

static void plain_script_obeys_the_line_editor(void **state)
{
	(void)state;
	check_plain(PLAIN_SCRIPT, "\x1b[1;31mred\x1b[0m", "red\n");
	check_plain(PLAIN_SCRIPT, "10 %\r100 %\r\n", "100 %\n");
	check_plain(PLAIN_SCRIPT, "abc\b\bX\x1b[K\n", "aX\n");
	check_plain(PLAIN_SCRIPT, "\b\b\bx\n", "x\n");
	check_plain(PLAIN_SCRIPT, "a\x1b[3Cb\n", "a   b\n");
	check_plain(PLAIN_SCRIPT, "abcd\x1b[9Dx\n", "xbcd\n");
	check_plain(PLAIN_SCRIPT, "\x1b]0;title\x07y\n", "y\n");
	check_plain(PLAIN_SCRIPT, "end \x1b", "end \n");
	check_plain(PLAIN_SCRIPT, "end \x1b[", "end \n");
}

static void journal_write(struct buf *out, size_t lines)
{
	struct err err = ERR_EMPTY;
	struct journal journal;

	journal_start(&journal);
	for (size_t i = 0; i < lines; i++)
		assert_true(journal_line(
			&journal, "note", "text\n\x1b", out, &err));
}

/* The number of lines that are good. */
static size_t journal_read(struct buf *text)
{
	struct journal_entry entry;
	struct err err = ERR_EMPTY;
	struct journal journal;
	char *copy = strdup(buf_string(text)), *p = copy;

	journal_start(&journal);
	while (*p != '\0' && journal_check(&journal, &p, &entry, &err)) {
		assert_string_equal(entry.kind, "note");
		assert_string_equal(entry.text, "text\\x0a\\x1b");
	}
	free(copy);
	return journal.lines;
}

static void journal_chain_holds(void **state)
{
	struct buf text = BUF_EMPTY;

	(void)state;
	journal_write(&text, 5);
	assert_int_equal(journal_read(&text), 5);
	buf_free(&text);
}

static void journal_byte_changed_is_found_in_its_line(void **state)
{
	struct buf text = BUF_EMPTY;
	size_t line = 0;

	(void)state;
	journal_write(&text, 3);
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = text.data[i];

		text.data[i] = byte == 'x' ? 'y' : 'x';
		assert_true(journal_read(&text) <= line);
		text.data[i] = byte;
		line += byte == '\n';
	}
	assert_int_equal(journal_read(&text), 3);
	buf_free(&text);
}

static void words_stand_in_columns(void **state)
{
	uint8_t hash[CRYPTO_SHA256_LEN];
	struct buf out = BUF_EMPTY;
	size_t lines = 0, width = 0;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		memset(hash, byte, sizeof(hash));
		buf_clear(&out);
		report_hash(&out, hash);
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
	static const uint8_t hash[CRYPTO_SHA256_LEN];
	struct buf lines = BUF_EMPTY, pdf = BUF_EMPTY;
	struct page_text text = {
		.title = "(\\)", .release = "0", .hash = hash, .lines = &lines};
	struct err err = ERR_EMPTY;

	(void)state;
	assert_null(page_paper("a3"));
	assert_true(page_pdf(&text, page_paper("a4"), &pdf, &err));
	assert_non_null(strstr(buf_string(&pdf) + 20, "page 1 of 1"));
	assert_non_null(strstr(buf_string(&pdf) + 20, "(\\(\\\\\\))"));
	buf_free(&pdf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feed_names_are_plain),
		cmocka_unit_test(feed_name_replaces_what_is_not_plain),
		cmocka_unit_test(plain_text_shows_every_byte),
		cmocka_unit_test(plain_log_leaves_out_only_whole_prefixes),
		cmocka_unit_test(plain_script_obeys_the_line_editor),
		cmocka_unit_test(journal_chain_holds),
		cmocka_unit_test(journal_byte_changed_is_found_in_its_line),
		cmocka_unit_test(words_stand_in_columns),
		cmocka_unit_test(tree_order_is_that_of_whole_paths),
		cmocka_unit_test(page_of_nothing_is_one_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
