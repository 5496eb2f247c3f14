/* SPDX-License-Identifier: ISC */
#include "tools/evidence/journal.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/time.h"
#include "lib/hash/sha256.h"

#include <inttypes.h>
#include <string.h>

void journal_start(struct journal *journal)
{
	journal->lines = 0;
	memset(journal->hash, '0', JOURNAL_HASH_LEN);
	journal->hash[JOURNAL_HASH_LEN] = '\0';
}

bool journal_chain(const char before[JOURNAL_HASH_LEN + 1], const char *rest,
	char out[JOURNAL_HASH_LEN + 1], struct err *err)
{
	uint8_t hash[SHA256_LEN];
	struct buf text = BUF_EMPTY;
	bool ok;

	buf_format(&text, "%s %s", before, rest);
	ok = buf_ok(&text, err) && sha256_of(text.data, text.len, hash, err);
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

	for (const char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return err_set(err, ERR_INPUT,
				"a line of the journal is printable ASCII");
	time_format(time_now(), TIME_Z, time);
	buf_format(&rest, "%" PRIu64 " %s %s ", journal->lines + 1, time, kind);
	buf_text(&rest, text);
	ok = buf_ok(&rest, err) &&
	     journal_chain(journal->hash, buf_string(&rest), hash, err);
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
