/* SPDX-License-Identifier: ISC */
/*
 * A page in HTML, or a picture in SVG, by libxml2's writer: what is given as
 * text or as the value of an attribute can be nothing else, whatever is in it.
 *
 * Write freely; what goes wrong in between is said by markup_end().  Names of
 * elements and attributes are literals of the program.
 */
#ifndef LIB_XML_MARKUP_H
#define LIB_XML_MARKUP_H

#include "lib/base/buf.h"

#define MARKUP_DEPTH_MAX 32

struct markup;

/* html: with a document type, and empty elements in HTML's way. */
bool markup_new(bool html, struct markup **out, struct err *err);
void markup_free(struct markup *markup); /* NULL is allowed */

void markup_open(struct markup *markup, const char *name);
/* Of the element that was opened last, before anything is in it. */
void markup_attribute(
	struct markup *markup, const char *name, const char *value);
void markup_number(struct markup *markup, const char *name, double value);
/* UTF-8; what XML cannot hold (control characters) fails. */
void markup_text(struct markup *markup, const char *text);
void markup_close(struct markup *markup);

/* An element with text and nothing else. */
void markup_element(struct markup *markup, const char *name, const char *text);

/*
 * Close what is open, and append the document.  Errors: ERR_INPUT: text that
 * was none; memory.
 */
bool markup_end(struct markup *markup, struct buf *out, struct err *err);

#endif
