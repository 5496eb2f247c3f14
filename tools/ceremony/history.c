/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/history.h"

#include "lib/base/array.h"
#include "lib/cli/print.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/say.h"

#include <stdlib.h>
#include <string.h>

#define FOLDERS_MAX 1000

static const struct format {
	const char *name;
	bool (*write)(const struct history *history, struct buf *out,
		struct err *err);
} formats[] = {
	{"text", history_text},
	{"csv", history_csv},
	{"svg", history_svg},
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

static int by_begin(const void *a, const void *b)
{
	const struct summary *x = a, *y = b;

	if (x->account->begin != y->account->begin)
		return x->account->begin < y->account->begin ? -1 : 1;
	return strcmp(x->account->course->logs[0].hash,
		y->account->course->logs[0].hash);
}

/* A ceremony that is given twice would count twice. */
static bool check_twice(const struct history *all, struct err *err)
{
	for (size_t i = 1; i < all->count; i++) {
		const struct course *a = all->list[i - 1].account->course;
		const struct course *b = all->list[i].account->course;

		if (strcmp(a->logs[0].hash, b->logs[0].hash) == 0)
			return err_set(err, ERR_INPUT,
				"%s and %s are one ceremony: give one of them",
				a->logs[0].path, b->logs[0].path);
	}
	return true;
}

static bool read_all(
	const struct command_given *given, struct history *out, struct err *err)
{
	for (size_t i = 0; i < given->count; i++) {
		struct summary *added = array_grow(
			&out->list, &out->count, sizeof(*added), err);

		if (added == NULL ||
			!summary_read(given->operands[i], added, err))
			return false;
	}
	if (out->count > 0)
		qsort(out->list, out->count, sizeof(*out->list), by_begin);
	return check_twice(out, err);
}

static bool history(const struct command_given *given, struct err *err)
{
	const struct format *format =
		find_format(given->format != NULL ? given->format : "text");
	struct history all = {.list = NULL};
	struct buf text = BUF_EMPTY;
	size_t problems = 0;
	bool ok;

	if (format == NULL)
		return err_set(err, ERR_USAGE,
			"unknown format \"%s\": text, csv or svg",
			given->format);
	ok = read_all(given, &all, err) && format->write(&all, &text, err) &&
	     print_text(&text, err);
	for (size_t i = 0; ok && i < all.count; i++)
		problems += all.list[i].account->course->problem_count > 0;
	if (problems > 0)
		ok = err_set(err, ERR_REFUSED,
			"%zu of %zu logs are not whole: see ceremony check",
			problems, all.count);
	for (size_t i = 0; i < all.count; i++)
		summary_free(&all.list[i]);
	free(all.list);
	buf_free(&text);
	return ok;
}

const struct command command_history = {
	.name = "history",
	.options = "format",
	.operands = "public folders, or those of ceremonies",
	.least = 1,
	.most = FOLDERS_MAX,
	.run = history,
};
