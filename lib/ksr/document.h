/* SPDX-License-Identifier: ISC */
/* An input file of a run: its bytes, its hash, and what it says. */
#ifndef LIB_KSR_DOCUMENT_H
#define LIB_KSR_DOCUMENT_H

#include "lib/base/buf.h"
#include "lib/hash/sha256.h"
#include "lib/ksr/ksr.h"

struct document {
	const char *path; /* borrowed */
	struct buf bytes;
	uint8_t sha256[SHA256_LEN];
	struct ksr *ksr;   /* NULL where the bytes are no such document */
	struct err reason; /* why, for KSR-FILE or SKR-FILE */
};

#define DOCUMENT_EMPTY {.path = NULL}

/*
 * Read and parse.  A file that is too large, no XML or not valid is success
 * with ksr NULL and a reason: that is a finding.  A file that cannot be read
 * at all is ERR_INPUT.
 */
bool document_read(const struct xml_schema *schema, const char *path,
	size_t max, enum ksr_kind kind, struct document *out, struct err *err);

void document_clear(struct document *document);

#endif
