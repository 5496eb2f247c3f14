/* SPDX-License-Identifier: ISC */
/*
 * Text set on pages, as PDF.  The same text is the same file.
 *
 * Each page: the title and "page x of y" above; 96 columns of text; below, the
 * release, the SHA-256 in hexadecimal, words, and a QR code.  A line that is
 * longer goes on after a mark in the margin, and is broken at a blank where one
 * is near.  What is printed lies inside both A4 and Letter.
 */
#ifndef TOOLS_PAPER_PAGE_H
#define TOOLS_PAPER_PAGE_H

#include "lib/base/buf.h"
#include "lib/hash/sha256.h"
#include "tools/paper/picture.h"
#include "tools/paper/sheet.h"

#define PAGE_COLUMNS SHEET_COLUMNS
#define PAGE_LINES 52
#define PAGE_MAX SHEET_PAGES_MAX

/* The first byte of a line, for what stands in the margin beside it. */
#define PAGE_NOTE '\001'  /* said by the program, not part of the file */
#define PAGE_ASIDE '\002' /* beside the text: an alternate screen */

struct page_text {
	struct sheet_about about;
	const struct buf *lines; /* the same, and newlines */
};

/*
 * Append the PDF.  A character that the font does not have, or that would not
 * be seen, is set as \uNNNN.  Its subject says "SHA256:DIGITS, N pages".
 * Errors: ERR_INPUT, also for more than PAGE_MAX pages.
 */
bool page_pdf(const struct page_text *text, const struct sheet_paper *paper,
	struct buf *out, struct err *err);

/* The same with a picture on one page, as large as fits; no lines are read. */
bool page_picture(const struct page_text *text, const struct picture *picture,
	const struct sheet_paper *paper, struct buf *out, struct err *err);

#endif
