/* SPDX-License-Identifier: ISC */
#include "documents.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdio.h>
#include <stdlib.h>

static void must(int done, const char *path)
{
	if (done)
		return;
	fprintf(stderr, "floor: libxml2 refuses %s\n", path);
	exit(1);
}

static void read_one(xmlRelaxNG *schema, const char *path)
{
	const int options =
		XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_COMPACT;
	xmlDoc *doc = xmlReadFile(path, NULL, options);
	xmlRelaxNGValidCtxt *valid = xmlRelaxNGNewValidCtxt(schema);

	must(doc != NULL && valid != NULL, path);
	must(xmlRelaxNGValidateDoc(valid, doc) == 0, path);
	xmlRelaxNGFreeValidCtxt(valid);
	xmlFreeDoc(doc);
}

void documents_read(const char *schema, char *const *paths, int count)
{
	xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(schema);
	xmlRelaxNG *compiled = parser != NULL ? xmlRelaxNGParse(parser) : NULL;

	must(compiled != NULL, schema);
	xmlRelaxNGFreeParserCtxt(parser);
	for (int i = 0; i < count; i++)
		read_one(compiled, paths[i]);
	xmlRelaxNGFree(compiled);
}
