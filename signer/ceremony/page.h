/* SPDX-License-Identifier: ISC */
/*
 * Text set on pages, as PDF 1.4: Courier, one of the fonts that every PDF
 * reader has, so nothing is embedded and the same text is the same file.
 *
 * Each page: the title and "page x of y" above; 96 columns of text, a line
 * that is longer going on after a mark in the margin; below, the release, the
 * SHA-256 in hexadecimal, words, and a QR code.  What is printed lies inside
 * both A4 and Letter.
 */
#ifndef CEREMONY_PAGE_H
#define CEREMONY_PAGE_H

#include "ceremony/picture.h"
#include "crypto/crypto.h"

#define PAGE_COLUMNS 96
#define PAGE_LINES 52

struct page_paper {
	const char *name;
	int width, height; /* points of 1/72 inch */
};

/* By name ("a4", "letter"); NULL for another. */
const struct page_paper *page_paper(const char *name);

struct page_text {
	const char *title;       /* escaped, printable ASCII */
	const char *release;     /* for the footer */
	bool rehearsal;          /* say so on every page */
	const uint8_t *hash;     /* CRYPTO_SHA256_LEN bytes: of the file */
	const struct buf *lines; /* printable ASCII and newlines */
};

/* Append the PDF.  Errors: ERR_INPUT. */
bool page_pdf(const struct page_text *text, const struct page_paper *paper,
	struct buf *out, struct err *err);

/* The same with a picture on one page, as large as fits; no lines are read. */
bool page_picture(const struct page_text *text, const struct picture *picture,
	const struct page_paper *paper, struct buf *out, struct err *err);

#endif
