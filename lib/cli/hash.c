/* SPDX-License-Identifier: ISC */
#include "lib/cli/hash.h"

#include "lib/base/hex.h"
#include "lib/cli/words.h"

#include <string.h>

#define WORDS_A_LINE 4
#define COLUMN 13 /* the longest word has twelve letters */

void hash_hex(struct buf *out, const uint8_t hash[SHA256_LEN])
{
	buf_text(out, "SHA-256:    ");
	hex_encode(out, hash, SHA256_LEN);
	buf_u8(out, '\n');
}

void hash_block(struct buf *out, const uint8_t hash[SHA256_LEN])
{
	struct buf words = BUF_EMPTY;
	const char *p;

	hash_hex(out, hash);
	words_write(&words, hash, SHA256_LEN, 0);
	p = buf_string(&words);
	for (size_t i = 0; *p != '\0'; i++) {
		int len = (int)strcspn(p, " ");
		bool last = i % WORDS_A_LINE == WORDS_A_LINE - 1;

		if (i % WORDS_A_LINE == 0)
			buf_text(out, i == 0 ? "PGP Words:  " : "            ");
		buf_format(out, "%.*s%*s", len, p, last ? 0 : COLUMN - len, "");
		if (last)
			buf_u8(out, '\n');
		p += len;
		p += *p == ' ';
	}
	out->failed = out->failed || words.failed;
	buf_free(&words);
}

void hash_words(struct buf *out, const uint8_t hash[SHA256_LEN])
{
	buf_text(out, ">> ");
	words_write(out, hash, SHA256_LEN, 0);
	buf_text(out, " <<");
}
