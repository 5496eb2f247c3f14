/* SPDX-License-Identifier: ISC */
#include "tools/paper/form.h"

#include "lib/base/array.h"
#include "lib/base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PAD 3.5       /* between a rule and what stands beside it */
#define TOP_GAP 14.0  /* below the page's header */
#define GAP 3.0       /* above a band */
#define BAND_LINES 24 /* more lines of a cell are a band of their own */
#define WIDTH (SHEET_RIGHT - SHEET_MARGIN)
#define BLANK_MIN 12.0 /* points of a line to write on */

static const struct style {
	double size, leading;
	bool bold;
	size_t indent; /* in characters, of the first line and of the others */
	size_t hang;
} styles[FORM_STYLES] = {
	[FORM_TITLE] = {16, 24, true, 0, 0},
	[FORM_HEAD] = {10, 17, true, 1, 1},
	[FORM_TEXT] = {8, 10.5, false, 0, 0},
	[FORM_STRONG] = {8.5, 11.5, true, 0, 0},
	[FORM_FINE] = {6.5, 9, false, 0, 0},
	[FORM_COMMAND] = {8, 11, true, 1, 3},
	[FORM_SHOWN] = {7.5, 9.5, false, 3, 5},
	[FORM_BOX] = {8, 12, false, 3, 3},
	[FORM_TICKED] = {8, 12, false, 3, 3},
	[FORM_BLANK] = {8, 15, false, 0, 0},
	[FORM_INITIAL] = {8, 12, false, 0, 0},
	[FORM_NOTE] = {7.5, 10, false, 2, 2},
	[FORM_WRITTEN] = {7.5, 10, true, 0, 2},
};

struct line {
	size_t at, len; /* in the form's text */
	size_t column;
	enum form_style style;
	bool first; /* of what was put at once */
	double indent;
};

struct band {
	size_t first, count; /* lines */
	double gap;          /* above it */
};

enum row_kind {
	ROW_TABLE,
	ROW_TEXT, /* across the page */
	ROW_HEAD, /* the same, and stays with the row below it */
	ROW_PAGE, /* a new page */
};

struct row {
	enum row_kind kind;
	const struct form_table *table;
	double height;       /* at least */
	size_t first, count; /* bands */
};

struct form {
	struct sheet sheet;
	struct buf text;
	struct line *lines;
	size_t line_count;
	struct band *bands;
	size_t band_count;
	struct row *rows;
	size_t row_count;
	struct err err; /* the first one; the rest does nothing */
	bool failed;
	/* while pages are made */
	bool draws;
	size_t page;
	double y;                       /* the upper end of what is free */
	const struct form_table *table; /* whose head is on this page */
	double table_top;
};

static const struct form_table across = {
	(const struct form_column[]){{"", 0}}, 1};

bool form_new(const struct sheet_about *about, const struct sheet_paper *paper,
	struct form **out, struct err *err)
{
	struct form *form = calloc(1, sizeof(*form));

	if (form == NULL)
		return err_nomem(err);
	if (!sheet_open(&form->sheet, about, paper, err)) {
		form_free(form);
		return false;
	}
	*out = form;
	return true;
}

void form_free(struct form *form)
{
	if (form == NULL)
		return;
	sheet_close(&form->sheet);
	buf_free(&form->text);
	free(form->lines);
	free(form->bands);
	free(form->rows);
	free(form);
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double column_width(const struct form_table *table, size_t column)
{
	double left = WIDTH;

	if (table->columns[column].width > 0)
		return table->columns[column].width;
	for (size_t i = 0; i < table->count; i++)
		left -= table->columns[i].width;
	return left;
}

static double column_x(const struct form_table *table, size_t column)
{
	double x = SHEET_MARGIN;

	for (size_t i = 0; i < column; i++)
		x += column_width(table, i);
	return x;
}

/* What is put in */

static void *add(struct form *form, void *array, size_t *count, size_t size)
{
	void *added = NULL;

	if (!form->failed)
		added = array_grow(array, count, size, &form->err);
	form->failed = form->failed || added == NULL;
	return added;
}

static struct row *add_row(struct form *form, enum row_kind kind,
	const struct form_table *table, double height)
{
	struct row *row =
		add(form, &form->rows, &form->row_count, sizeof(*form->rows));

	if (row != NULL)
		*row = (struct row){.kind = kind,
			.table = table,
			.height = height,
			.first = form->band_count};
	return row;
}

static void add_band(struct form *form, double gap)
{
	struct band *band = add(
		form, &form->bands, &form->band_count, sizeof(*form->bands));

	if (band != NULL) {
		band->first = form->line_count;
		band->gap = gap;
		form->rows[form->row_count - 1].count++;
	}
}

void form_page(struct form *form)
{
	add_row(form, ROW_PAGE, &across, 0);
}

void form_row(struct form *form, const struct form_table *table, double height)
{
	if (add_row(form, ROW_TABLE, table, height) != NULL)
		add_band(form, 0);
}

void form_band(struct form *form)
{
	add_band(form, GAP);
}

/* How many bytes of text fit into that many characters. */
static size_t fit(const char *text, size_t len, size_t width)
{
	size_t column = 0, at = 0, blank = 0;

	while (at < len && column < width) {
		if (text[at] == ' ' && column >= width / 2)
			blank = at + 1;
		at += utf8_len((uint8_t)text[at]);
		column++;
	}
	if (at < len && text[at] == ' ')
		return at + 1;
	return at < len && blank > 0 ? blank : at;
}

static size_t cell_lines(const struct form *form, size_t column)
{
	const struct band *band = &form->bands[form->band_count - 1];
	size_t count = 0;

	for (size_t i = 0; i < band->count; i++)
		count += form->lines[band->first + i].column == column;
	return count;
}

static bool add_line(struct form *form, const struct line *line)
{
	struct line *added;

	if (cell_lines(form, line->column) >= BAND_LINES)
		add_band(form, 0);
	added = add(form, &form->lines, &form->line_count, sizeof(*added));
	if (added == NULL)
		return false;
	*added = *line;
	form->bands[form->band_count - 1].count++;
	return true;
}

void form_put(struct form *form, size_t column, enum form_style style,
	const char *text)
{
	const struct style *how = &styles[style];
	const struct form_table *table;
	struct line line = {.column = column, .style = style, .first = true};
	double advance = how->size * PDF_ADVANCE, room;
	size_t at = form->text.len;

	if (form->failed)
		return;
	table = form->rows[form->row_count - 1].table;
	room = (column_width(table, column) - 2 * PAD) / advance;
	sheet_settable(form->sheet.pdf, text, strlen(text), &form->text);
	if (!buf_ok(&form->text, &form->err)) {
		form->failed = true;
		return;
	}
	do {
		size_t indent = line.first ? how->indent : how->hang;

		line.indent = advance * (double)indent;
		line.at = at;
		line.len = fit(buf_string(&form->text) + at,
			form->text.len - at, (size_t)room - indent);
		at += line.len;
		if (!add_line(form, &line))
			return;
		line.first = false;
	} while (at < form->text.len);
}

static void put_across(struct form *form, enum row_kind kind,
	enum form_style style, const char *text)
{
	if (add_row(form, kind, &across, 0) == NULL)
		return;
	add_band(form, 0);
	form_put(form, 0, style, text);
}

void form_title(struct form *form, const char *text)
{
	put_across(form, ROW_TEXT, FORM_TITLE, text);
}

void form_head(struct form *form, const char *text)
{
	put_across(form, ROW_HEAD, FORM_HEAD, text);
}

void form_text(struct form *form, enum form_style style, const char *text)
{
	put_across(form, ROW_TEXT, style, text);
}

/* What comes out: once to count the pages, once to draw them. */

static double bottom(void)
{
	return SHEET_MARGIN + SHEET_FOOTER + 6;
}

static double top(const struct form *form)
{
	return form->sheet.paper->height - SHEET_MARGIN - SHEET_FONT - TOP_GAP;
}

/* The table ends here: its frame and the rules between its columns. */
static void close_table(struct form *form)
{
	const struct form_table *table = form->table;

	if (table != NULL && form->draws) {
		for (size_t i = 0; i <= table->count; i++) {
			double x = i < table->count ? column_x(table, i)
						    : SHEET_RIGHT;

			pdf_line(form->sheet.pdf, x, form->table_top, x,
				form->y);
		}
		pdf_rule(form->sheet.pdf, SHEET_MARGIN, form->y, WIDTH);
	}
	form->table = NULL;
}

static void next_page(struct form *form)
{
	close_table(form);
	form->page++;
	form->y = top(form);
	if (form->draws)
		sheet_page(&form->sheet, form->page);
}

static bool has_titles(const struct form_table *table)
{
	assert(table != NULL);
	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].title[0] != '\0')
			return true;
	return false;
}

static double titles_height(const struct form_table *table)
{
	return has_titles(table) ? styles[FORM_STRONG].leading + PAD : 0;
}

static void open_table(struct form *form, const struct form_table *table)
{
	double height = titles_height(table);
	struct pdf *pdf = form->sheet.pdf;

	close_table(form);
	form->table = table;
	form->table_top = form->y;
	if (form->draws && height > 0) {
		pdf_shade(pdf, SHEET_MARGIN, form->y - height, WIDTH, height);
		for (size_t i = 0; i < table->count; i++)
			sheet_put(&form->sheet, true, styles[FORM_TEXT].size,
				column_x(table, i) + PAD,
				form->y - height + PAD + 1,
				table->columns[i].title);
		pdf_rule(pdf, SHEET_MARGIN, form->y, WIDTH);
	}
	form->y -= height;
}

/* The first lines of a band's cells have one base line. */
static double first_leading(const struct form *form, const struct band *band)
{
	double leading = 0;

	for (size_t i = 0; i < band->count; i++) {
		const struct line *line = &form->lines[band->first + i];

		if (line->first || i == 0)
			leading = larger(leading, styles[line->style].leading);
	}
	return leading;
}

/*
 * Go one line further down in its cell; fallen is how far each is, 0 at first.
 */
static double fall(const struct line *line, double first, double *fallen)
{
	double *cell = &fallen[line->column];

	*cell += *cell > 0 ? styles[line->style].leading : first;
	return *cell;
}

/* The height of a band is that of its highest cell. */
static double band_height(const struct form *form, const struct band *band)
{
	double first = first_leading(form, band), height = 0;
	double fallen[FORM_COLUMNS_MAX] = {0};

	for (size_t i = 0; i < band->count; i++)
		height = larger(height,
			fall(&form->lines[band->first + i], first, fallen));
	return height + band->gap;
}

static void draw_box(struct pdf *pdf, double x, double y, bool ticked)
{
	const double side = 7;

	pdf_line(pdf, x, y, x + side, y);
	pdf_line(pdf, x, y + side, x + side, y + side);
	pdf_line(pdf, x, y, x, y + side);
	pdf_line(pdf, x + side, y, x + side, y + side);
	if (ticked) {
		pdf_line(pdf, x + 1.5, y + 3.5, x + 3, y + 1.5);
		pdf_line(pdf, x + 3, y + 1.5, x + side + 1, y + side + 1);
	}
}

static double text_width(const struct style *how, const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t at = 0; at < len; at += utf8_len((uint8_t)text[at]))
		columns++;
	return how->size * PDF_ADVANCE * (double)columns;
}

static void draw_line(struct form *form, const struct form_table *table,
	const struct line *line, double y)
{
	const struct style *how = &styles[line->style];
	const char *text = buf_string(&form->text) + line->at;
	struct pdf *pdf = form->sheet.pdf;
	double x = column_x(table, line->column) + PAD;
	double end = x + line->indent + text_width(how, text, line->len);
	double rise = line->style <= FORM_HEAD
			      ? (how->leading - how->size) / 2 - 1
			      : 0;
	double right = column_x(table, line->column) +
		       column_width(table, line->column) - PAD;

	pdf_text(pdf, how->bold, how->size, x + line->indent, y + rise, text,
		line->len);
	if (line->first &&
		(line->style == FORM_BOX || line->style == FORM_TICKED))
		draw_box(pdf, x, y - 1, line->style == FORM_TICKED);
	if (line->style == FORM_NOTE)
		pdf_line(
			pdf, x + 1.5, y - 2.5, x + 1.5, y - 2.5 + how->leading);
	if ((line->style == FORM_BLANK || line->style == FORM_INITIAL) &&
		right - end >= BLANK_MIN)
		pdf_rule(pdf, end + 3, y - 1, right - end - 3);
}

static void draw_band(struct form *form, const struct form_table *table,
	const struct band *band)
{
	double first = first_leading(form, band);
	double fallen[FORM_COLUMNS_MAX] = {0};

	for (size_t i = 0; form->draws && i < band->count; i++) {
		const struct line *line = &form->lines[band->first + i];
		double down = fall(line, first, fallen);

		draw_line(form, table, line, form->y - band->gap - down + 2.5);
	}
}

/* The first cell of a row, once more on the page where it goes on. */
static void repeat_first(struct form *form, const struct row *row)
{
	const struct band *band = &form->bands[row->first];

	for (size_t i = 0; form->draws && i < band->count; i++) {
		const struct line *line = &form->lines[band->first + i];

		if (line->column == 0 && line->first) {
			draw_line(form, row->table, line,
				form->y - styles[line->style].leading + 2.5);
			return;
		}
	}
}

static double row_height(const struct form *form, const struct row *row)
{
	double height = 2 * PAD;

	for (size_t i = 0; i < row->count; i++)
		height += band_height(form, &form->bands[row->first + i]);
	return larger(height, row->height);
}

static void lay_table_row(struct form *form, const struct row *row)
{
	double height = row_height(form, row), start, head;

	head = form->table == row->table ? 0 : titles_height(row->table);
	if (form->y - head - height < bottom() &&
		height + titles_height(row->table) < top(form) - bottom())
		next_page(form);
	if (form->table != row->table)
		open_table(form, row->table);
	if (form->draws)
		pdf_rule(form->sheet.pdf, SHEET_MARGIN, form->y, WIDTH);
	start = form->y;
	form->y -= PAD;
	for (size_t i = 0; i < row->count; i++) {
		const struct band *band = &form->bands[row->first + i];
		double needs = band_height(form, band);

		if (form->y - needs - PAD < bottom()) {
			next_page(form);
			open_table(form, row->table);
			start = form->y;
			form->y -= PAD;
			repeat_first(form, row);
		}
		draw_band(form, row->table, band);
		form->y -= needs;
	}
	form->y -= PAD;
	if (start - form->y < row->height)
		form->y = start - row->height;
}

/* Across the page; a head has a grey ground, and needs room for what follows.
 */
static void lay_text(struct form *form, const struct row *row, double follows)
{
	bool below = form->table != NULL;

	close_table(form);
	if (row->kind == ROW_HEAD && form->y < top(form))
		form->y -= 8;
	else if (below)
		form->y -= 4;
	for (size_t i = 0; i < row->count; i++) {
		const struct band *band = &form->bands[row->first + i];
		double needs = band_height(form, band);

		if (form->y - needs - follows < bottom())
			next_page(form);
		if (form->draws && row->kind == ROW_HEAD)
			pdf_shade(form->sheet.pdf, SHEET_MARGIN,
				form->y - needs, WIDTH, needs);
		draw_band(form, row->table, band);
		form->y -= needs;
	}
	form->y -= 4;
}

/* What a row after this one needs at least, so that a head stays with it. */
static double needed(const struct form *form, size_t place)
{
	double most = (top(form) - bottom()) / 2, height = 0;

	for (size_t i = place; i < form->row_count && height < most; i++) {
		height += row_height(form, &form->rows[i]);
		if (form->rows[i].kind == ROW_TABLE)
			break;
	}
	height += styles[FORM_STRONG].leading;
	return height < most ? height : most;
}

static void lay(struct form *form, bool draws)
{
	form->draws = draws;
	form->page = 0;
	form->table = NULL;
	next_page(form);
	for (size_t i = 0; i < form->row_count; i++) {
		const struct row *row = &form->rows[i];

		if (row->kind == ROW_TABLE)
			lay_table_row(form, row);
		else if (row->kind != ROW_PAGE)
			lay_text(form, row,
				row->kind == ROW_HEAD ? needed(form, i + 1)
						      : 0);
		else if (form->y < top(form))
			next_page(form);
		if (!draws && form->page > SHEET_PAGES_MAX)
			break;
	}
	close_table(form);
}

bool form_end(struct form *form, struct buf *out, struct err *err)
{
	if (form->failed) {
		*err = form->err;
		return false;
	}
	lay(form, false);
	form->sheet.pages = form->page;
	if (form->page > SHEET_PAGES_MAX)
		return err_set(err, ERR_INPUT,
			"%s: would be more than %d pages: print a part of it",
			form->sheet.about->title, SHEET_PAGES_MAX);
	lay(form, true);
	return sheet_end(&form->sheet, out, err);
}
