/* SPDX-License-Identifier: ISC */
#include "lib/xml/markup.h"

#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct markup {
	bool html, failed;
	xmlBuffer *bytes;
	xmlTextWriter *writer;
	const char *open[MARKUP_DEPTH_MAX];
	size_t depth;
};

bool markup_new(bool html, struct markup **out, struct err *err)
{
	struct markup *markup = calloc(1, sizeof(*markup));

	if (markup == NULL)
		return err_nomem(err);
	markup->html = html;
	markup->bytes = xmlBufferCreate();
	if (markup->bytes != NULL)
		markup->writer = xmlNewTextWriterMemory(markup->bytes, 0);
	if (markup->writer == NULL) {
		markup_free(markup);
		return err_nomem(err);
	}
	if (html)
		markup->failed = xmlTextWriterWriteDTD(markup->writer,
					 BAD_CAST "html", NULL, NULL, NULL) < 0;
	*out = markup;
	return true;
}

void markup_free(struct markup *markup)
{
	if (markup == NULL)
		return;
	if (markup->writer != NULL)
		xmlFreeTextWriter(markup->writer);
	if (markup->bytes != NULL)
		xmlBufferFree(markup->bytes);
	free(markup);
}

static void check(struct markup *markup, int written)
{
	markup->failed = markup->failed || written < 0;
}

void markup_open(struct markup *markup, const char *name)
{
	if (markup->failed || markup->depth == MARKUP_DEPTH_MAX) {
		markup->failed = true;
		return;
	}
	markup->open[markup->depth++] = name;
	check(markup, xmlTextWriterStartElement(markup->writer, BAD_CAST name));
}

/* Characters that XML 1.0 §2.2 allows; libxml2's writer does not look. */
static bool is_text(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' && *p != '\n' && *p != '\t')
			return false;
	return xmlCheckUTF8(BAD_CAST text) != 0;
}

void markup_attribute(
	struct markup *markup, const char *name, const char *value)
{
	markup->failed = markup->failed || !is_text(value);
	if (!markup->failed)
		check(markup, xmlTextWriterWriteAttribute(markup->writer,
				      BAD_CAST name, BAD_CAST value));
}

void markup_number(struct markup *markup, const char *name, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", value);
	markup_attribute(markup, name, text);
}

void markup_text(struct markup *markup, const char *text)
{
	markup->failed = markup->failed || !is_text(text);
	if (!markup->failed)
		check(markup, xmlTextWriterWriteString(
				      markup->writer, BAD_CAST text));
}

/* HTML has elements that have no end; all others must have one. */
static bool is_void(const char *name)
{
	static const char *const names[] = {"meta", "br", "img", "hr"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

void markup_close(struct markup *markup)
{
	const char *name;

	if (markup->failed || markup->depth == 0) {
		markup->failed = true;
		return;
	}
	name = markup->open[--markup->depth];
	check(markup, markup->html && !is_void(name)
			      ? xmlTextWriterFullEndElement(markup->writer)
			      : xmlTextWriterEndElement(markup->writer));
}

void markup_element(struct markup *markup, const char *name, const char *text)
{
	markup_open(markup, name);
	markup_text(markup, text);
	markup_close(markup);
}

bool markup_end(struct markup *markup, struct buf *out, struct err *err)
{
	while (!markup->failed && markup->depth > 0)
		markup_close(markup);
	if (markup->failed || xmlTextWriterFlush(markup->writer) < 0)
		return err_set(err, ERR_INPUT,
			"the page cannot be written: a text is not UTF-8, or memory is exhausted");
	buf_bytes(out, xmlBufferContent(markup->bytes),
		(size_t)xmlBufferLength(markup->bytes));
	buf_u8(out, '\n');
	return buf_ok(out, err);
}
