/* SPDX-License-Identifier: ISC */
/*
 * What every page of a document has: above, the title and "page x of y"; below,
 * the release, the SHA-256 in hexadecimal, words, and a QR code, the same on
 * each, so that one sheet is enough to compare.  What is printed lies inside
 * both A4 and Letter.
 */
#ifndef TOOLS_PAPER_SHEET_H
#define TOOLS_PAPER_SHEET_H

#include "lib/base/buf.h"
#include "lib/hash/sha256.h"
#include "tools/paper/pdf.h"

#define SHEET_MARGIN 36 /* what lasers can reach */
#define SHEET_FONT 9    /* of the header: 5.4 points a column */
#define SHEET_SMALL 7   /* of the footer */
#define SHEET_FOOTER 92 /* height */
#define SHEET_COLUMNS 96
#define SHEET_RIGHT (SHEET_MARGIN + SHEET_FONT * PDF_ADVANCE * SHEET_COLUMNS)
#define SHEET_PAGES_MAX 2000

struct sheet_paper {
	const char *name;
	int width, height; /* points of 1/72 inch */
};

/* By name ("a4", "letter"); NULL for another. */
const struct sheet_paper *sheet_paper(const char *name);

struct sheet_about {
	const char *title;   /* UTF-8 without control characters */
	const char *release; /* for the footer */
	const char *mark; /* on every page: "REHEARSAL" and the like, or NULL */
	const uint8_t *hash; /* SHA256_LEN bytes: of the file */
};

struct qr;
struct sheet {
	struct pdf *pdf;
	const struct sheet_about *about; /* borrowed */
	const struct sheet_paper *paper;
	struct qr *qr;
	struct buf title;
	size_t pages; /* in all; the caller knows */
};

/* sheet_close() in any case.  Errors: ERR_INPUT. */
bool sheet_open(struct sheet *sheet, const struct sheet_about *about,
	const struct sheet_paper *paper, struct err *err);
void sheet_close(struct sheet *sheet);

/*
 * Append text as it can be set: every character is one column.  One that the
 * font does not have, or that would not be seen, is set as \uNNNN.
 */
void sheet_settable(
	const struct pdf *pdf, const char *text, size_t len, struct buf *out);

/* A new page, with its header and footer. */
void sheet_page(struct sheet *sheet, size_t page);

/* Text that ends with a NUL. */
void sheet_put(struct sheet *sheet, bool bold, double size, double x, double y,
	const char *text);

/*
 * Append the PDF.  Its subject says "SHA256:DIGITS, N pages".  Errors:
 * ERR_INPUT.
 */
bool sheet_end(struct sheet *sheet, struct buf *out, struct err *err);

#endif
