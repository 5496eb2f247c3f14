/* SPDX-License-Identifier: ISC */
/*
 * Text as pages for the printer, with what tells one sheet from another: file
 * name, page, release, SHA-256 as digits, words and QR code.
 */
#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "ceremony/feed.h"
#include "ceremony/page.h"
#include "ceremony/plain.h"
#include "show/options.h"

#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)

static bool log_lines, script, picture;
static const char *title, *paper_name;

static const struct option_entry options[] = {
	{"log", 'l', OPTION_FLAG, NULL, "leave out times and levels of a log",
		&log_lines},
	{"script", 's', OPTION_FLAG, NULL,
		"a terminal recording: leave out escape sequences", &script},
	{"picture", 'P', OPTION_FLAG, NULL, "a picture in PNG, not text",
		&picture},
	{"title", 't', OPTION_VALUE, "TEXT", "instead of the file's name",
		&title},
	{"paper", 'p', OPTION_VALUE, "NAME", "a4 or letter (if not given)",
		&paper_name},
	{0},
};

static const char *const usage[] = {"[--log | --script | --picture] "
				    "[--title TEXT] [FILE] >PDF",
	NULL};

static const struct option_program program = {
	.name = "text2pdf",
	.purpose = "Set text or a picture on pages, as PDF on standard output.",
	.usage = usage,
	.options = options,
};

static bool is_rehearsal(void)
{
	struct buf path = BUF_EMPTY;
	bool found;

	buf_format(&path, "%s/rehearsal", feed_run_folder());
	found = access(buf_string(&path), F_OK) == 0;
	buf_free(&path);
	return found;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static bool set_text(const struct page_text *text, const struct buf *data,
	const struct page_paper *paper, struct buf *pdf, struct err *err)
{
	enum plain_kind kind = log_lines ? PLAIN_LOG
			       : script  ? PLAIN_SCRIPT
					 : PLAIN_TEXT;
	struct buf lines = BUF_EMPTY;
	struct page_text whole = *text;
	bool ok;

	plain_text(kind, data, &lines);
	whole.lines = &lines;
	ok = buf_ok(&lines, err) && page_pdf(&whole, paper, pdf, err);
	buf_free(&lines);
	return ok;
}

static bool set_picture(const struct page_text *text, const struct buf *data,
	const struct page_paper *paper, struct buf *pdf, struct err *err)
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
	const struct page_paper *paper, struct err *err)
{
	struct buf shown = BUF_EMPTY, pdf = BUF_EMPTY;
	uint8_t hash[CRYPTO_SHA256_LEN];
	struct page_text text = {.release = version_release,
		.rehearsal = is_rehearsal(),
		.hash = hash};
	bool ok;

	text_escape(&shown, name, strlen(name));
	text.title = buf_string(&shown);
	ok = buf_ok(&shown, err) &&
	     crypto_sha256(data->data, data->len, hash, err) &&
	     (picture ? set_picture(&text, data, paper, &pdf, err)
		      : set_text(&text, data, paper, &pdf, err)) &&
	     file_write_fd(
		     STDOUT_FILENO, "standard output", pdf.data, pdf.len, err);
	buf_free(&shown);
	buf_free(&pdf);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	const char *name = given->count > 0 ? given->operands[0] : "-";
	bool from_pipe = strcmp(name, "-") == 0;
	const struct page_paper *paper;
	struct buf data = BUF_EMPTY;
	bool ok;

	if (given->count > 1 || log_lines + script + picture > 1)
		return err_set(err, ERR_USAGE,
			"give one file, and not two of --log, --script and "
			"--picture");
	paper = page_paper(paper_name != NULL ? paper_name : "letter");
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
