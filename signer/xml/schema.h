/* SPDX-License-Identifier: ISC */
/* The text of the schema, as compiled into the program. */
#ifndef XML_SCHEMA_H
#define XML_SCHEMA_H

#include <stddef.h>

extern const unsigned char schema_bytes[];
extern const size_t schema_len;

#endif
