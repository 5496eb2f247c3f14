/* SPDX-License-Identifier: ISC */
/* Private to the XML module: a better word on what is wrong than libxml2's. */
#ifndef LIB_XML_BLAME_H
#define LIB_XML_BLAME_H

#include "lib/base/err.h"

#include <stdbool.h>

/*
 * An element on that line of the document (an xmlDoc) has an attribute that is
 * missing, unknown or of another form, or a content of another form: true, and
 * err says which, and what would have been right.
 */
bool xml_blame(const void *doc, long line, struct err *err);

#endif
