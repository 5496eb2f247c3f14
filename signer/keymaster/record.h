/* SPDX-License-Identifier: ISC */
/*
 * The files that backups travel in: a first line that says what it is, then
 * "name: value" lines in a fixed order, nothing else.
 */
#ifndef SIGNER_KEYMASTER_RECORD_H
#define SIGNER_KEYMASTER_RECORD_H

#include "lib/base/buf.h"

#define RECORD_SIZE_MAX ((size_t)65536)

/* Write: the first line, then a text, or bytes as base64. */
void record_start(struct buf *out, const char *kind);
void record_text(struct buf *out, const char *name, const char *value);
void record_bytes(struct buf *out, const char *name, const struct buf *value);

/* Reading, from the top to the end. */
struct record {
	const char *name; /* of the file, for messages */
	char *text;       /* owned */
	char *next;       /* the line that comes */
	size_t line;
};

/*
 * Each fails with ERR_INPUT, naming file and line, where something else
 * stands there.  *out is empty before.
 */
bool record_read(const char *path, const char *kind, struct record *record,
	struct buf *raw, struct err *err);
bool record_take_text(struct record *record, const char *name, const char **out,
	struct err *err);
bool record_take_bytes(struct record *record, const char *name, struct buf *out,
	struct err *err);
bool record_end(const struct record *record, struct err *err);
void record_free(struct record *record);

#endif
