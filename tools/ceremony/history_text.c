/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/history.h"

#include "lib/base/array.h"
#include "tools/ceremony/say.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An act of that title, in all ceremonies. */
struct total {
	const char *title;
	unsigned planned;
	int64_t taken;
	size_t counts[ACCOUNT_KINDS];
	struct buf names[ACCOUNT_KINDS]; /* of the ceremonies */
};

struct totals {
	struct total *list;
	size_t count;
};

static struct total *need(
	struct totals *totals, const char *title, struct err *err)
{
	struct total *added;

	for (size_t i = 0; i < totals->count; i++)
		if (strcmp(totals->list[i].title, title) == 0)
			return &totals->list[i];
	added = array_grow(&totals->list, &totals->count, sizeof(*added), err);
	if (added != NULL)
		added->title = title;
	return added;
}

static void add_act(struct total *total, const struct summary *summary,
	const struct summary_act *act)
{
	total->planned += act->planned;
	total->taken += act->taken;
	for (size_t k = 0; k < ACCOUNT_KINDS; k++) {
		if (act->counts[k] == 0)
			continue;
		total->counts[k] += act->counts[k];
		if (total->names[k].len > 0)
			buf_text(&total->names[k], ", ");
		buf_bytes(&total->names[k], summary->name.data,
			summary->name.len);
	}
}

static bool count_all(
	const struct history *history, struct totals *out, struct err *err)
{
	for (size_t i = 0; i < history->count; i++)
		for (size_t a = 0; a < history->list[i].act_count; a++) {
			const struct summary *summary = &history->list[i];
			struct total *total =
				need(out, summary->acts[a].title, err);

			if (total == NULL)
				return false;
			add_act(total, summary, &summary->acts[a]);
		}
	return true;
}

static void totals_free(struct totals *totals)
{
	for (size_t i = 0; i < totals->count; i++)
		for (size_t k = 0; k < ACCOUNT_KINDS; k++)
			buf_free(&totals->list[i].names[k]);
	free(totals->list);
}

static void put_line(struct buf *out, const char *name, const struct buf *text)
{
	struct buf copy = BUF_EMPTY;

	if (text->len == 0)
		return;
	buf_bytes(&copy, text->data, text->len);
	buf_format(out, "    %-12s", name);
	say_text(out, buf_string(&copy));
	buf_u8(out, '\n');
	buf_free(&copy);
}

static void put_ceremony(const struct summary *summary, struct buf *out)
{
	const struct account *account = summary->account;
	struct buf text = BUF_EMPTY;

	put_line(out, "ceremony:", &summary->name);
	say_time(&text, account->begin);
	put_line(out, "begin:", &text);
	buf_clear(&text);
	say_seconds(&text, (int64_t)account->planned * 60);
	put_line(out, "planned:", &text);
	buf_clear(&text);
	say_seconds(&text, summary_taken(summary));
	put_line(out, "taken:", &text);
	buf_clear(&text);
	buf_format(&text, "%zu, and %zu other deviations", summary->exceptions,
		summary->others);
	put_line(out, "exceptions:", &text);
	put_line(out, "release:", &summary->releases);
	put_line(out, "HSM:", &summary->hsms);
	put_line(out, "keys:", &summary->keys);
	if (account->course->problem_count > 0)
		buf_text(out, "    THE LOG IS NOT WHOLE\n");
	buf_u8(out, '\n');
	buf_free(&text);
}

static void put_total(const struct total *total, struct buf *out)
{
	buf_text(out, "    ");
	say_text(out, total->title);
	buf_text(out, "\n        planned ");
	say_seconds(out, (int64_t)total->planned * 60);
	buf_text(out, ", taken ");
	say_seconds(out, total->taken);
	buf_u8(out, '\n');
	for (size_t k = 0; k < ACCOUNT_KINDS; k++) {
		struct buf names = BUF_EMPTY;

		if (total->counts[k] == 0)
			continue;
		buf_format(out, "        %-17s%5zu   in ",
			account_kind_name((enum account_kind)k),
			total->counts[k]);
		buf_bytes(&names, total->names[k].data, total->names[k].len);
		say_text(out, buf_string(&names));
		buf_u8(out, '\n');
		buf_free(&names);
	}
	buf_u8(out, '\n');
}

bool history_text(
	const struct history *history, struct buf *out, struct err *err)
{
	struct totals totals = {.list = NULL};
	bool ok = count_all(history, &totals, err);

	buf_text(out, "Ceremonies\n\n");
	for (size_t i = 0; i < history->count; i++)
		put_ceremony(&history->list[i], out);
	buf_text(out, "Acts, in all ceremonies\n\n");
	for (size_t i = 0; i < totals.count; i++)
		put_total(&totals.list[i], out);
	totals_free(&totals);
	return ok && buf_ok(out, err);
}
