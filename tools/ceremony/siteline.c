/* SPDX-License-Identifier: ISC */
/* The timeline: planned and actual minutes of each step, as a picture and as a
 * table of the same. */
#include "tools/ceremony/say.h"
#include "tools/ceremony/sitepart.h"

#include <string.h>

#define WIDTH 960.0
#define LEFT 270.0 /* of the bars: what is before them is titles */
#define RIGHT 44.0
#define TOP 46.0
#define ROW 24.0
#define BAR 8.0
#define TITLE_MAX 34 /* characters */
#define TICKS_MAX 12

struct drawing {
	struct markup *m;
	const struct account *account;
	double seconds; /* that the whole width is */
};

static double place(const struct drawing *d, int64_t seconds)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * (double)seconds / d->seconds;
}

static void put_rect(const struct drawing *d, const char *class, int64_t from,
	int64_t to, double y)
{
	double width = place(d, to) - place(d, from);

	markup_open(d->m, "rect");
	markup_attribute(d->m, "class", class);
	markup_number(d->m, "x", place(d, from));
	markup_number(d->m, "y", y);
	markup_number(d->m, "width", width < 1.5 ? 1.5 : width);
	markup_number(d->m, "height", BAR);
	if (strcmp(class, "plan") == 0) {
		markup_attribute(d->m, "fill", "#d5dde5");
		markup_attribute(d->m, "stroke", "#56636f");
	} else {
		markup_attribute(d->m, "fill",
			strcmp(class, "late") == 0 ? "#a33a12" : "#1f5f8b");
	}
	markup_close(d->m);
}

static void put_label(
	const struct drawing *d, double x, double y, const char *text)
{
	markup_open(d->m, "text");
	markup_number(d->m, "x", x);
	markup_number(d->m, "y", y);
	part_text(d->m, text);
	markup_close(d->m);
}

static void put_title(
	const struct drawing *d, const struct script_step *step, double y)
{
	struct buf text = BUF_EMPTY, shown = BUF_EMPTY;

	say_text(&shown, step->title);
	buf_format(&text, "%u. ", step->number);
	buf_text(&text, buf_string(&shown));
	say_cut(&text, TITLE_MAX);
	put_label(d, 0, y + BAR + 4, buf_string(&text));
	buf_free(&shown);
	buf_free(&text);
}

static void put_steps(const struct drawing *d)
{
	int64_t planned = 0;

	for (size_t i = 0; i < d->account->step_count; i++) {
		const struct account_step *step = &d->account->steps[i];
		double y = TOP + ROW * (double)i;
		int64_t plan = (int64_t)step->step->minutes * 60;

		put_title(d, step->step, y);
		put_rect(d, "plan", planned, planned + plan, y);
		planned += plan;
		if (step->taken >= 0)
			put_rect(d, step->taken > plan ? "late" : "done",
				step->done->begin - d->account->begin,
				step->done->end - d->account->begin, y + BAR);
	}
}

/* A tick at each 1, 2, 5, 10, 15, 30, 60, 120... minutes. */
static void put_ticks(const struct drawing *d)
{
	static const int64_t steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 240, 480,
		1440, 7200, 43200, 525600, 52560000};
	double bottom = TOP + ROW * (double)d->account->step_count;
	size_t s = 0;

	while (s + 1 < sizeof(steps) / sizeof(*steps) &&
		d->seconds / 60 / (double)steps[s] > TICKS_MAX)
		s++;
	for (int64_t t = 0; (double)t * 60 <= d->seconds; t += steps[s]) {
		struct buf text = BUF_EMPTY;

		markup_open(d->m, "line");
		markup_number(d->m, "x1", place(d, t * 60));
		markup_number(d->m, "x2", place(d, t * 60));
		markup_number(d->m, "y1", TOP - 8);
		markup_number(d->m, "y2", bottom);
		markup_attribute(d->m, "stroke", "#c5ccd3");
		markup_close(d->m);
		buf_format(&text, "%lld min", (long long)t);
		put_label(d, place(d, t * 60) - 8, TOP - 14,
			t == 0 ? "0" : buf_string(&text));
		buf_free(&text);
	}
}

/* A mark where an exception was. */
static void put_marks(const struct drawing *d)
{
	for (size_t i = 0; i < d->account->finding_count; i++) {
		const struct account_finding *found = &d->account->findings[i];
		int64_t at = found->time - d->account->begin;

		if (found->kind != ACCOUNT_EXCEPTION ||
			found->step == SIZE_MAX || at < 0 ||
			(double)at > d->seconds)
			continue;
		markup_open(d->m, "circle");
		markup_number(d->m, "cx", place(d, at));
		markup_number(d->m, "cy",
			TOP + ROW * (double)found->step + BAR + BAR / 2);
		markup_number(d->m, "r", 5);
		markup_attribute(d->m, "fill", "#ffffff");
		markup_attribute(d->m, "stroke", "#8f1d14");
		markup_attribute(d->m, "stroke-width", "2.5");
		markup_close(d->m);
	}
}

static void put_key(const struct drawing *d)
{
	static const struct {
		const char *class, *text;
	} keys[] = {{"plan", "planned"}, {"done", "taken"},
		{"late", "taken, longer than planned"}};
	double x = LEFT;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct drawing at = *d;

		at.seconds = WIDTH - LEFT - RIGHT;
		put_rect(&at, keys[i].class, (int64_t)(x - LEFT),
			(int64_t)(x - LEFT) + 26, 2);
		put_label(d, x + 32, 11, keys[i].text);
		x += 120;
	}
	markup_open(d->m, "circle");
	markup_number(d->m, "cx", x + 118);
	markup_number(d->m, "cy", 6);
	markup_number(d->m, "r", 5);
	markup_attribute(d->m, "fill", "#ffffff");
	markup_attribute(d->m, "stroke", "#8f1d14");
	markup_attribute(d->m, "stroke-width", "2.5");
	markup_close(d->m);
	put_label(d, x + 130, 11, "exception");
}

static void put_picture(const struct drawing *d)
{
	struct buf box = BUF_EMPTY;

	buf_format(&box, "0 0 %d %d", (int)WIDTH,
		(int)(TOP + ROW * (double)d->account->step_count + 6));
	markup_open(d->m, "figure");
	markup_attribute(d->m, "class", "wide");
	markup_attribute(d->m, "role", "region");
	markup_attribute(d->m, "aria-label", "Timeline");
	markup_attribute(d->m, "tabindex", "0");
	markup_open(d->m, "svg");
	markup_attribute(d->m, "viewBox", buf_string(&box));
	markup_attribute(d->m, "role", "img");
	markup_attribute(
		d->m, "aria-labelledby", "timeline-name timeline-text");
	markup_open(d->m, "title");
	markup_attribute(d->m, "id", "timeline-name");
	markup_text(d->m, "Planned and actual minutes of each step");
	markup_close(d->m);
	markup_open(d->m, "desc");
	markup_attribute(d->m, "id", "timeline-text");
	markup_text(d->m, "The table below has the same numbers.");
	markup_close(d->m);
	put_ticks(d);
	put_steps(d);
	put_marks(d);
	put_key(d);
	markup_close(d->m);
	markup_close(d->m);
	buf_free(&box);
}

static void put_clock(struct markup *m, int64_t time)
{
	struct buf text = BUF_EMPTY;

	say_clock(&text, time);
	part_put(m, "td", "time", buf_string(&text));
	buf_free(&text);
}

static void put_length(struct markup *m, int64_t seconds)
{
	struct buf text = BUF_EMPTY;

	say_seconds(&text, seconds);
	part_put(m, "td", "time", buf_string(&text));
	buf_free(&text);
}

static void put_row(struct markup *m, const struct account_step *step)
{
	struct buf name = BUF_EMPTY;

	buf_format(&name, "%u. %s", step->step->number, step->step->title);
	markup_open(m, "tr");
	markup_open(m, "th");
	markup_attribute(m, "scope", "row");
	part_text(m, buf_string(&name));
	markup_close(m);
	put_clock(m, step->done != NULL ? step->done->begin : COURSE_NEVER);
	put_clock(m, step->done != NULL ? step->done->end : COURSE_NEVER);
	put_length(m, (int64_t)step->step->minutes * 60);
	put_length(m, step->taken);
	put_length(m, step->paused > 0 ? step->paused : COURSE_NEVER);
	markup_close(m);
	buf_free(&name);
}

bool part_timeline(const struct site *site, struct markup *m, struct err *err)
{
	static const char *const heads[] = {"Step", "Begin (UTC)", "End (UTC)",
		"Planned", "Taken", "Paused"};
	const struct account *account = site->account;
	struct drawing d = {.m = m,
		.account = account,
		.seconds = (double)account->planned * 60};

	(void)err;
	if (account->end - account->begin > (int64_t)account->planned * 60)
		d.seconds = (double)(account->end - account->begin);
	if (d.seconds > 0)
		put_picture(&d);
	part_table(
		m, "Times of the steps", heads, sizeof(heads) / sizeof(*heads));
	for (size_t i = 0; i < account->step_count; i++)
		put_row(m, &account->steps[i]);
	part_table_end(m);
	return true;
}
