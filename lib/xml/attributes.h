/* SPDX-License-Identifier: ISC */
/* Private to the XML module: a better word on attributes than libxml2's. */
#ifndef LIB_XML_ATTRIBUTES_H
#define LIB_XML_ATTRIBUTES_H

#include "lib/base/err.h"

#include <stdbool.h>

/*
 * An attribute of an element on that line of the document (an xmlDoc) is
 * missing, unknown or of another form: true, and err says which.
 */
bool xml_attributes_blame(const void *doc, long line, struct err *err);

#endif
