/* SPDX-License-Identifier: ISC */
/*
 * A form to be filled in by hand: tables on the pages of a document (sheet.h).
 *
 * A form is rows, a row is bands, a band is a cell for each column, and a cell
 * is lines.  A row has a rule above it, a band has none: what stands in one
 * band stays side by side.  A row that fits on a page is on one page; one that
 * does not goes on on the next, with its first cell said again.  The heads of
 * the columns are on each page.  The same calls give the same bytes.
 */
#ifndef TOOLS_PAPER_FORM_H
#define TOOLS_PAPER_FORM_H

#include "tools/paper/sheet.h"

struct form_column {
	const char *title; /* "" where no column of the table has one */
	double width;      /* in points; of one column 0: what is left */
};

struct form_table {
	const struct form_column *columns; /* FORM_COLUMNS_MAX at most */
	size_t count;
};

#define FORM_COLUMNS_MAX 6

enum form_style {
	FORM_TITLE,
	FORM_HEAD,
	FORM_TEXT,
	FORM_STRONG,
	FORM_FINE,    /* small */
	FORM_COMMAND, /* typed as it stands */
	FORM_SHOWN,   /* seen on the screen */
	FORM_BOX,     /* with an empty box before it, to be ticked */
	FORM_TICKED,  /* with a ticked one */
	FORM_BLANK,   /* with a line behind it, to be written on */
	FORM_INITIAL, /* whose, and the same line */
	FORM_NOTE,    /* with a bar at its left */
	FORM_WRITTEN, /* what was filled in */
	FORM_STYLES,
};

struct form;

/*
 * about and what it points to are borrowed until form_free().  Errors:
 * ERR_INPUT.
 */
bool form_new(const struct sheet_about *about, const struct sheet_paper *paper,
	struct form **out, struct err *err);
void form_free(struct form *form);

/* What follows is on a new page. */
void form_page(struct form *form);

/* Across the page: a title in large letters; the head of an act. */
void form_title(struct form *form, const char *text);
void form_head(struct form *form, const char *text);

/* Text across the page, without a table. */
void form_text(struct form *form, enum form_style style, const char *text);

/* A row of that table (borrowed), at least this high. */
void form_row(struct form *form, const struct form_table *table, double height);
void form_band(struct form *form);

/* Lines in a cell of the band, broken to its width. */
void form_put(struct form *form, size_t column, enum form_style style,
	const char *text);

/* Append the PDF.  Errors: ERR_INPUT, also for SHEET_PAGES_MAX pages. */
bool form_end(struct form *form, struct buf *out, struct err *err);

#endif
