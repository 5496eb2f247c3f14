/* SPDX-License-Identifier: ISC */
/*
 * Which attribute is it?  The validator says of an element that its
 * attributes are wrong and no more.  This looks for the first that is
 * missing, unknown or of another form, by a table of what the schemas have.
 */
#include "lib/xml/attributes.h"

#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#define ATTRIBUTES_MAX 3
#define TEXT_MAX ((size_t)256)

enum form {
	FORM_TEXT,
	FORM_NUMBER,
	FORM_TIME, /* its own reader says what is wrong with it */
};

struct expected {
	const char *element;
	struct {
		const char *name;
		enum form form;
		bool optional;
	} attributes[ATTRIBUTES_MAX];
};

#define IDENTIFIER {"keyIdentifier", FORM_TEXT, false}
#define SIZE {"size", FORM_NUMBER, false}

static const struct expected table[] = {
	{"KSR", {{"id", FORM_TEXT, false}, {"domain", FORM_TEXT, false},
			{"serial", FORM_NUMBER, false}}},
	{"Request", {{"timestamp", FORM_TIME, true}}},
	{"Response", {{"timestamp", FORM_TIME, true}}},
	{"RequestBundle", {{"id", FORM_TEXT, false}}},
	{"ResponseBundle", {{"id", FORM_TEXT, false}}},
	{"Signer", {IDENTIFIER}},
	{"Signature", {IDENTIFIER}},
	{"Key", {IDENTIFIER, {"keyTag", FORM_NUMBER, false}}},
	{"SignatureAlgorithm", {{"algorithm", FORM_NUMBER, false}}},
	{"RSA", {SIZE, {"exponent", FORM_NUMBER, false}}},
	{"ECDSA", {SIZE}},
	{"EdDSA", {SIZE}},
	{"TrustAnchor",
		{{"id", FORM_TEXT, false}, {"source", FORM_TEXT, true}}},
	{"KeyDigest",
		{{"id", FORM_TEXT, false}, {"validFrom", FORM_TIME, false},
			{"validUntil", FORM_TIME, true}}},
};

/* Elements that no schema has an attribute for. */
static const struct expected none = {.element = NULL};

static const struct expected *expected_of(const char *element)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].element, element) == 0)
			return &table[i];
	return &none;
}

static const xmlAttr *find(const xmlNode *node, const char *name)
{
	const xmlAttr *attribute = node->properties;

	while (attribute != NULL &&
		strcmp((const char *)attribute->name, name) != 0)
		attribute = attribute->next;
	return attribute;
}

static bool is_expected(const struct expected *expected, const char *name)
{
	for (size_t i = 0;
		i < ATTRIBUTES_MAX && expected->attributes[i].name != NULL; i++)
		if (strcmp(expected->attributes[i].name, name) == 0)
			return true;
	return false;
}

static bool is_number(const char *text)
{
	text += strspn(text, " \t\r\n");
	text += *text == '-' || *text == '+';
	if (*text < '0' || *text > '9')
		return false;
	text += strspn(text, "0123456789");
	return text[strspn(text, " \t\r\n")] == '\0';
}

/* Has the value the form?  Otherwise err says what was expected. */
static bool check_value(
	const xmlAttr *attribute, enum form form, struct err *err)
{
	xmlChar *value =
		xmlNodeListGetString(attribute->doc, attribute->children, 1);
	const char *text = value != NULL ? (const char *)value : "";
	const char *name = (const char *)attribute->name;
	const char *element = (const char *)attribute->parent->name;
	bool ok = true;

	if (form == FORM_NUMBER && !is_number(text))
		ok = err_set(err, ERR_INPUT,
			"line %ld: %s of %s: \"%.40s\" is not a number",
			xmlGetLineNo(attribute->parent), name, element, text);
	else if (form == FORM_TEXT && strlen(text) > TEXT_MAX)
		ok = err_set(err, ERR_INPUT,
			"line %ld: %s of %s: more than %zu characters",
			xmlGetLineNo(attribute->parent), name, element,
			TEXT_MAX);
	xmlFree(value);
	return ok;
}

/* False where an attribute of this element is wrong, and err says which. */
static bool check_element(const xmlNode *node, struct err *err)
{
	const char *element = (const char *)node->name;
	const struct expected *expected = expected_of(element);

	for (const xmlAttr *a = node->properties; a != NULL; a = a->next)
		if (!is_expected(expected, (const char *)a->name))
			return err_set(err, ERR_INPUT,
				"line %ld: %.40s has an attribute %.40s, which is unknown",
				xmlGetLineNo(node), element,
				(const char *)a->name);
	for (size_t i = 0;
		i < ATTRIBUTES_MAX && expected->attributes[i].name != NULL;
		i++) {
		const xmlAttr *there = find(node, expected->attributes[i].name);

		if (there == NULL && !expected->attributes[i].optional)
			return err_set(err, ERR_INPUT,
				"line %ld: %s without %s", xmlGetLineNo(node),
				element, expected->attributes[i].name);
		if (there != NULL &&
			!check_value(there, expected->attributes[i].form, err))
			return false;
	}
	return true;
}

/* The next element of the document, depth first; NULL after the last. */
static const xmlNode *next_element(const xmlNode *node)
{
	const xmlNode *next = node->children;

	for (;;) {
		while (next != NULL && next->type != XML_ELEMENT_NODE)
			next = next->next;
		if (next != NULL)
			return next;
		if (node == NULL || node->type != XML_ELEMENT_NODE)
			return NULL;
		next = node->next;
		node = node->parent;
	}
}

bool xml_attributes_blame(const void *doc, long line, struct err *err)
{
	const xmlNode *node = xmlDocGetRootElement(doc);
	struct err found = ERR_EMPTY;

	for (; node != NULL; node = next_element(node)) {
		if (xmlGetLineNo(node) != line || check_element(node, &found))
			continue;
		*err = found;
		return true;
	}
	return false;
}
