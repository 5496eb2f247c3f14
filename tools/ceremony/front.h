/* SPDX-License-Identifier: ISC */
/* Shared by the reader's files only: the lines of YAML at a script's head. */
#ifndef TOOLS_CEREMONY_FRONT_H
#define TOOLS_CEREMONY_FRONT_H

#include "tools/ceremony/script.h"

/*
 * Read what stands between two lines "---" at the head of bytes into the
 * script. *body is where the rest begins, *line the number of its first line.
 * Errors: ERR_INPUT.
 */
bool front_read(struct script *script, const uint8_t *bytes, size_t size,
	size_t *body, size_t *line, struct err *err);

#endif
