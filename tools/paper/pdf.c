/* SPDX-License-Identifier: ISC */
#include "tools/paper/pdf.h"

#include "lib/base/buf.h"
#include "tools/paper/picture.h"

#include <hpdf.h>
#include <stdlib.h>
#include <string.h>

#define FONTS "/usr/share/fonts/truetype/dejavu/DejaVuSansMono"
#define RULE 0.5         /* thickness */
#define SHADE 0.9        /* 0 black, 1 white */
#define PLANE_END 0xffff /* libharu's fonts end here */

struct pdf {
	HPDF_Doc doc;
	HPDF_Font fonts[2]; /* regular, bold */
	HPDF_Page page;
};

/*
 * libharu's own table of a font's characters is malformed (cidrange where a
 * ToUnicode has bfrange), so nobody could search or copy what they read: Ours
 * says that each code is the character of that number.  PDF 32000-1 §9.10.3.
 */
static bool write_characters(HPDF_Dict font)
{
	HPDF_Dict table =
		HPDF_Dict_GetItem(font, "ToUnicode", HPDF_OCLASS_DICT);
	struct buf text = BUF_EMPTY;
	bool ok;

	if (table == NULL || table->stream == NULL)
		return false;
	buf_text(&text,
		"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n");
	/* A range has one first byte, and a block at most 100 of them. */
	for (unsigned high = 0; high < 256; high++) {
		if (high % 64 == 0)
			buf_text(&text, "64 beginbfrange\n");
		buf_format(&text, "<%02X00> <%02XFF> <%02X00>\n", high, high,
			high);
		if (high % 64 == 63)
			buf_text(&text, "endbfrange\n");
	}
	buf_text(&text,
		"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
	HPDF_MemStream_FreeData(table->stream);
	ok = HPDF_Stream_WriteStr(table->stream, buf_string(&text)) ==
		     HPDF_OK &&
	     !text.failed;
	buf_free(&text);
	return ok;
}

static bool load_font(
	struct pdf *pdf, const char *path, HPDF_Font *out, struct err *err)
{
	const char *name = HPDF_LoadTTFontFromFile(pdf->doc, path, HPDF_TRUE);

	*out = name != NULL ? HPDF_GetFont(pdf->doc, name, "UTF-8") : NULL;
	if (*out == NULL || !write_characters(*out))
		return err_set(err, ERR_INPUT, "%s: cannot be used (%#lx)",
			path, HPDF_GetError(pdf->doc));
	return true;
}

bool pdf_new(struct pdf **out, struct err *err)
{
	struct pdf *pdf = calloc(1, sizeof(*pdf));

	if (pdf == NULL)
		return err_nomem(err);
	pdf->doc = HPDF_New(NULL, NULL);
	if (pdf->doc == NULL) {
		free(pdf);
		return err_nomem(err);
	}
	HPDF_SetCompressionMode(pdf->doc, HPDF_COMP_ALL);
	HPDF_UseUTFEncodings(pdf->doc);
	if (!load_font(pdf, FONTS ".ttf", &pdf->fonts[0], err) ||
		!load_font(pdf, FONTS "-Bold.ttf", &pdf->fonts[1], err)) {
		pdf_free(pdf);
		return false;
	}
	*out = pdf;
	return true;
}

void pdf_free(struct pdf *pdf)
{
	if (pdf == NULL)
		return;
	HPDF_Free(pdf->doc);
	free(pdf);
}

void pdf_page(struct pdf *pdf, int width, int height)
{
	pdf->page = HPDF_AddPage(pdf->doc);
	HPDF_Page_SetWidth(pdf->page, (HPDF_REAL)width);
	HPDF_Page_SetHeight(pdf->page, (HPDF_REAL)height);
	HPDF_Page_SetLineWidth(pdf->page, (HPDF_REAL)RULE);
}

void pdf_text(struct pdf *pdf, bool bold, double size, double x, double y,
	const char *text, size_t len)
{
	struct buf copy = BUF_EMPTY;

	if (len == 0)
		return;
	buf_bytes(&copy, text, len);
	HPDF_Page_SetFontAndSize(pdf->page, pdf->fonts[bold], (HPDF_REAL)size);
	HPDF_Page_BeginText(pdf->page);
	HPDF_Page_TextOut(
		pdf->page, (HPDF_REAL)x, (HPDF_REAL)y, buf_string(&copy));
	HPDF_Page_EndText(pdf->page);
	buf_free(&copy);
}

bool pdf_has(const struct pdf *pdf, uint32_t character)
{
	HPDF_FontAttr attr = pdf->fonts[0]->attr;

	return character <= PLANE_END &&
	       HPDF_TTFontDef_GetGlyphid(
		       attr->fontdef, (HPDF_UINT16)character) != 0;
}

void pdf_rule(struct pdf *pdf, double x, double y, double length)
{
	pdf_line(pdf, x, y, x + length, y);
}

void pdf_line(struct pdf *pdf, double x, double y, double to_x, double to_y)
{
	HPDF_Page_MoveTo(pdf->page, (HPDF_REAL)x, (HPDF_REAL)y);
	HPDF_Page_LineTo(pdf->page, (HPDF_REAL)to_x, (HPDF_REAL)to_y);
	HPDF_Page_Stroke(pdf->page);
}

void pdf_shade(struct pdf *pdf, double x, double y, double width, double height)
{
	HPDF_Page_SetGrayFill(pdf->page, (HPDF_REAL)SHADE);
	pdf_rectangle(pdf, x, y, width, height);
	pdf_fill(pdf);
	HPDF_Page_SetGrayFill(pdf->page, 0);
}

void pdf_rectangle(
	struct pdf *pdf, double x, double y, double width, double height)
{
	HPDF_Page_Rectangle(pdf->page, (HPDF_REAL)x, (HPDF_REAL)y,
		(HPDF_REAL)width, (HPDF_REAL)height);
}

void pdf_fill(struct pdf *pdf)
{
	HPDF_Page_Fill(pdf->page);
}

void pdf_picture(struct pdf *pdf, const struct picture *picture, double x,
	double y, double width, double height)
{
	HPDF_Image image = HPDF_LoadRawImageFromMem(pdf->doc,
		picture->pixels.data, picture->width, picture->height,
		picture->colors == 3 ? HPDF_CS_DEVICE_RGB : HPDF_CS_DEVICE_GRAY,
		8);

	HPDF_Page_DrawImage(pdf->page, image, (HPDF_REAL)x, (HPDF_REAL)y,
		(HPDF_REAL)width, (HPDF_REAL)height);
}

static bool take(struct pdf *pdf, struct buf *out)
{
	HPDF_UINT32 len;
	uint8_t *room;

	if (HPDF_SaveToStream(pdf->doc) != HPDF_OK)
		return false;
	len = HPDF_GetStreamSize(pdf->doc);
	room = buf_extend(out, len);
	return room == NULL ||
	       HPDF_ReadFromStream(pdf->doc, room, &len) == HPDF_OK;
}

bool pdf_end(
	struct pdf *pdf, const char *subject, struct buf *out, struct err *err)
{
	size_t start = out->len;

	HPDF_SetInfoAttr(pdf->doc, HPDF_INFO_SUBJECT, subject);
	if (HPDF_GetError(pdf->doc) != HPDF_OK || !take(pdf, out)) {
		out->len = start;
		return err_set(err, ERR_INPUT,
			"the pages cannot be set (libharu %#lx)",
			HPDF_GetError(pdf->doc));
	}
	return buf_ok(out, err);
}
