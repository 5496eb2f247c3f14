/* SPDX-License-Identifier: ISC */
/* The texts of the schemas, as compiled into the program. */
#ifndef LIB_XML_SCHEMA_H
#define LIB_XML_SCHEMA_H

#include <stddef.h>

extern const unsigned char schema_bytes[]; /* requests and responses */
extern const size_t schema_len;
extern const unsigned char schema_anchor_bytes[]; /* trust anchors */
extern const size_t schema_anchor_len;

#endif
