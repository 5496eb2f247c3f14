/* SPDX-License-Identifier: ISC */
/*
 * The strict reader under config.c: turns YAML events into maps, lists and
 * scalars, refuses everything else, and knows where it is (line, and the
 * path of keys such as "schemas.normal.3.sign"), so that every refusal says
 * so.  Private to the config module, and its only user of libyaml.
 *
 * Reading is recursive descent: the caller says what must come next.  So the
 * depth is that of the calls in config.c, whatever the file holds.
 */
#ifndef LIB_CONFIG_READER_H
#define LIB_CONFIG_READER_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A map or a list with more entries is refused. */
#define READER_ENTRIES_MAX ((size_t)1024)

struct reader;

/* One value, as written; text is borrowed until the reader moves on. */
struct scalar {
	const char *text;
	size_t length;
	bool plain; /* not quoted, so it may be a number or a boolean */
};

/* Open the one document in the bytes, which must outlive the reader. */
bool reader_new(const char *name, const uint8_t *bytes, size_t size,
	struct reader **out, struct err *err);

/* Free, and wipe what libyaml held of the text.  NULL is allowed. */
void reader_free(struct reader *reader);

/* Nothing may follow any more. */
bool reader_end(struct reader *reader, struct err *err);

/*
 * Read a map: entry is called for each key, with the value next in line and
 * not yet read.  A key that is not a scalar, or stands there twice, is
 * refused here.
 */
typedef bool reader_entry(
	void *context, struct reader *reader, const char *key, struct err *err);
bool reader_map(struct reader *reader, reader_entry *entry, void *context,
	struct err *err);

/*
 * Read a scalar, or a list of scalars.  With alone_allowed one scalar in place
 * of the list is a list of one.  item is called for each.
 */
typedef bool reader_item(void *context, struct reader *reader,
	const struct scalar *scalar, struct err *err);
bool reader_scalar(struct reader *reader, reader_item *item, void *context,
	struct err *err);
bool reader_list(struct reader *reader, bool alone_allowed, reader_item *item,
	void *context, struct err *err);

/* The line of the last event, and back to it for a refusal. */
size_t reader_line(const struct reader *reader);
void reader_back_to(struct reader *reader, size_t line);

/*
 * Refuse: fills err with "FILE: line N: PATH: message" and returns false.
 * The line is that of the last event, the path that of the keys around it.
 */
bool reader_refuse(const struct reader *reader, struct err *err,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Refuse a key: the same, with key as the last part of the path. */
bool reader_refuse_key(const struct reader *reader, const char *key,
	struct err *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Refuse the key around as one that there is not.  It may be a PIN in the
 * wrong place, and is shown where it cannot be.  expected: those that there
 * are, or NULL.
 */
bool reader_refuse_unknown(
	struct reader *reader, struct err *err, const char *expected);

#endif
