/* SPDX-License-Identifier: ISC */
#include "ceremony/report.h"

#include "base/file.h"
#include "base/hex.h"
#include "show/words.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS_A_LINE 4
#define COLUMN 13 /* the longest word has twelve letters */
#define ANSWER_MAX 4096

void report_words(struct buf *out, const uint8_t hash[CRYPTO_SHA256_LEN],
	const char *indent)
{
	struct buf words = BUF_EMPTY;
	const char *p;

	words_write(&words, hash, CRYPTO_SHA256_LEN, 0);
	p = buf_string(&words);
	for (size_t i = 0; *p != '\0'; i++) {
		int len = (int)strcspn(p, " ");
		bool last = i % WORDS_A_LINE == WORDS_A_LINE - 1;

		if (i > 0 && i % WORDS_A_LINE == 0)
			buf_text(out, indent);
		buf_format(out, "%.*s%*s", len, p, last ? 0 : COLUMN - len, "");
		if (last)
			buf_u8(out, '\n');
		p += len;
		p += *p == ' ';
	}
	out->failed = out->failed || words.failed;
	buf_free(&words);
}

void report_hash(struct buf *out, const uint8_t hash[CRYPTO_SHA256_LEN])
{
	buf_text(out, "SHA-256:    ");
	hex_encode(out, hash, CRYPTO_SHA256_LEN);
	buf_text(out, "\nPGP Words:  ");
	report_words(out, hash, "            ");
}

bool report_print(struct buf *text, struct err *err)
{
	return buf_ok(text, err) &&
	       file_write_fd(STDOUT_FILENO, "standard output", text->data,
		       text->len, err);
}

bool report_ask(const char *question, struct buf *out, struct err *err)
{
	FILE *terminal = fopen("/dev/tty", "r+");
	char line[ANSWER_MAX];
	bool got;

	if (terminal == NULL)
		return err_set(err, ERR_REFUSED,
			"there is no terminal to ask on: %s", question);
	fputs(question, terminal);
	fflush(terminal);
	got = fgets(line, sizeof(line), terminal) != NULL;
	fclose(terminal);
	if (!got)
		return err_set(err, ERR_REFUSED, "nothing was typed");
	line[strcspn(line, "\r\n")] = '\0';
	buf_text(out, line);
	return buf_ok(out, err);
}
