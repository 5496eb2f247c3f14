/* SPDX-License-Identifier: ISC */
/*
 * Text as pages for the printer, with what tells one sheet from another: file
 * name, page, release, SHA-256 as digits, words and QR code.
 */
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/version.h"
#include "lib/cli/marked.h"
#include "lib/cli/options.h"
#include "lib/cli/place.h"
#include "lib/cli/print.h"
#include "lib/hash/sha256.h"
#include "tools/paper/page.h"
#include "tools/paper/plain.h"
#include "tools/paper/replay.h"

#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)

static bool log_lines, script, picture, as_text, main_only;
static const char *title, *paper_name;

static const struct option_entry options[] = {
	{"log", 'l', OPTION_FLAG, NULL, "leave out times and levels of a log",
		&log_lines},
	{"script", 's', OPTION_FLAG, NULL,
		"a terminal recording: what the terminal showed", &script},
	{"picture", 'P', OPTION_FLAG, NULL, "a picture in PNG, not text",
		&picture},
	{"text", 'T', OPTION_FLAG, NULL, "write the lines as text, not PDF",
		&as_text},
	{"main", 'm', OPTION_FLAG, NULL,
		"text: neither alternate screens nor notes", &main_only},
	{"title", 't', OPTION_VALUE, "TEXT", "instead of the file's name",
		&title},
	{"paper", 'p', OPTION_VALUE, "NAME", "a4 or letter (if not given)",
		&paper_name},
	{0},
};

static const char *const usage[] = {
	"[--log | --script | --picture] [--title TEXT] [FILE] >PDF",
	"[--log | --script] --text [--main] [FILE]", NULL};

static const struct option_program program = {
	.name = "text2pdf",
	.purpose = "Set text or a picture on pages, as PDF on standard output.",
	.usage = usage,
	.options = options,
};

static bool is_there(const char *name)
{
	struct buf path = BUF_EMPTY;
	bool found;

	place(&path, name);
	found = access(buf_string(&path), F_OK) == 0;
	buf_free(&path);
	return found;
}

/* What the prompt of this disc says, too. */
static const char *choose_mark(void)
{
	static const char *const marks[2][2] = {
		{NULL, "EXPERIMENT"}, {"REHEARSAL", "REHEARSAL EXPERIMENT"}};

	return marks[is_there(PLACE_RUN "/rehearsal")]
		    [is_there(MARKED_EXPERIMENT)];
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* What is set on pages, line by line. */
static bool make_lines(
	const struct buf *data, struct buf *lines, struct err *err)
{
	if (script)
		return replay_lines(data, lines, err);
	plain_text(log_lines, data, lines);
	return buf_ok(lines, err);
}

static bool set_text(const struct page_text *text, const struct buf *data,
	const struct sheet_paper *paper, struct buf *pdf, struct err *err)
{
	struct buf lines = BUF_EMPTY;
	struct page_text whole = *text;
	bool ok;

	whole.lines = &lines;
	ok = make_lines(data, &lines, err) && page_pdf(&whole, paper, pdf, err);
	buf_free(&lines);
	return ok;
}

static bool is_mark(uint8_t byte)
{
	return byte == PAGE_NOTE || byte == PAGE_ASIDE;
}

/* *at is then that of its end. */
static void skip_line(const struct buf *lines, size_t *at)
{
	while (*at < lines->len && lines->data[*at] != '\n')
		++*at;
}

/* For the screen: the margin's marks are before the lines. */
static bool show_text(const struct buf *data, struct buf *out, struct err *err)
{
	struct buf lines = BUF_EMPTY;
	bool ok = make_lines(data, &lines, err);

	for (size_t i = 0; ok && i < lines.len; i++)
		if (main_only && is_mark(lines.data[i]))
			skip_line(&lines, &i);
		else if (lines.data[i] == PAGE_NOTE)
			buf_text(out, "* ");
		else if (lines.data[i] == PAGE_ASIDE)
			buf_text(out, "| ");
		else
			buf_u8(out, lines.data[i]);
	buf_free(&lines);
	return ok && buf_ok(out, err);
}

static bool set_picture(const struct page_text *text, const struct buf *data,
	const struct sheet_paper *paper, struct buf *pdf, struct err *err)
{
	struct picture shown;
	bool ok;

	if (!picture_read(data, &shown, err))
		return false;
	ok = page_picture(text, &shown, paper, pdf, err);
	picture_free(&shown);
	return ok;
}

/* Everything is in memory before the first byte goes out. */
static bool convert(const char *name, const struct buf *data,
	const struct sheet_paper *paper, struct err *err)
{
	struct buf pdf = BUF_EMPTY;
	uint8_t hash[SHA256_LEN];
	struct page_text text = {.about = {.title = name,
					 .release = version_release,
					 .mark = choose_mark(),
					 .hash = hash}};
	bool ok;

	ok = sha256_of(data->data, data->len, hash, err) &&
	     (as_text          ? show_text(data, &pdf, err)
		     : picture ? set_picture(&text, data, paper, &pdf, err)
			       : set_text(&text, data, paper, &pdf, err)) &&
	     print_text(&pdf, err);
	buf_free(&pdf);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	const char *name = given->count > 0 ? given->operands[0] : "-";
	bool from_pipe = strcmp(name, "-") == 0;
	const struct sheet_paper *paper;
	struct buf data = BUF_EMPTY;
	bool ok;

	if (given->count > 1 || log_lines + script + picture > 1)
		return err_set(err, ERR_USAGE,
			"give one file, and not two of --log, --script and --picture");
	if (picture && as_text)
		return err_set(err, ERR_USAGE, "a picture is no text");
	if (main_only && !as_text)
		return err_set(err, ERR_USAGE, "--main belongs to --text");
	paper = sheet_paper(paper_name != NULL ? paper_name : "letter");
	if (paper == NULL)
		return err_set(
			err, ERR_USAGE, "unknown paper \"%s\"", paper_name);
	ok = from_pipe ? file_read_fd(STDIN_FILENO, "standard input", FILE_MAX,
				 &data, err)
		       : file_read(name, FILE_MAX, &data, err);
	if (ok && title == NULL)
		title = from_pipe ? "standard input" : base_name(name);
	ok = ok && convert(title, &data, paper, err);
	buf_free(&data);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
