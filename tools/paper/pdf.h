/* SPDX-License-Identifier: ISC */
/*
 * The door to libharu, which writes PDF.  The fonts are DejaVu Sans Mono, and
 * what a document uses of them is in it: it is printed as it was set.  The same
 * calls give the same bytes.
 *
 * Places are in points (1/72 inch) from the lower left corner of the page. What
 * goes wrong in between is kept and said by pdf_end().
 */
#ifndef TOOLS_PAPER_PDF_H
#define TOOLS_PAPER_PDF_H

#include "lib/base/buf.h"

/* The width of a character, as a part of the size of the font. */
#define PDF_ADVANCE 0.602

struct pdf;
struct picture;

/* Errors: ERR_INPUT where a font cannot be read, or memory. */
bool pdf_new(struct pdf **out, struct err *err);
void pdf_free(struct pdf *pdf);

/* What is drawn from here on is on a new page. */
void pdf_page(struct pdf *pdf, int width, int height);

/* UTF-8, of characters that pdf_has() says the font has. */
void pdf_text(struct pdf *pdf, bool bold, double size, double x, double y,
	const char *text, size_t len);
bool pdf_has(const struct pdf *pdf, uint32_t character);

void pdf_rule(struct pdf *pdf, double x, double y, double length);

void pdf_line(struct pdf *pdf, double x, double y, double to_x, double to_y);

/* A light grey, for what is written over it. */
void pdf_shade(
	struct pdf *pdf, double x, double y, double width, double height);

/* Black; drawn by pdf_fill(). */
void pdf_rectangle(
	struct pdf *pdf, double x, double y, double width, double height);
void pdf_fill(struct pdf *pdf);

void pdf_picture(struct pdf *pdf, const struct picture *picture, double x,
	double y, double width, double height);

/* Append the document; subject (ASCII) is what it says of itself. */
bool pdf_end(
	struct pdf *pdf, const char *subject, struct buf *out, struct err *err);

#endif
