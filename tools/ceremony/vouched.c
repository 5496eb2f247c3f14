/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/vouched.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/cli/feed.h"
#include "tools/evidence/recorder.h"

#include <string.h>

bool vouched_parse(
	const char *text, uint64_t *from, uint64_t *size, const char **digits)
{
	struct err none = ERR_EMPTY;
	char copy[64];
	char *first, *second, *state = NULL;
	int64_t numbers[2];
	const char *last = strrchr(text, ' ');

	if (last == NULL || (size_t)(last - text) >= sizeof(copy))
		return false;
	memcpy(copy, text, (size_t)(last - text));
	copy[last - text] = '\0';
	first = strtok_r(copy, " ", &state);
	second = strtok_r(NULL, " ", &state);
	if (first == NULL || second == NULL ||
		!number_parse(first, 0, INT64_MAX / 2, &numbers[0], &none) ||
		!number_parse(second, 1, INT64_MAX / 2, &numbers[1], &none))
		return false;
	*from = (uint64_t)numbers[0];
	*size = (uint64_t)numbers[1];
	*digits = last + 1;
	return true;
}

static struct vouched *find(
	struct vouched_list *list, size_t log, const char *name, size_t len)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct course_line *open = list->all[i].open;

		if (open->log == log && strncmp(open->text, name, len) == 0 &&
			open->text[len] == '\0')
			return &list->all[i];
	}
	return NULL;
}

static bool take_open(struct vouched_list *list, const struct course_line *line,
	struct err *err)
{
	struct vouched *added;

	if (strncmp(line->text, RECORDER_TERMINAL, strlen(RECORDER_TERMINAL)) !=
			0 ||
		!feed_is_name(line->text) || list->count == VOUCHED_FILES_MAX ||
		find(list, line->log, line->text, strlen(line->text)) != NULL)
		return true;
	added = array_grow(&list->all, &list->count, sizeof(*added), err);
	if (added == NULL)
		return false;
	added->open = line;
	return true;
}

/* The next bytes, or nothing. */
static void take_data(struct vouched_list *list, const struct course_line *line)
{
	size_t len = strcspn(line->text, " ");
	struct vouched *recording = find(list, line->log, line->text, len);
	uint64_t from, size;
	const char *digits;

	if (recording != NULL && line->text[len] == ' ' &&
		vouched_parse(line->text + len + 1, &from, &size, &digits) &&
		from == recording->size)
		recording->size += size;
}

bool vouched_find(
	const struct course *course, struct vouched_list *out, struct err *err)
{
	*out = (struct vouched_list){.all = NULL};
	for (size_t i = 0; i < course->line_count; i++) {
		const struct course_line *line = &course->lines[i];

		if (strcmp(line->kind, "open") == 0 &&
			!take_open(out, line, err))
			return false;
		if (strcmp(line->kind, "data") == 0)
			take_data(out, line);
	}
	return true;
}

bool vouched_read(const char *folder, const struct vouched *recording,
	struct buf *out, struct err *err)
{
	struct buf path = BUF_EMPTY;
	size_t before = out->len;
	bool ok;

	buf_format(&path, "%s/%s", folder, recording->open->text);
	ok = buf_ok(&path, err) &&
	     file_read(buf_string(&path), VOUCHED_SIZE_MAX, out, err);
	buf_free(&path);
	if (ok && out->len - before > recording->size)
		out->len = before + (size_t)recording->size;
	return ok;
}
