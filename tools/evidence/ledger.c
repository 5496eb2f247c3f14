/* SPDX-License-Identifier: ISC */
#include "tools/evidence/ledger.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/cli/feed.h"
#include "lib/cli/place.h"
#include "lib/hash/sha256.h"
#include "tools/evidence/alarm.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMALL_NUMBERS 9 /* NAME-2 to NAME-9; then the file's own number */

bool ledger_new(struct ledger *out, struct err *err)
{
	char time[TIME_TEXT_MAX];
	struct buf path = BUF_EMPTY;
	size_t journal_file;
	bool ok = false;

	*out = (struct ledger){.spool = NULL};
	journal_start(&out->journal);
	place_make_run();
	place(&path, PLACE_RUN "/log");
	mkdir(buf_string(&path), 0700);
	time_format(time_now(), TIME_FILE, time);
	buf_format(&path, "/%s", time);
	for (int i = 0; i < 100 && !ok; i++) {
		if (i > 0)
			buf_format(&path, "x");
		ok = spool_new(buf_string(&path), &out->spool, err);
		if (!ok && errno != EEXIST)
			break;
	}
	buf_free(&path);
	return ok && spool_add(out->spool, LEDGER_JOURNAL, &journal_file, err);
}

void ledger_free(struct ledger *ledger)
{
	spool_free(ledger->spool);
	ledger->spool = NULL;
}

/* Said on every terminal once, until there is room again. */
static bool fail(struct ledger *ledger, struct err *err)
{
	struct buf text = BUF_EMPTY;

	if (!ledger->full) {
		buf_format(&text, "ceremony-log: NOT RECORDING: %s", err->text);
		alarm_show(buf_string(&text));
		buf_free(&text);
	}
	ledger->full = true;
	return false;
}

bool ledger_line(struct ledger *ledger, const char *kind, const char *text,
	struct err *err)
{
	struct buf escaped = BUF_EMPTY;
	bool ok;

	text_escape(&escaped, text, strlen(text));
	ok = ledger_line_as_is(ledger, kind, buf_string(&escaped), err);
	buf_free(&escaped);
	return ok;
}

bool ledger_line_as_is(struct ledger *ledger, const char *kind,
	const char *text, struct err *err)
{
	struct journal next = ledger->journal;
	struct buf line = BUF_EMPTY;
	bool ok;

	ok = journal_line(&next, kind, text, &line, err) &&
	     spool_write(ledger->spool, 0, line.data, line.len, err);
	buf_free(&line);
	if (ok)
		ledger->journal = next;
	/* A text that cannot stand there says nothing of the memory. */
	if (ok || err->kind != ERR_INPUT)
		ok = ok || fail(ledger, err);
	ledger->full = ledger->full && !ok;
	return ok;
}

/* The number goes before the ending: a-2.log. */
static void numbered(struct buf *out, const char *name, size_t number)
{
	const char *end = strrchr(name, '.');
	size_t len = end != NULL ? (size_t)(end - name) : strlen(name);

	buf_clear(out);
	buf_bytes(out, name, len);
	if (number > 1)
		buf_format(out, "-%zu", number);
	buf_text(out, name + len);
}

bool ledger_open(struct ledger *ledger, const char *name,
	struct ledger_stream *out, struct err *err)
{
	struct ledger_stream stream = {.file = 0};
	size_t number = 1;
	struct buf text = BUF_EMPTY;
	bool ok;

	numbered(&text, name, number);
	while (feed_is_name(name) && !text.failed &&
		spool_has(ledger->spool, buf_string(&text))) {
		number = number < SMALL_NUMBERS ||
					 number > spool_count(ledger->spool)
				 ? number + 1
				 : spool_count(ledger->spool) + 1;
		numbered(&text, name, number);
	}
	ok = buf_ok(&text, err) &&
	     spool_add(ledger->spool, buf_string(&text), &stream.file, err) &&
	     ledger_line(ledger, "open", buf_string(&text), err);
	if (ok)
		*out = stream;
	buf_free(&text);
	return ok;
}

bool ledger_take(struct ledger *ledger, struct ledger_stream *stream,
	const void *data, size_t len, struct err *err)
{
	if (len == 0)
		return true;
	if (stream->hash == NULL && !sha256_new(&stream->hash, err))
		return fail(ledger, err);
	if (!spool_write(ledger->spool, stream->file, data, len, err))
		return fail(ledger, err);
	return sha256_update(stream->hash, data, len, err) || fail(ledger, err);
}

bool ledger_vouch(
	struct ledger *ledger, struct ledger_stream *stream, struct err *err)
{
	uint64_t size = ledger_size(ledger, stream);
	uint8_t hash[SHA256_LEN];
	struct buf text = BUF_EMPTY;
	bool ok;

	if (stream->hash == NULL || size == stream->vouched)
		return true;
	if (!sha256_final(stream->hash, hash, err))
		return fail(ledger, err);
	sha256_free(stream->hash);
	stream->hash = NULL;
	buf_format(&text, "%s %" PRIu64 " %" PRIu64 " ",
		ledger_name(ledger, stream), stream->vouched,
		size - stream->vouched);
	hex_encode(&text, hash, sizeof(hash));
	ok = ledger_line(ledger, "data", buf_string(&text), err);
	stream->vouched = size;
	buf_free(&text);
	return ok;
}

bool ledger_close(
	struct ledger *ledger, struct ledger_stream *stream, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = ledger_vouch(ledger, stream, err);

	buf_format(&text, "%s %" PRIu64, ledger_name(ledger, stream),
		ledger_size(ledger, stream));
	ok = ledger_line(ledger, "close", buf_string(&text), err) && ok;
	buf_free(&text);
	spool_done(ledger->spool, stream->file);
	sha256_free(stream->hash);
	stream->hash = NULL;
	return ok;
}

const char *ledger_name(
	const struct ledger *ledger, const struct ledger_stream *stream)
{
	return spool_name(ledger->spool, stream->file);
}

uint64_t ledger_size(
	const struct ledger *ledger, const struct ledger_stream *stream)
{
	return spool_size(ledger->spool, stream->file);
}
