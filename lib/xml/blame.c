/* SPDX-License-Identifier: ISC */
/*
 * Which value is it?  The validator says of an element that its attributes are
 * wrong and no more, and of a value which type it does not have.  This looks
 * for the first that is missing, unknown or of another form, by tables of what
 * the schemas have; what has a type's form says libxml2, as in the validator.
 */
#include "lib/xml/blame.h"

#include <libxml/tree.h>
#include <libxml/xmlschemastypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTRIBUTES_MAX 3
#define TEXT_MAX ((size_t)256)

/* What a value must be; the schemas' names of each are XML Schema's. */
enum form {
	FORM_ANY, /* its own reader says what is wrong with it */
	FORM_TEXT,
	FORM_WORD,
	FORM_INTEGER,
	FORM_BYTE,
	FORM_SHORT,
	FORM_INT,
	FORM_LONG,
	FORM_TIME,
	FORM_DURATION,
	FORM_BASE64,
	FORM_HEX,
};

static const struct {
	xmlSchemaValType type;
	const char *words;
} forms[] = {
	[FORM_WORD] = {XML_SCHEMAS_NMTOKEN, "one word"},
	[FORM_INTEGER] = {XML_SCHEMAS_INTEGER, "a whole number"},
	[FORM_BYTE] = {XML_SCHEMAS_UBYTE, "a number from 0 to 255"},
	[FORM_SHORT] = {XML_SCHEMAS_USHORT, "a number from 0 to 65535"},
	[FORM_INT] = {XML_SCHEMAS_UINT, "a number from 0 to 4294967295"},
	[FORM_LONG] = {XML_SCHEMAS_ULONG,
		"a number from 0 to 18446744073709551615"},
	[FORM_TIME] = {XML_SCHEMAS_DATETIME,
		"a time, such as 2026-01-31T00:00:00Z"},
	[FORM_DURATION] = {XML_SCHEMAS_DURATION,
		"a length of time, such as P21D"},
	[FORM_BASE64] = {XML_SCHEMAS_BASE64BINARY, "Base64"},
	[FORM_HEX] = {XML_SCHEMAS_HEXBINARY, "whole bytes in hexadecimal"},
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
#define SIZE {"size", FORM_SHORT, false}

static const struct expected table[] = {
	{"KSR", {{"id", FORM_TEXT, false}, {"domain", FORM_TEXT, false},
			{"serial", FORM_INTEGER, false}}},
	{"Request", {{"timestamp", FORM_ANY, true}}},
	{"Response", {{"timestamp", FORM_ANY, true}}},
	{"RequestBundle", {{"id", FORM_TEXT, false}}},
	{"ResponseBundle", {{"id", FORM_TEXT, false}}},
	{"Signer", {IDENTIFIER}},
	{"Signature", {IDENTIFIER}},
	{"Key", {IDENTIFIER, {"keyTag", FORM_SHORT, false}}},
	{"SignatureAlgorithm", {{"algorithm", FORM_BYTE, false}}},
	{"RSA", {SIZE, {"exponent", FORM_LONG, false}}},
	{"ECDSA", {SIZE}},
	{"EdDSA", {SIZE}},
	{"TrustAnchor",
		{{"id", FORM_TEXT, false}, {"source", FORM_TEXT, true}}},
	{"KeyDigest",
		{{"id", FORM_TEXT, false}, {"validFrom", FORM_TIME, false},
			{"validUntil", FORM_TIME, true}}},
};

/* What an element holds between its tags. */
static const struct {
	const char *element;
	enum form form;
} contents[] = {
	{"Inception", FORM_TIME},
	{"Expiration", FORM_TIME},
	{"SignatureInception", FORM_TIME},
	{"SignatureExpiration", FORM_TIME},
	{"PublishSafety", FORM_DURATION},
	{"RetireSafety", FORM_DURATION},
	{"MaxSignatureValidity", FORM_DURATION},
	{"MinSignatureValidity", FORM_DURATION},
	{"MaxValidityOverlap", FORM_DURATION},
	{"MinValidityOverlap", FORM_DURATION},
	{"TTL", FORM_INT},
	{"OriginalTTL", FORM_INT},
	{"Flags", FORM_SHORT},
	{"KeyTag", FORM_SHORT},
	{"Protocol", FORM_BYTE},
	{"Algorithm", FORM_BYTE},
	{"Labels", FORM_BYTE},
	{"DigestType", FORM_BYTE},
	{"TypeCovered", FORM_WORD},
	{"PublicKey", FORM_BASE64},
	{"SignatureData", FORM_BASE64},
	{"Digest", FORM_HEX},
	{"SignersName", FORM_TEXT},
	{"Zone", FORM_TEXT},
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

/* A response's times are looser than a request's: their reader judges them. */
static bool is_in_response(const xmlNode *node)
{
	while (node != NULL && node->type == XML_ELEMENT_NODE &&
		strcmp((const char *)node->name, "Response") != 0)
		node = node->parent;
	return node != NULL && node->type == XML_ELEMENT_NODE;
}

static enum form form_of_content(const xmlNode *node)
{
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++)
		if (strcmp(contents[i].element, (const char *)node->name) == 0)
			return contents[i].form == FORM_TIME &&
					       is_in_response(node)
				       ? FORM_ANY
				       : contents[i].form;
	return FORM_ANY;
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

static bool has_form(const char *text, enum form form)
{
	return form == FORM_ANY ||
	       (form == FORM_TEXT && strlen(text) <= TEXT_MAX) ||
	       (form != FORM_TEXT &&
		       xmlSchemaValidatePredefinedType(
			       xmlSchemaGetBuiltInType(forms[form].type),
			       (const xmlChar *)text, NULL) == 0);
}

/* Has it the form?  Otherwise err says what was expected; who: whose value. */
static bool check_value(const xmlNode *node, const char *text, enum form form,
	const char *who, struct err *err)
{
	if (has_form(text, form))
		return true;
	if (form == FORM_TEXT)
		return err_set(err, ERR_INPUT,
			"line %ld: %s: more than %zu characters",
			xmlGetLineNo(node), who, TEXT_MAX);
	return err_set(err, ERR_INPUT, "line %ld: %s: \"%.40s\" is not %s",
		xmlGetLineNo(node), who, text, forms[form].words);
}

static bool check_attribute(
	const xmlAttr *attribute, enum form form, struct err *err)
{
	xmlChar *value =
		xmlNodeListGetString(attribute->doc, attribute->children, 1);
	char who[80];
	bool ok;

	snprintf(who, sizeof(who), "%s of %s", (const char *)attribute->name,
		(const char *)attribute->parent->name);
	ok = check_value(attribute->parent,
		value != NULL ? (const char *)value : "", form, who, err);
	xmlFree(value);
	return ok;
}

static bool check_content(const xmlNode *node, struct err *err)
{
	xmlChar *value = xmlNodeGetContent(node);
	bool ok = check_value(node, value != NULL ? (const char *)value : "",
		form_of_content(node), (const char *)node->name, err);

	xmlFree(value);
	return ok;
}

/* False where an attribute of this element is wrong, and err says which. */
static bool check_attributes(const xmlNode *node, struct err *err)
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
		if (there != NULL && !check_attribute(there,
					     expected->attributes[i].form, err))
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

/* The validator's line of a content is where that ends. */
static bool is_on(const xmlNode *node, long line)
{
	return xmlGetLineNo(node) == line ||
	       (node->children != NULL &&
		       node->children->type == XML_TEXT_NODE &&
		       xmlGetLineNo(node->children) == line);
}

bool xml_blame(const void *doc, long line, struct err *err)
{
	const xmlNode *node = xmlDocGetRootElement(doc);
	struct err found = ERR_EMPTY;

	for (; node != NULL; node = next_element(node)) {
		if (!is_on(node, line) || (check_attributes(node, &found) &&
						  check_content(node, &found)))
			continue;
		*err = found;
		return true;
	}
	return false;
}
