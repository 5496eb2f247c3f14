/* SPDX-License-Identifier: ISC */
#include "tools/paper/page.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/utf8.h"
#include "lib/hash/sha256.h"
#include "tools/paper/pdf.h"

#include <stdlib.h>
#include <string.h>

#define LEADING 11.2 /* from line to line */
/* A line is broken at a blank in the last third of the page's columns. */
#define NEAR (PAGE_COLUMNS / 3)

static const char goes_on[] = "\302\273"; /* a guillemet */
static const char legend[] =
	"in the margin:  \302\273 the line above goes on   | an alternate screen   * not in the file";

/* One printed line: a whole one or a piece of one. */
struct piece {
	size_t at, len;     /* in the text that is set */
	const char *margin; /* or NULL */
};

struct pieces {
	struct buf text;
	struct piece *list;
	size_t count;
};

/* How many bytes of a line go on a piece, the blank at its end with them. */
static size_t piece_len(const char *line, size_t len)
{
	size_t column = 0, at = 0, blank = 0;

	while (at < len && column < PAGE_COLUMNS) {
		if (line[at] == ' ' && column >= PAGE_COLUMNS - NEAR)
			blank = at + 1;
		at += utf8_len((uint8_t)line[at]);
		column++;
	}
	/* The blank behind the last column may stay there, unseen. */
	if (at < len && line[at] == ' ')
		return at + 1;
	return at < len && blank > 0 ? blank : at;
}

static bool add_line(struct pieces *pieces, const struct pdf *pdf,
	const char *line, size_t len, struct err *err)
{
	const char *margin = NULL;
	size_t at = pieces->text.len;

	if (len > 0 && (*line == PAGE_NOTE || *line == PAGE_ASIDE)) {
		margin = *line == PAGE_NOTE ? "*" : "|";
		line++;
		len--;
	}
	sheet_settable(pdf, line, len, &pieces->text);
	if (!buf_ok(&pieces->text, err))
		return false;
	do {
		struct piece *piece = array_grow(
			&pieces->list, &pieces->count, sizeof(*piece), err);

		if (piece == NULL)
			return false;
		piece->at = at;
		piece->len = piece_len(
			buf_string(&pieces->text) + at, pieces->text.len - at);
		piece->margin = margin;
		at += piece->len;
		margin = goes_on;
	} while (at < pieces->text.len);
	return true;
}

static bool cut(struct pieces *pieces, const struct pdf *pdf,
	const struct buf *lines, struct err *err)
{
	const char *text = (const char *)lines->data;
	size_t left = lines->len;

	while (left > 0) {
		const char *newline = memchr(text, '\n', left);
		size_t len = newline != NULL ? (size_t)(newline - text) : left;

		if (!add_line(pieces, pdf, text, len, err))
			return false;
		len += newline != NULL;
		text += len;
		left -= len;
	}
	return true;
}

static void put_page(struct sheet *sheet, struct pieces *pieces, size_t page)
{
	double y = sheet->paper->height - SHEET_MARGIN - SHEET_FONT - 20;
	size_t first = (page - 1) * PAGE_LINES;
	const char *text = buf_string(&pieces->text);

	sheet_page(sheet, page);
	sheet_put(sheet, false, SHEET_SMALL - 1, SHEET_MARGIN, SHEET_MARGIN,
		legend);
	for (size_t i = first; i < pieces->count && i < first + PAGE_LINES;
		i++) {
		const struct piece *piece = &pieces->list[i];

		if (piece->margin != NULL)
			sheet_put(sheet, true, SHEET_FONT, SHEET_MARGIN - 10, y,
				piece->margin);
		pdf_text(sheet->pdf, false, SHEET_FONT, SHEET_MARGIN, y,
			text + piece->at, piece->len);
		y -= LEADING;
	}
}

bool page_pdf(const struct page_text *text, const struct sheet_paper *paper,
	struct buf *out, struct err *err)
{
	struct sheet sheet;
	struct pieces pieces = {.text = BUF_EMPTY};
	bool ok;

	ok = sheet_open(&sheet, &text->about, paper, err) &&
	     cut(&pieces, sheet.pdf, text->lines, err);
	sheet.pages = (pieces.count + PAGE_LINES - 1) / PAGE_LINES;
	sheet.pages = sheet.pages > 0 ? sheet.pages : 1;
	if (ok && sheet.pages > PAGE_MAX)
		ok = err_set(err, ERR_INPUT,
			"%s: would be %zu pages, more than %d: print a part of it",
			text->about.title, sheet.pages, PAGE_MAX);
	for (size_t i = 1; ok && i <= sheet.pages; i++)
		put_page(&sheet, &pieces, i);
	ok = ok && sheet_end(&sheet, out, err);
	buf_free(&pieces.text);
	free(pieces.list);
	sheet_close(&sheet);
	return ok;
}

/* As large as fits between header and footer, below the header, centred. */
static void put_picture(struct sheet *sheet, const struct picture *picture)
{
	double room_x = SHEET_RIGHT - SHEET_MARGIN, top, room_y, scale;

	top = sheet->paper->height - SHEET_MARGIN - SHEET_FONT - 12;
	room_y = top - (SHEET_MARGIN + SHEET_FOOTER + 8);
	scale = room_x / picture->width;
	if (scale * picture->height > room_y)
		scale = room_y / picture->height;
	pdf_picture(sheet->pdf, picture,
		SHEET_MARGIN + (room_x - scale * picture->width) / 2,
		top - scale * picture->height, scale * picture->width,
		scale * picture->height);
}

bool page_picture(const struct page_text *text, const struct picture *picture,
	const struct sheet_paper *paper, struct buf *out, struct err *err)
{
	struct sheet sheet;
	bool ok = sheet_open(&sheet, &text->about, paper, err);

	if (ok) {
		sheet_page(&sheet, 1);
		put_picture(&sheet, picture);
		ok = sheet_end(&sheet, out, err);
	}
	sheet_close(&sheet);
	return ok;
}
