/* SPDX-License-Identifier: ISC */
/* A row for each act of each ceremony: what a spreadsheet makes sums of. */
#include "tools/ceremony/history.h"

#include "tools/ceremony/say.h"

#include <inttypes.h>
#include <string.h>

/*
 * RFC 4180.  What a spreadsheet would take for a formula gets an apostrophe: it
 * was typed by somebody else.
 */
static void put_field(struct buf *out, const char *text)
{
	struct buf shown = BUF_EMPTY;

	say_text(&shown, text);
	buf_text(out,
		strchr("=+-@", *buf_string(&shown)) != NULL && shown.len > 0
			? "\"'"
			: "\"");
	for (const char *p = buf_string(&shown); *p != '\0'; p++) {
		if (*p == '"')
			buf_u8(out, '"');
		buf_u8(out, (uint8_t)*p);
	}
	buf_text(out, "\",");
	buf_free(&shown);
}

static void put_buf(struct buf *out, const struct buf *text)
{
	struct buf copy = BUF_EMPTY;

	buf_bytes(&copy, text->data, text->len);
	put_field(out, buf_string(&copy));
	buf_free(&copy);
}

static void put_row(struct buf *out, const struct summary *summary,
	const struct summary_act *act)
{
	struct buf time = BUF_EMPTY;

	put_buf(out, &summary->name);
	say_time(&time, summary->account->begin);
	put_field(out, summary->account->begin >= 0 ? buf_string(&time) : "");
	put_buf(out, &summary->releases);
	put_buf(out, &summary->hsms);
	put_buf(out, &summary->keys);
	put_field(out,
		summary->account->course->problem_count == 0 ? "yes" : "no");
	put_field(out, act->title);
	buf_format(out, "%zu,%u,%" PRId64 ".%02d", act->steps, act->planned,
		act->taken / 60, (int)(act->taken % 60 * 100 / 60));
	for (size_t k = 0; k < ACCOUNT_KINDS; k++)
		buf_format(out, ",%zu", act->counts[k]);
	buf_text(out, "\r\n");
	buf_free(&time);
}

bool history_csv(
	const struct history *history, struct buf *out, struct err *err)
{
	buf_text(out,
		"ceremony,begin (UTC),release,HSM,keys,log whole,act,steps,minutes planned,minutes taken");
	for (size_t k = 0; k < ACCOUNT_KINDS; k++)
		buf_format(out, ",%s", account_kind_name((enum account_kind)k));
	buf_text(out, "\r\n");
	for (size_t i = 0; i < history->count; i++)
		for (size_t a = 0; a < history->list[i].act_count; a++)
			put_row(out, &history->list[i],
				&history->list[i].acts[a]);
	return buf_ok(out, err);
}
