/* SPDX-License-Identifier: ISC */
/* Minutes planned and taken, and what went otherwise, ceremony by ceremony. */
#include "tools/ceremony/history.h"

#include "lib/xml/markup.h"
#include "tools/ceremony/say.h"

#include <string.h>

#define WIDTH 900.0
#define LEFT 150.0
#define SPLIT 600.0 /* minutes are left of it, counts right */
#define END 850.0
#define TOP 70.0
#define ROW 34.0
#define BAR 10.0
#define NAME_MAX_LEN 18
#define DAY_LEN 10 /* "2026-11-29" */

struct picture {
	struct markup *m;
	const struct history *history;
	double minutes, count; /* the largest */
};

static void put_text(const struct picture *p, double x, double y,
	const char *anchor, const char *text)
{
	markup_open(p->m, "text");
	markup_number(p->m, "x", x);
	markup_number(p->m, "y", y);
	markup_attribute(p->m, "text-anchor", anchor);
	markup_text(p->m, text);
	markup_close(p->m);
}

static void put_bar(const struct picture *p, double x, double y, double width,
	const char *fill)
{
	markup_open(p->m, "rect");
	markup_number(p->m, "x", x);
	markup_number(p->m, "y", y);
	markup_number(p->m, "width", width);
	markup_number(p->m, "height", BAR);
	markup_attribute(p->m, "fill", fill);
	markup_attribute(p->m, "stroke", "#1a1a1a");
	markup_attribute(p->m, "stroke-width", "0.5");
	markup_close(p->m);
}

static void put_name(
	const struct picture *p, const struct summary *summary, double y)
{
	struct buf copy = BUF_EMPTY, shown = BUF_EMPTY;

	buf_bytes(&copy, summary->name.data, summary->name.len);
	say_text(&shown, buf_string(&copy));
	say_cut(&shown, NAME_MAX_LEN);
	put_text(p, LEFT - 10, y + BAR - 1, "end", buf_string(&shown));
	buf_clear(&shown);
	say_time(&shown, summary->account->begin);
	if (shown.len > DAY_LEN)
		shown.len = DAY_LEN;
	put_text(p, LEFT - 10, y + 2 * BAR + 2, "end", buf_string(&shown));
	buf_free(&shown);
	buf_free(&copy);
}

/* A length, and its number behind it. */
static void put_minutes(
	const struct picture *p, double y, double minutes, const char *fill)
{
	double width = (SPLIT - LEFT - 90) * minutes / p->minutes;
	struct buf text = BUF_EMPTY;

	put_bar(p, LEFT, y, width, fill);
	buf_format(&text, "%.0f", minutes);
	put_text(p, LEFT + width + 5, y + BAR - 1, "start", buf_string(&text));
	buf_free(&text);
}

static void put_counts(
	const struct picture *p, const struct summary *summary, double y)
{
	double scale = (END - SPLIT) / p->count;
	double first = scale * (double)summary->exceptions;
	struct buf text = BUF_EMPTY;

	put_bar(p, SPLIT, y + BAR / 2, first, "#8f1d14");
	put_bar(p, SPLIT + first, y + BAR / 2, scale * (double)summary->others,
		"#e3b7a0");
	buf_format(&text, "%zu + %zu", summary->exceptions, summary->others);
	put_text(p, SPLIT + first + scale * (double)summary->others + 5,
		y + BAR * 1.5 - 1, "start", buf_string(&text));
	buf_free(&text);
}

static void put_heads(const struct picture *p)
{
	static const struct {
		double x;
		const char *fill, *text;
	} keys[] = {
		{LEFT, "#d5dde5", "minutes planned"},
		{LEFT + 170, "#1f5f8b", "minutes taken"},
		{SPLIT, "#8f1d14", "exceptions"},
		{SPLIT + 110, "#e3b7a0", "other deviations"},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		put_bar(p, keys[i].x, 40, 22, keys[i].fill);
		put_text(p, keys[i].x + 28, 49, "start", keys[i].text);
	}
}

static void measure(struct picture *p)
{
	p->minutes = p->count = 1;
	for (size_t i = 0; i < p->history->count; i++) {
		const struct summary *s = &p->history->list[i];
		double taken = (double)summary_taken(s) / 60;
		double count = (double)(s->exceptions + s->others);

		if (s->account->planned > p->minutes)
			p->minutes = s->account->planned;
		p->minutes = taken > p->minutes ? taken : p->minutes;
		p->count = count > p->count ? count : p->count;
	}
}

static void put_rows(const struct picture *p)
{
	for (size_t i = 0; i < p->history->count; i++) {
		const struct summary *s = &p->history->list[i];
		double y = TOP + ROW * (double)i;

		put_name(p, s, y);
		put_minutes(p, y, s->account->planned, "#d5dde5");
		if (summary_taken(s) >= 0)
			put_minutes(p, y + BAR, (double)summary_taken(s) / 60,
				"#1f5f8b");
		put_counts(p, s, y);
	}
}

static void put_frame(const struct picture *p)
{
	struct buf box = BUF_EMPTY;
	int height = (int)(TOP + ROW * (double)p->history->count + 10);

	buf_format(&box, "0 0 %d %d", (int)WIDTH, height);
	markup_attribute(p->m, "xmlns", "http://www.w3.org/2000/svg");
	markup_attribute(p->m, "viewBox", buf_string(&box));
	markup_number(p->m, "width", WIDTH);
	markup_number(p->m, "height", height);
	markup_attribute(p->m, "role", "img");
	markup_attribute(p->m, "font-family", "sans-serif");
	markup_attribute(p->m, "font-size", "13");
	markup_element(p->m, "title",
		"Ceremonies: minutes planned and taken, exceptions, other deviations");
	markup_open(p->m, "rect");
	markup_attribute(p->m, "width", "100%");
	markup_attribute(p->m, "height", "100%");
	markup_attribute(p->m, "fill", "#ffffff");
	markup_close(p->m);
	put_text(p, LEFT - 10, 49, "end", "Ceremony");
	buf_free(&box);
}

bool history_svg(
	const struct history *history, struct buf *out, struct err *err)
{
	struct picture p = {.history = history};
	bool ok;

	measure(&p);
	if (!markup_new(false, &p.m, err))
		return false;
	markup_open(p.m, "svg");
	put_frame(&p);
	put_heads(&p);
	put_rows(&p);
	ok = markup_end(p.m, out, err);
	markup_free(p.m);
	return ok;
}
