/* SPDX-License-Identifier: ISC */
/*
 * The door to libxml2: no other module includes its headers.
 *
 * Reading is fail-closed: no network, no DTD, no entity declarations, no
 * XInclude, UTF-8 only, nesting of at most XML_DEPTH_MAX; and a document is
 * handed out only after it was checked against the schema that is part of
 * the program (lib/xml/ksr.rng).  The caller bounds the size.
 */
#ifndef LIB_XML_XML_H
#define LIB_XML_XML_H

#include "lib/base/buf.h"

#define XML_DEPTH_MAX 8

struct xml_schema; /* the schema, compiled */

bool xml_schema_new(struct xml_schema **out, struct err *err);
/* The same for trust anchor files (lib/xml/anchor.rng). */
bool xml_schema_new_anchor(struct xml_schema **out, struct err *err);
void xml_schema_free(struct xml_schema *schema);

struct xml_doc;
struct xml_node; /* an element; lives as long as its document */

/* Errors: ERR_INPUT, with the line. */
bool xml_read(const struct xml_schema *schema, const void *data, size_t len,
	struct xml_doc **out, struct err *err);
void xml_doc_free(struct xml_doc *doc);

const struct xml_node *xml_root(const struct xml_doc *doc);
/* The first child element of that name, or NULL. */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
/* The next sibling element of the same name, or NULL. */
const struct xml_node *xml_next(const struct xml_node *node);
unsigned long xml_line(const struct xml_node *node);
const char *xml_name(const struct xml_node *node);

/*
 * Put the text of an element (CDATA too, comments left out) or the value of
 * an attribute into out, which is cleared first.  A missing attribute is
 * ERR_INPUT.
 */
bool xml_text(const struct xml_node *node, struct buf *out, struct err *err);
bool xml_attribute(const struct xml_node *node, const char *name,
	struct buf *out, struct err *err);

/* Append text as content or attribute value, with & < > " escaped. */
void xml_write_text(struct buf *out, const char *text);

/*
 * Is text UTF-8 (RFC 3629) of 1 to max characters, none of them a control
 * character?
 */
bool xml_is_line(const char *text, int max);

#endif
