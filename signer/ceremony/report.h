/* SPDX-License-Identifier: ISC */
/* A hash as the ceremony's tools show it on screen and paper. */
#ifndef CEREMONY_REPORT_H
#define CEREMONY_REPORT_H

#include "base/buf.h"
#include "crypto/crypto.h"

/*
 * Append the hash in hexadecimal and in words, four to a line in columns: a
 * block of nine lines, 76 columns wide.
 */
void report_hash(struct buf *out, const uint8_t hash[CRYPTO_SHA256_LEN]);

/* Only the words, each line after indent blanks. */
void report_words(struct buf *out, const uint8_t hash[CRYPTO_SHA256_LEN],
	const char *indent);

/* All of text on standard output.  Errors: ERR_OUTPUT. */
bool report_print(struct buf *text, struct err *err);

/*
 * One line that a person types on the terminal after question, without its
 * newline, appended.  Errors: ERR_REFUSED without a terminal or an answer.
 */
bool report_ask(const char *question, struct buf *out, struct err *err);

#endif
