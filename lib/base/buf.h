/* SPDX-License-Identifier: ISC */
/*
 * A growing byte buffer with a sticky error: write freely, check once.
 *
 * After an allocation has failed every further write does nothing, and
 * buf_ok() says so.  Integers are written in network byte order.
 */
#ifndef LIB_BASE_BUF_H
#define LIB_BASE_BUF_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* owned; NULL while nothing was written */
	size_t len;    /* bytes written */
	size_t cap;
	bool failed;
};

/* struct buf buf = BUF_EMPTY; */
#define BUF_EMPTY {.data = NULL}

void buf_u8(struct buf *buf, uint8_t value);
void buf_u16(struct buf *buf, uint16_t value);
void buf_u32(struct buf *buf, uint32_t value);
/* data may be NULL when len is 0; it must not point into buf. */
void buf_bytes(struct buf *buf, const void *data, size_t len);
/* The characters of text without its NUL. */
void buf_text(struct buf *buf, const char *text);
void buf_format(struct buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Make room: the next extra bytes are written without an allocation. */
void buf_reserve(struct buf *buf, size_t extra);

/*
 * Add len bytes for the caller to fill, and return them; NULL after a failed
 * allocation.  The pointer holds until the next write.  len 0 is fine.
 */
uint8_t *buf_extend(struct buf *buf, size_t len);

/* Were all writes done?  False fills err. */
bool buf_ok(const struct buf *buf, struct err *err);

/*
 * The content as a C string, borrowed until the next write: a NUL is put
 * behind it that does not count in len.  Never NULL ("" after a failure).
 */
const char *buf_string(struct buf *buf);

/* Same bytes?  Lengths may differ. */
bool buf_equal(const struct buf *a, const struct buf *b);

/* Forget the content, keep the memory. */
void buf_clear(struct buf *buf);

/* Release; buf is BUF_EMPTY afterwards. */
void buf_free(struct buf *buf);

/* The same, with the memory wiped first. */
void buf_wipe(struct buf *buf);

#endif
