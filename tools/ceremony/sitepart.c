/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/sitepart.h"

#include "tools/ceremony/say.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void part_text(struct markup *m, const char *text)
{
	struct buf shown = BUF_EMPTY;

	say_text(&shown, text);
	markup_text(m, buf_string(&shown));
	buf_free(&shown);
}

void part_lines(struct markup *m, const char *text)
{
	struct buf shown = BUF_EMPTY, line = BUF_EMPTY;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		buf_clear(&line);
		/* What a carriage return before a newline does is nothing. */
		buf_bytes(&line, text,
			len > 0 && text[len - 1] == '\r' ? len - 1 : len);
		say_text(&shown, buf_string(&line));
		if (text[len] == '\n')
			buf_u8(&shown, '\n');
		text += len + (text[len] == '\n');
	}
	markup_text(m, buf_string(&shown));
	buf_free(&line);
	buf_free(&shown);
}

void part_put(
	struct markup *m, const char *name, const char *class, const char *text)
{
	markup_open(m, name);
	if (class != NULL)
		markup_attribute(m, "class", class);
	part_text(m, text);
	markup_close(m);
}

void part_section(struct markup *m, const char *id, const char *title)
{
	markup_open(m, "section");
	markup_attribute(m, "id", id);
	markup_element(m, "h2", title);
}

void part_table(struct markup *m, const char *caption, const char *const *heads,
	size_t count)
{
	markup_open(m, "div");
	markup_attribute(m, "class", "wide");
	markup_attribute(m, "role", "region");
	markup_attribute(m, "aria-label", caption);
	markup_attribute(m, "tabindex", "0");
	markup_open(m, "table");
	markup_element(m, "caption", caption);
	markup_open(m, "thead");
	markup_open(m, "tr");
	for (size_t i = 0; i < count; i++) {
		markup_open(m, "th");
		markup_attribute(m, "scope", "col");
		markup_text(m, heads[i]);
		markup_close(m);
	}
	markup_close(m);
	markup_close(m);
	markup_open(m, "tbody");
}

void part_table_end(struct markup *m)
{
	markup_close(m);
	markup_close(m);
	markup_close(m);
}

/* RFC 3986 §2.3; "./" before, so that no name is a scheme. */
static void put_address(struct buf *out, const char *path)
{
	buf_text(out, "./");
	for (const char *p = path; *p != '\0'; p++)
		if (isalnum((unsigned char)*p) || strchr("-._~/", *p) != NULL)
			buf_u8(out, (uint8_t)*p);
		else
			buf_format(out, "%%%02X", (unsigned char)*p);
}

void part_link(struct markup *m, const char *path, const char *text)
{
	struct buf address = BUF_EMPTY;

	put_address(&address, path);
	markup_open(m, "a");
	markup_attribute(m, "href", buf_string(&address));
	part_text(m, text);
	markup_close(m);
	buf_free(&address);
}
