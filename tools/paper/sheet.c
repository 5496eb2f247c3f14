/* SPDX-License-Identifier: ISC */
#include "tools/paper/sheet.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/utf8.h"
#include "lib/cli/words.h"
#include "lib/hash/sha256.h"
#include "tools/paper/qr.h"

#include <string.h>

#define QR_SIZE 80.0 /* without the quiet zone */
#define TITLE_MAX 62 /* columns */
/* Columns of a mark that such a title leaves room for. */
#define MARK_ROOM 9
#define WORDS_A_LINE 8

static const struct sheet_paper papers[] = {
	{"a4", 595, 842},
	{"letter", 612, 792},
};

const struct sheet_paper *sheet_paper(const char *name)
{
	for (size_t i = 0; i < sizeof(papers) / sizeof(*papers); i++)
		if (strcmp(papers[i].name, name) == 0)
			return &papers[i];
	return NULL;
}

void sheet_put(struct sheet *sheet, bool bold, double size, double x, double y,
	const char *text)
{
	pdf_text(sheet->pdf, bold, size, x, y, text, strlen(text));
}

/* Dark modules, runs of a row in one rectangle; x, y is its upper left. */
static void put_qr(struct pdf *pdf, const struct qr *qr, double x, double y)
{
	size_t width = qr_width(qr);
	double module = QR_SIZE / (double)width;

	for (size_t row = 0; row < width; row++)
		for (size_t column = 0; column < width; column++) {
			size_t run = 0;

			while (column + run < width &&
				qr_is_dark(qr, column + run, row))
				run++;
			if (run == 0)
				continue;
			pdf_rectangle(pdf, x + (double)column * module,
				y - (double)(row + 1) * module,
				(double)run * module, module);
			column += run;
		}
	pdf_fill(pdf);
}

static void put_header(struct sheet *sheet, size_t page)
{
	double y = sheet->paper->height - SHEET_MARGIN - SHEET_FONT;
	struct buf number = BUF_EMPTY;

	sheet_put(sheet, true, SHEET_FONT, SHEET_MARGIN, y,
		buf_string(&sheet->title));
	if (sheet->about->mark != NULL)
		buf_format(&number, "%s  ", sheet->about->mark);
	buf_format(&number, "page %zu of %zu", page, sheet->pages);
	sheet_put(sheet, true, SHEET_FONT,
		SHEET_RIGHT - SHEET_FONT * PDF_ADVANCE * (double)number.len, y,
		buf_string(&number));
	pdf_rule(sheet->pdf, SHEET_MARGIN, y - 4, SHEET_RIGHT - SHEET_MARGIN);
	buf_free(&number);
}

/* The same on every page, so that one sheet is enough to compare. */
static void put_footer(struct sheet *sheet)
{
	const struct sheet_about *about = sheet->about;
	struct buf line = BUF_EMPTY;
	double y = SHEET_MARGIN + SHEET_FOOTER - SHEET_SMALL - 4;

	pdf_rule(sheet->pdf, SHEET_MARGIN, SHEET_MARGIN + SHEET_FOOTER,
		SHEET_RIGHT - SHEET_MARGIN);
	put_qr(sheet->pdf, sheet->qr, SHEET_RIGHT - QR_SIZE,
		SHEET_MARGIN + SHEET_FOOTER - 6);
	buf_format(&line, "Keyroom %s", about->release);
	if (about->mark != NULL)
		buf_format(&line, "  %s", about->mark);
	sheet_put(
		sheet, false, SHEET_SMALL, SHEET_MARGIN, y, buf_string(&line));
	buf_clear(&line);
	buf_text(&line, "SHA-256 of the file: ");
	hex_encode(&line, about->hash, SHA256_LEN);
	sheet_put(sheet, true, SHEET_SMALL, SHEET_MARGIN, y - 12,
		buf_string(&line));
	y -= 26;
	for (size_t i = 0; i < SHA256_LEN; i += WORDS_A_LINE) {
		buf_clear(&line);
		/* WORDS_A_LINE is even: each line begins with an even word. */
		words_write(&line, about->hash + i, WORDS_A_LINE, 0);
		sheet_put(sheet, false, SHEET_SMALL + 1, SHEET_MARGIN, y,
			buf_string(&line));
		y -= 10;
	}
	buf_free(&line);
}

/* Append a line as it can be set: every character is one column. */
void sheet_settable(
	const struct pdf *pdf, const char *line, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len;) {
		uint32_t character = 0;
		size_t bytes = utf8_read(line + i, len - i, &character);

		if (bytes == 0)
			buf_format(out, "\\x%02x", (uint8_t)line[i]);
		else if (utf8_is_shown(character) && pdf_has(pdf, character))
			buf_bytes(out, line + i, bytes);
		else
			buf_format(out,
				character > 0xffff ? "\\U%08lx" : "\\u%04lx",
				(unsigned long)character);
		i += bytes > 0 ? bytes : 1;
	}
}

/* The code on every page: which file this is. */
static bool make_code(struct sheet *sheet, struct err *err)
{
	struct buf code = BUF_EMPTY;
	bool ok;

	buf_text(&code, "SHA256:");
	hex_encode_upper(&code, sheet->about->hash, SHA256_LEN);
	ok = buf_ok(&code, err) && qr_new(buf_string(&code), &sheet->qr, err);
	buf_free(&code);
	return ok;
}

/* Cut where it would run into the page's number. */
static void make_title(struct sheet *sheet)
{
	const char *text = sheet->about->mark;
	size_t most = TITLE_MAX, at = 0;

	if (text != NULL && strlen(text) > MARK_ROOM)
		most -= strlen(text) - MARK_ROOM;
	sheet_settable(sheet->pdf, sheet->about->title,
		strlen(sheet->about->title), &sheet->title);
	text = buf_string(&sheet->title);
	for (size_t i = 0; i < most && at < sheet->title.len; i++)
		at += utf8_len((uint8_t)text[at]);
	sheet->title.len = at;
}

bool sheet_open(struct sheet *sheet, const struct sheet_about *about,
	const struct sheet_paper *paper, struct err *err)
{
	*sheet = (struct sheet){.about = about, .paper = paper, .pages = 1};
	if (!pdf_new(&sheet->pdf, err) || !make_code(sheet, err))
		return false;
	make_title(sheet);
	return buf_ok(&sheet->title, err);
}

bool sheet_end(struct sheet *sheet, struct buf *out, struct err *err)
{
	struct buf subject = BUF_EMPTY;
	bool ok;

	buf_text(&subject, "SHA256:");
	hex_encode(&subject, sheet->about->hash, SHA256_LEN);
	buf_format(&subject, ", %zu pages", sheet->pages);
	ok = buf_ok(&subject, err) &&
	     pdf_end(sheet->pdf, buf_string(&subject), out, err);
	buf_free(&subject);
	return ok;
}

void sheet_close(struct sheet *sheet)
{
	buf_free(&sheet->title);
	qr_free(sheet->qr);
	pdf_free(sheet->pdf);
}

void sheet_page(struct sheet *sheet, size_t page)
{
	pdf_page(sheet->pdf, sheet->paper->width, sheet->paper->height);
	put_header(sheet, page);
	put_footer(sheet);
}
