/* SPDX-License-Identifier: ISC */
#include "ceremony/journal.h"

#include "base/hex.h"
#include "base/text.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void journal_start(struct journal *journal)
{
	journal->lines = 0;
	memset(journal->hash, '0', JOURNAL_HASH_LEN);
	journal->hash[JOURNAL_HASH_LEN] = '\0';
}

/* The hash of a line that follows this one. */
static bool chain(const char before[JOURNAL_HASH_LEN + 1], const char *rest,
	char out[JOURNAL_HASH_LEN + 1], struct err *err)
{
	uint8_t hash[CRYPTO_SHA256_LEN];
	struct buf text = BUF_EMPTY;
	bool ok;

	buf_format(&text, "%s %s", before, rest);
	ok = buf_ok(&text, err) &&
	     crypto_sha256(text.data, text.len, hash, err);
	buf_clear(&text);
	hex_encode(&text, hash, sizeof(hash));
	ok = ok && buf_ok(&text, err);
	if (ok)
		strcpy(out, buf_string(&text));
	buf_free(&text);
	return ok;
}

bool journal_line(struct journal *journal, const char *kind, const char *text,
	struct buf *out, struct err *err)
{
	char time[TIME_TEXT_MAX], hash[JOURNAL_HASH_LEN + 1];
	struct buf rest = BUF_EMPTY;
	bool ok;

	time_format(time_now(), TIME_Z, time);
	buf_format(&rest, "%" PRIu64 " %s %s ", journal->lines + 1, time, kind);
	text_escape(&rest, text, strlen(text));
	ok = buf_ok(&rest, err) &&
	     chain(journal->hash, buf_string(&rest), hash, err);
	if (ok) {
		buf_format(out, "%s %s\n", hash, buf_string(&rest));
		ok = buf_ok(out, err);
	}
	if (ok) {
		journal->lines++;
		strcpy(journal->hash, hash);
	}
	buf_free(&rest);
	return ok;
}

/* Cut off the word at *text. */
static char *word(char **text)
{
	char *start = *text;

	*text += strcspn(*text, " ");
	if (**text == ' ')
		*(*text)++ = '\0';
	return start;
}

bool journal_check(struct journal *journal, char **text,
	struct journal_entry *entry, struct err *err)
{
	char *line = *text, *end = strchr(line, '\n'), *rest, *number;
	char hash[JOURNAL_HASH_LEN + 1], expected[32];

	if (end == NULL)
		return err_set(err, ERR_REFUSED, "line %" PRIu64 " is cut off",
			journal->lines + 1);
	*end = '\0';
	rest = line;
	if (strcspn(line, " ") == JOURNAL_HASH_LEN)
		word(&rest);
	if (!chain(journal->hash, rest, hash, err))
		return false;
	snprintf(expected, sizeof(expected), "%" PRIu64, journal->lines + 1);
	if (rest == line || strcmp(line, hash) != 0)
		return err_set(err, ERR_REFUSED,
			"line %s, or one before it, was changed, cut or put "
			"in",
			expected);
	number = word(&rest);
	if (strcmp(number, expected) != 0)
		return err_set(err, ERR_REFUSED, "line %s has the number %.20s",
			expected, number);
	entry->time = word(&rest);
	entry->kind = word(&rest);
	entry->text = rest;
	journal->lines++;
	strcpy(journal->hash, hash);
	*text = end + 1;
	return true;
}
