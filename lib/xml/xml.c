/* SPDX-License-Identifier: ISC */
#include "lib/xml/xml.h"

#include "lib/xml/blame.h"
#include "lib/xml/schema.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/SAX2.h>
#include <libxml/tree.h>
#include <libxml/xmlstring.h>
#include <stdlib.h>
#include <string.h>

/* libxml2 made the error that handlers get constant in 2.12. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *xml_error;
#else
typedef xmlError *xml_error;
#endif

/* More than any element of ours has. */
#define ATTRIBUTES_MAX 16

struct xml_schema {
	xmlRelaxNG *compiled;
	const char *root; /* what the document is, for messages */
};

/* What the parser's callbacks found and cannot say themselves. */
struct guard {
	bool doctype;
	bool deep;
	int line;
};

/* Keep the first message: the later ones are its consequences. */
static void keep_first(void *context, xml_error error)
{
	static const char missing[] = "Expecting an element , got nothing";
	const xmlNode *node = error->node;
	struct err *err = context;
	int len = (int)strcspn(error->message, "\n");

	if (err->kind != ERR_NONE)
		return;
	/* What libxml2 says when the last of several elements is missing. */
	if (node != NULL &&
		strncmp(error->message, missing, sizeof(missing) - 1) == 0)
		err_set(err, ERR_INPUT, "line %d: %s without all its elements",
			error->line, (const char *)node->name);
	else
		err_set(err, ERR_INPUT, "line %d: %.*s", error->line, len,
			error->message);
}

static void ignore(void *context, xml_error error)
{
	(void)context;
	(void)error;
}

static bool compile(const unsigned char *text, size_t len, const char *root,
	struct xml_schema **out, struct err *err)
{
	struct xml_schema *schema = calloc(1, sizeof(*schema));
	xmlRelaxNGParserCtxt *parser = NULL;
	bool ok = false;

	if (schema == NULL)
		return err_nomem(err);
	schema->root = root;
	parser = xmlRelaxNGNewMemParserCtxt((const char *)text, (int)len);
	if (parser == NULL) {
		err_nomem(err);
		goto done;
	}
	schema->compiled = xmlRelaxNGParse(parser);
	if (schema->compiled == NULL) {
		err_set(err, ERR_INPUT, "the schema does not compile");
		goto done;
	}
	*out = schema;
	schema = NULL;
	ok = true;
done:
	xmlRelaxNGFreeParserCtxt(parser);
	xml_schema_free(schema);
	return ok;
}

bool xml_schema_new(struct xml_schema **out, struct err *err)
{
	return compile(schema_bytes, schema_len, "a KSR or SKR", out, err);
}

bool xml_schema_new_anchor(struct xml_schema **out, struct err *err)
{
	return compile(schema_anchor_bytes, schema_anchor_len, "a trust anchor",
		out, err);
}

void xml_schema_free(struct xml_schema *schema)
{
	if (schema == NULL)
		return;
	xmlRelaxNGFree(schema->compiled);
	free(schema);
}

static void stop_at_doctype(void *context, const xmlChar *name,
	const xmlChar *external_id, const xmlChar *system_id)
{
	xmlParserCtxt *parser = context;
	struct guard *guard = parser->_private;

	(void)name;
	(void)external_id;
	(void)system_id;
	guard->doctype = true;
	guard->line = xmlSAX2GetLineNumber(parser);
	xmlStopParser(parser);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * Blanks behind an element are layout, and there is one for each element: an
 * element with elements in it has no text here.  Any other text stays.
 */
static void keep_text(void *context, const xmlChar *text, int len)
{
	const xmlParserCtxt *parser = context;
	int i = 0;

	if (parser->node != NULL && parser->node->last != NULL &&
		parser->node->last->type == XML_ELEMENT_NODE)
		while (i < len && is_blank(text[i]))
			i++;
	if (i < len)
		xmlSAX2Characters(context, text, len);
}

static void start_element(void *context, const xmlChar *localname,
	const xmlChar *prefix, const xmlChar *uri, int namespaces_count,
	const xmlChar **namespaces, int attributes_count, int defaulted_count,
	const xmlChar **attributes)
{
	xmlParserCtxt *parser = context;
	struct guard *guard = parser->_private;

	if (parser->nodeNr >= XML_DEPTH_MAX) {
		guard->deep = true;
		guard->line = xmlSAX2GetLineNumber(parser);
		xmlStopParser(parser);
		return;
	}
	xmlSAX2StartElementNs(context, localname, prefix, uri, namespaces_count,
		namespaces, attributes_count, defaulted_count, attributes);
}

/* What must be known before the parser guesses an encoding. */
static bool check_bytes(const struct xml_schema *schema, const uint8_t *data,
	size_t len, struct err *err)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
	size_t start = 0;

	if (len > INT32_MAX)
		return err_set(err, ERR_INPUT, "too large");
	if (len >= sizeof(bom) && memcmp(data, bom, sizeof(bom)) == 0)
		start = sizeof(bom);
	while (start < len && is_blank(data[start]))
		start++;
	if (start == len)
		return err_set(
			err, ERR_INPUT, "empty, expected %s", schema->root);
	if (memchr(data, 0, len) != NULL)
		return err_set(
			err, ERR_INPUT, "a NUL byte, expected UTF-8 text");
	if (data[start] != '<')
		return err_set(err, ERR_INPUT,
			"does not begin with <, expected UTF-8 XML");
	return true;
}

static size_t line_at(const uint8_t *data, size_t at)
{
	size_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += data[i] == '\n';
	return line;
}

/* Where what begins here ends: behind the text, or at the end of all. */
static size_t skip_to(
	const uint8_t *data, size_t len, size_t at, const char *text)
{
	const uint8_t *found = memmem(data + at, len - at, text, strlen(text));

	return found != NULL ? (size_t)(found - data) + strlen(text) : len;
}

static bool starts(const uint8_t *data, size_t len, size_t at, const char *text)
{
	return len - at >= strlen(text) &&
	       memcmp(data + at, text, strlen(text)) == 0;
}

/* Behind the tag that begins here; *equals counts its attributes. */
static size_t skip_tag(
	const uint8_t *data, size_t len, size_t at, size_t *equals)
{
	*equals = 0;
	for (; at < len && data[at] != '>'; at++) {
		if (data[at] == '"' || data[at] == '\'') {
			const char quote[] = {(char)data[at], '\0'};

			at = skip_to(data, len, at + 1, quote) - 1;
		} else {
			*equals += data[at] == '=';
		}
	}
	return at;
}

/*
 * The parser compares each attribute of an element with each other one: a
 * tag of a hundred thousand would keep it busy for minutes.
 */
static bool check_tags(const uint8_t *data, size_t len, struct err *err)
{
	static const char *const others[][2] = {
		{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};

	for (size_t at = 0; at < len;) {
		const uint8_t *tag = memchr(data + at, '<', len - at);
		size_t equals = 0, next = 0;

		if (tag == NULL)
			return true;
		at = (size_t)(tag - data);
		for (size_t i = 0; next == 0 && i < 3; i++)
			if (starts(data, len, at, others[i][0]))
				next = skip_to(data, len,
					at + strlen(others[i][0]),
					others[i][1]);
		if (next == 0)
			next = skip_tag(data, len, at + 1, &equals);
		if (equals > ATTRIBUTES_MAX)
			return err_set(err, ERR_INPUT,
				"line %zu: an element with more than %d attributes",
				line_at(data, at), ATTRIBUTES_MAX);
		at = next;
	}
	return true;
}

/* Why the parser stopped. */
static bool parse_error(
	xmlParserCtxt *parser, const struct guard *guard, struct err *err)
{
	const xmlError *error = xmlCtxtGetLastError(parser);

	if (guard->doctype)
		return err_set(err, ERR_INPUT,
			"line %d: a document type declaration is not allowed",
			guard->line);
	if (guard->deep)
		return err_set(err, ERR_INPUT,
			"line %d: elements nested deeper than %d", guard->line,
			XML_DEPTH_MAX);
	if (error == NULL || error->message == NULL)
		return err_set(err, ERR_INPUT, "not well-formed XML");
	return err_set(err, ERR_INPUT, "line %d: not well-formed XML: %.*s",
		error->line, (int)strcspn(error->message, "\n"),
		error->message);
}

static bool check_encoding(const xmlDoc *doc, struct err *err)
{
	const char *encoding = (const char *)doc->encoding;

	if (encoding == NULL || strcasecmp(encoding, "UTF-8") == 0)
		return true;
	return err_set(
		err, ERR_INPUT, "encoding %.40s, expected UTF-8", encoding);
}

static xmlDoc *parse(const void *data, size_t len, struct err *err)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR |
			    XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |
			    XML_PARSE_BIG_LINES | XML_PARSE_COMPACT;
	xmlParserCtxt *parser = xmlNewParserCtxt();
	struct guard guard = {0};
	xmlDoc *doc;

	if (parser == NULL) {
		err_nomem(err);
		return NULL;
	}
	parser->_private = &guard;
	parser->sax->internalSubset = stop_at_doctype;
	parser->sax->startElementNs = start_element;
	parser->sax->characters = keep_text;
	parser->sax->ignorableWhitespace = keep_text;
	parser->sax->serror = ignore;
	doc = xmlCtxtReadMemory(parser, data, (int)len, NULL, NULL, options);
	if (doc == NULL || guard.doctype || guard.deep) {
		parse_error(parser, &guard, err);
		xmlFreeDoc(doc);
		doc = NULL;
	}
	xmlFreeParserCtxt(parser);
	if (doc != NULL && !check_encoding(doc, err)) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	return doc;
}

/* The line that the validator's message names. */
static long first_line(const struct err *err)
{
	static const char before[] = "line ";

	if (strncmp(err->text, before, sizeof(before) - 1) != 0)
		return -1;
	return strtol(err->text + sizeof(before) - 1, NULL, 10);
}

static bool validate(
	const struct xml_schema *schema, xmlDoc *doc, struct err *err)
{
	xmlRelaxNGValidCtxt *valid = xmlRelaxNGNewValidCtxt(schema->compiled);
	struct err first = ERR_EMPTY;
	int result;

	if (valid == NULL)
		return err_nomem(err);
	xmlRelaxNGSetValidStructuredErrors(valid, keep_first, &first);
	result = xmlRelaxNGValidateDoc(valid, doc);
	xmlRelaxNGFreeValidCtxt(valid);
	if (result == 0)
		return true;
	if (first.kind == ERR_NONE)
		return err_set(err, ERR_INPUT, "not valid");
	xml_blame(doc, first_line(&first), &first);
	*err = first;
	return err_prefix(err, "not valid");
}

bool xml_read(const struct xml_schema *schema, const void *data, size_t len,
	struct xml_doc **out, struct err *err)
{
	xmlDoc *doc;

	if (!check_bytes(schema, data, len, err) || !check_tags(data, len, err))
		return false;
	doc = parse(data, len, err);
	if (doc == NULL)
		return false;
	if (!validate(schema, doc, err)) {
		xmlFreeDoc(doc);
		return false;
	}
	*out = (struct xml_doc *)doc;
	return true;
}

/* struct xml_doc and struct xml_node are libxml2's, seen from outside. */

static const xmlNode *inner(const struct xml_node *node)
{
	return (const xmlNode *)node;
}

void xml_doc_free(struct xml_doc *doc)
{
	if (doc != NULL)
		xmlFreeDoc((xmlDoc *)doc);
}

const struct xml_node *xml_root(const struct xml_doc *doc)
{
	return (const struct xml_node *)xmlDocGetRootElement(
		(const xmlDoc *)doc);
}

static const struct xml_node *element_from(
	const xmlNode *node, const char *name)
{
	for (; node != NULL; node = node->next)
		if (node->type == XML_ELEMENT_NODE &&
			strcmp((const char *)node->name, name) == 0)
			return (const struct xml_node *)node;
	return NULL;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
	return element_from(inner(node)->children, name);
}

const struct xml_node *xml_next(const struct xml_node *node)
{
	return element_from(inner(node)->next, xml_name(node));
}

unsigned long xml_line(const struct xml_node *node)
{
	return (unsigned long)xmlGetLineNo(inner(node));
}

const char *xml_name(const struct xml_node *node)
{
	return (const char *)inner(node)->name;
}

static bool collect(const xmlNode *node, struct buf *out, struct err *err)
{
	buf_clear(out);
	for (; node != NULL; node = node->next)
		if ((node->type == XML_TEXT_NODE ||
			    node->type == XML_CDATA_SECTION_NODE) &&
			node->content != NULL)
			buf_text(out, (const char *)node->content);
	return buf_ok(out, err);
}

bool xml_text(const struct xml_node *node, struct buf *out, struct err *err)
{
	return collect(inner(node)->children, out, err);
}

bool xml_attribute(const struct xml_node *node, const char *name,
	struct buf *out, struct err *err)
{
	const xmlAttr *attribute = inner(node)->properties;

	for (; attribute != NULL; attribute = attribute->next)
		if (strcmp((const char *)attribute->name, name) == 0)
			return collect(attribute->children, out, err);
	return err_set(err, ERR_INPUT, "line %lu: %s without %s",
		xml_line(node), xml_name(node), name);
}

void xml_write_text(struct buf *out, const char *text)
{
	for (;;) {
		size_t run = strcspn(text, "&<>\"\t\n\r");

		buf_bytes(out, text, run);
		text += run;
		switch (*text++) {
		case '\0':
			return;
		case '&':
			buf_text(out, "&amp;");
			break;
		case '<':
			buf_text(out, "&lt;");
			break;
		case '>':
			buf_text(out, "&gt;");
			break;
		case '"':
			buf_text(out, "&quot;");
			break;
		default:
			/* else a reader would make a blank of it */
			buf_format(out, "&#%d;", text[-1]);
		}
	}
}

bool xml_is_line(const char *text, int max)
{
	const xmlChar *chars = (const xmlChar *)text;

	if (xmlCheckUTF8(chars) != 1 || *text == '\0' ||
		xmlUTF8Strlen(chars) > max)
		return false;
	/* C0 and DEL; and C1, which begins with 0xc2. */
	for (; *chars != '\0'; chars++)
		if (*chars < 0x20 || *chars == 0x7f ||
			(chars[0] == 0xc2 && chars[1] < 0xa0))
			return false;
	return true;
}
