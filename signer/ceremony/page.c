/* SPDX-License-Identifier: ISC */
#include "ceremony/page.h"

#include "base/hex.h"
#include "ceremony/qr.h"
#include "show/words.h"

#include <stdlib.h>
#include <string.h>

#define MARGIN 36    /* what lasers can reach */
#define FONT 9       /* of the text: 5.4 points a column */
#define LEADING 11.2 /* from line to line */
#define SMALL 7      /* of the footer */
#define FOOTER 92    /* height */
#define QR_SIZE 80.0 /* without the quiet zone */
#define TITLE_MAX 70
#define WORDS_A_LINE 8
#define CATALOG 1
#define PAGES 2
#define FIRST_FREE 5 /* 3 and 4 are the fonts */

/* A PDF that grows: where each object begins goes into the table at its end. */
struct pdf {
	struct buf *out;
	size_t start;
	size_t *offsets;
	size_t count; /* of objects, number 0 not counted */
};

static const struct page_paper papers[] = {
	{"a4", 595, 842},
	{"letter", 612, 792},
};

const struct page_paper *page_paper(const char *name)
{
	for (size_t i = 0; i < sizeof(papers) / sizeof(*papers); i++)
		if (strcmp(papers[i].name, name) == 0)
			return &papers[i];
	return NULL;
}

static void begin_object(struct pdf *pdf, size_t number)
{
	pdf->offsets[number] = pdf->out->len - pdf->start;
	buf_format(pdf->out, "%zu 0 obj\n", number);
}

static void add_object(struct pdf *pdf, size_t number, struct buf *content)
{
	begin_object(pdf, number);
	buf_bytes(pdf->out, content->data, content->len);
	buf_text(pdf->out, "\nendobj\n");
	pdf->out->failed = pdf->out->failed || content->failed;
	buf_clear(content);
}

/* A text at x, y from the lower left corner. */
static void put_text(struct buf *out, const char *font, int size, double x,
	double y, const char *text, size_t len)
{
	buf_format(out, "BT /%s %d Tf %.2f %.2f Td (", font, size, x, y);
	for (size_t i = 0; i < len; i++) {
		if (strchr("()\\", text[i]) != NULL)
			buf_u8(out, '\\');
		buf_u8(out, (uint8_t)text[i]);
	}
	buf_text(out, ") Tj ET\n");
}

static void put_line(struct buf *out, const char *font, int size, double x,
	double y, const char *text)
{
	put_text(out, font, size, x, y, text, strlen(text));
}

/* Dark modules, runs of a row in one rectangle; x, y is its upper left. */
static void put_qr(struct buf *out, const struct qr *qr, double x, double y)
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
			buf_format(out, "%.3f %.3f %.3f %.3f re\n",
				x + (double)column * module,
				y - (double)(row + 1) * module,
				(double)run * module, module);
			column += run;
		}
	buf_text(out, "f\n");
}

static void put_header(struct buf *out, const struct page_text *text,
	const struct page_paper *paper, size_t page, size_t pages)
{
	double y = paper->height - MARGIN - FONT, right;
	size_t len = strlen(text->title);
	struct buf number = BUF_EMPTY;

	put_text(out, "B", FONT, MARGIN, y, text->title,
		len < TITLE_MAX ? len : TITLE_MAX);
	buf_format(&number, "%spage %zu of %zu",
		text->rehearsal ? "REHEARSAL  " : "", page, pages);
	right = MARGIN +
		FONT * 0.6 * ((double)PAGE_COLUMNS - (double)number.len);
	put_line(out, "B", FONT, right, y, buf_string(&number));
	buf_format(out, "0.5 w %d %.2f m %.2f %.2f l S\n", MARGIN, y - 4,
		MARGIN + FONT * 0.6 * PAGE_COLUMNS, y - 4);
	buf_free(&number);
}

/* The same on every page, so that one sheet is enough to compare. */
static void put_footer(
	struct buf *out, const struct page_text *text, const struct qr *qr)
{
	struct buf line = BUF_EMPTY;
	double y = MARGIN + FOOTER - SMALL;
	double right = MARGIN + FONT * 0.6 * PAGE_COLUMNS;

	buf_format(out, "0.5 w %d %d m %.2f %d l S\n", MARGIN, MARGIN + FOOTER,
		right, MARGIN + FOOTER);
	put_qr(out, qr, right - QR_SIZE, MARGIN + FOOTER - 6);
	y -= 4;
	buf_format(&line, "Keyroom %s%s", text->release,
		text->rehearsal ? "  REHEARSAL" : "");
	put_line(out, "F", SMALL, MARGIN, y, buf_string(&line));
	buf_clear(&line);
	buf_text(&line, "SHA-256 of the file: ");
	hex_encode(&line, text->hash, CRYPTO_SHA256_LEN);
	put_line(out, "B", SMALL, MARGIN, y - 12, buf_string(&line));
	y -= 26;
	for (size_t i = 0; i < CRYPTO_SHA256_LEN; i += WORDS_A_LINE) {
		buf_clear(&line);
		/* WORDS_A_LINE is even: each line begins with an even word. */
		words_write(&line, text->hash + i, WORDS_A_LINE, 0);
		put_line(out, "F", SMALL + 1, MARGIN, y, buf_string(&line));
		y -= 10;
	}
	buf_free(&line);
}

/* One printed line: a whole one or a piece of one. */
struct piece {
	const char *text;
	size_t len;
	bool continued; /* begins within a line */
};

/* Cut lines at the right edge; *count pieces, freed by the caller. */
static struct piece *cut(const struct buf *lines, size_t *count)
{
	const char *text = (const char *)lines->data, *end = text + lines->len;
	size_t most = lines->len / PAGE_COLUMNS + 1;
	struct piece *pieces;

	for (size_t i = 0; i < lines->len; i++)
		most += text[i] == '\n';
	pieces = calloc(most + 1, sizeof(*pieces));
	*count = 0;
	if (pieces == NULL)
		return NULL;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t left =
			(size_t)((newline != NULL ? newline : end) - text);
		bool continued = false;

		do {
			size_t len = left < PAGE_COLUMNS ? left : PAGE_COLUMNS;

			pieces[(*count)++] =
				(struct piece){text, len, continued};
			text += len;
			left -= len;
			continued = true;
		} while (left > 0);
		text += newline != NULL;
	}
	return pieces;
}

static void put_page(struct buf *out, const struct page_text *text,
	const struct page_paper *paper, const struct qr *qr,
	const struct piece *pieces, size_t count, size_t page, size_t pages)
{
	double y = paper->height - MARGIN - FONT - 20;
	size_t first = (page - 1) * PAGE_LINES;

	put_header(out, text, paper, page, pages);
	put_line(out, "F", SMALL - 1, MARGIN, MARGIN,
		"\273 in the margin: the line above goes on");
	for (size_t i = first; i < count && i < first + PAGE_LINES; i++) {
		const struct piece *piece = &pieces[i];

		if (piece->continued)
			put_line(out, "B", FONT, MARGIN - 8, y, "\273");
		put_text(out, "F", FONT, MARGIN, y, piece->text, piece->len);
		y -= LEADING;
	}
	put_footer(out, text, qr);
}

static void add_stream(struct pdf *pdf, size_t number, struct buf *stream)
{
	struct buf object = BUF_EMPTY;

	buf_format(&object, "<< /Length %zu >>\nstream\n", stream->len);
	buf_bytes(&object, stream->data, stream->len);
	buf_text(&object, "endstream");
	add_object(pdf, number, &object);
	buf_clear(stream);
	buf_free(&object);
}

static void add_fixed(
	struct pdf *pdf, const struct page_paper *paper, size_t pages)
{
	static const char *const fonts[] = {"Courier", "Courier-Bold"};
	struct buf object = BUF_EMPTY;

	buf_text(&object, "<< /Type /Catalog /Pages 2 0 R >>");
	add_object(pdf, CATALOG, &object);
	buf_format(&object,
		"<< /Type /Pages /Count %zu /MediaBox [0 0 %d %d]\n"
		"/Resources << /Font << /F 3 0 R /B 4 0 R >> >>\n/Kids [",
		pages, paper->width, paper->height);
	for (size_t i = 0; i < pages; i++)
		buf_format(&object, "%zu 0 R%s", FIRST_FREE + 2 * i,
			i % 8 == 7 ? "\n" : " ");
	buf_text(&object, "] >>");
	add_object(pdf, PAGES, &object);
	for (size_t i = 0; i < 2; i++) {
		buf_format(&object,
			"<< /Type /Font /Subtype /Type1 /BaseFont /%s "
			"/Encoding /WinAnsiEncoding >>",
			fonts[i]);
		add_object(pdf, PAGES + 1 + i, &object);
	}
	buf_free(&object);
}

static void begin_pdf(
	struct pdf *pdf, const struct page_paper *paper, size_t pages)
{
	buf_text(pdf->out, "%PDF-1.4\n%\342\343\317\323\n");
	add_fixed(pdf, paper, pages);
}

static void add_table(struct pdf *pdf)
{
	size_t at = pdf->out->len - pdf->start;

	buf_format(
		pdf->out, "xref\n0 %zu\n0000000000 65535 f \n", pdf->count + 1);
	for (size_t i = 1; i <= pdf->count; i++)
		buf_format(pdf->out, "%010zu 00000 n \n", pdf->offsets[i]);
	buf_format(pdf->out,
		"trailer\n<< /Size %zu /Root 1 0 R "
		">>\nstartxref\n%zu\n%%%%EOF\n",
		pdf->count + 1, at);
}

static bool write_pdf(const struct page_text *text,
	const struct page_paper *paper, const struct qr *qr,
	const struct piece *pieces, size_t count, struct buf *out,
	struct err *err)
{
	size_t pages = count > 0 ? (count + PAGE_LINES - 1) / PAGE_LINES : 1;
	struct pdf pdf = {.out = out,
		.start = out->len,
		.count = FIRST_FREE - 1 + 2 * pages};
	struct buf content = BUF_EMPTY;

	pdf.offsets = calloc(pdf.count + 1, sizeof(*pdf.offsets));
	if (pdf.offsets == NULL)
		return err_nomem(err);
	begin_pdf(&pdf, paper, pages);
	for (size_t i = 0; i < pages; i++) {
		size_t number = FIRST_FREE + 2 * i;

		buf_format(&content,
			"<< /Type /Page /Parent 2 0 R /Contents %zu 0 R >>",
			number + 1);
		add_object(&pdf, number, &content);
		put_page(
			&content, text, paper, qr, pieces, count, i + 1, pages);
		add_stream(&pdf, number + 1, &content);
	}
	add_table(&pdf);
	buf_free(&content);
	free(pdf.offsets);
	return buf_ok(out, err);
}

/* The code on every page: which file this is. */
static bool make_code(
	const struct page_text *text, struct qr **out, struct err *err)
{
	struct buf code = BUF_EMPTY;
	bool ok;

	buf_text(&code, "SHA256:");
	hex_encode_upper(&code, text->hash, CRYPTO_SHA256_LEN);
	ok = buf_ok(&code, err) && qr_new(buf_string(&code), out, err);
	buf_free(&code);
	return ok;
}

bool page_pdf(const struct page_text *text, const struct page_paper *paper,
	struct buf *out, struct err *err)
{
	struct qr *qr = NULL;
	struct piece *pieces;
	size_t count;
	bool ok;

	pieces = cut(text->lines, &count);
	ok = pieces != NULL || err_nomem(err);
	ok = ok && make_code(text, &qr, err) &&
	     write_pdf(text, paper, qr, pieces, count, out, err);
	qr_free(qr);
	free(pieces);
	return ok;
}

/* Between header and footer, from the upper left corner. */
static void put_picture(struct buf *out, const struct picture *picture,
	const struct page_paper *paper)
{
	double top = paper->height - MARGIN - FONT - 14;
	double scale = FONT * 0.6 * PAGE_COLUMNS / picture->width;
	double height = top - (MARGIN + FOOTER + 10);

	if (picture->height * scale > height)
		scale = height / picture->height;
	buf_format(out, "q %.3f 0 0 %.3f %d %.3f cm /P Do Q\n",
		picture->width * scale, picture->height * scale, MARGIN,
		top - picture->height * scale);
}

static void add_picture(
	struct pdf *pdf, size_t number, const struct picture *picture)
{
	struct buf object = BUF_EMPTY;

	buf_format(&object,
		"<< /Type /XObject /Subtype /Image /Width %lu /Height %lu\n"
		"/ColorSpace /Device%s /BitsPerComponent 8\n"
		"/Filter /FlateDecode /DecodeParms << /Predictor 15 "
		"/Colors %u /BitsPerComponent 8 /Columns %lu >>\n"
		"/Length %zu >>\nstream\n",
		(unsigned long)picture->width, (unsigned long)picture->height,
		picture->colors == 3 ? "RGB" : "Gray", picture->colors,
		(unsigned long)picture->width, picture->packed.len);
	buf_bytes(&object, picture->packed.data, picture->packed.len);
	buf_text(&object, "\nendstream");
	add_object(pdf, number, &object);
	buf_free(&object);
}

bool page_picture(const struct page_text *text, const struct picture *picture,
	const struct page_paper *paper, struct buf *out, struct err *err)
{
	size_t offsets[FIRST_FREE + 3] = {0};
	struct pdf pdf = {.out = out,
		.start = out->len,
		.offsets = offsets,
		.count = FIRST_FREE + 2};
	struct buf content = BUF_EMPTY;
	struct qr *qr = NULL;

	if (!make_code(text, &qr, err))
		return false;
	begin_pdf(&pdf, paper, 1);
	buf_format(&content,
		"<< /Type /Page /Parent 2 0 R /Contents %d 0 R\n"
		"/Resources << /Font << /F 3 0 R /B 4 0 R >>\n"
		"/XObject << /P %d 0 R >> >> >>",
		FIRST_FREE + 1, FIRST_FREE + 2);
	add_object(&pdf, FIRST_FREE, &content);
	put_header(&content, text, paper, 1, 1);
	put_picture(&content, picture, paper);
	put_footer(&content, text, qr);
	add_stream(&pdf, FIRST_FREE + 1, &content);
	add_picture(&pdf, FIRST_FREE + 2, picture);
	add_table(&pdf);
	buf_free(&content);
	qr_free(qr);
	return buf_ok(out, err);
}
