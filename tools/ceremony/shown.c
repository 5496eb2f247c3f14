/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/shown.h"

#include "lib/base/array.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "tools/ceremony/vouched.h"
#include "tools/paper/replay.h"

#include <stdlib.h>
#include <string.h>

/* Lines of run.c: "=== step N # COMMAND", "=== step N ended with STATUS". */
#define MARK "=== step "
#define COMMAND " # "
#define ENDED " ended with "

/* The number at text, and what stands behind it. */
static bool cut_number(
	const char *text, int64_t max, int64_t *out, const char **rest)
{
	size_t len = strspn(text, "0123456789");
	char digits[8] = "";
	struct err ignored = ERR_EMPTY;

	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	*rest = text + len;
	return number_parse(digits, 0, max, out, &ignored);
}

static bool add_part(struct shown *shown, unsigned step, const char *command,
	struct err *err)
{
	struct shown_part *part =
		array_grow(&shown->parts, &shown->count, sizeof(*part), err);

	if (part == NULL)
		return false;
	part->step = step;
	part->command = text_copy(command, err);
	return part->command != NULL;
}

/* One line; open says whether a part is there that it belongs to. */
static bool take_line(
	struct shown *shown, const char *line, bool *open, struct err *err)
{
	struct shown_part *part =
		*open ? &shown->parts[shown->count - 1] : NULL;
	const char *rest = "";
	int64_t number = 0, status;

	if (strncmp(line, MARK, strlen(MARK)) == 0 &&
		cut_number(line + strlen(MARK), STEPS_NUMBER_MAX, &number,
			&rest)) {
		if (strncmp(rest, COMMAND, strlen(COMMAND)) == 0) {
			shown->full =
				shown->full || shown->count == SHOWN_PARTS_MAX;
			*open = !shown->full;
			if (shown->full)
				return true;
			return add_part(shown, (unsigned)number,
				rest + strlen(COMMAND), err);
		}
		if (part != NULL && part->step == number &&
			strncmp(rest, ENDED, strlen(ENDED)) == 0 &&
			cut_number(rest + strlen(ENDED), 255, &status, &rest)) {
			part->ended = true;
			part->status = (int)status;
			*open = false;
			return true;
		}
	}
	if (part != NULL) {
		buf_text(&part->lines, line);
		buf_u8(&part->lines, '\n');
	}
	return true;
}

static bool take_recording(struct shown *shown, const struct vouched *recording,
	const struct buf *bytes, struct err *err)
{
	size_t first = shown->count;
	struct buf text = BUF_EMPTY;
	char *line, *end;
	bool ok, open = false;

	ok = replay_lines(bytes, &text, err);
	line = (char *)(uintptr_t)buf_string(&text);
	for (; ok && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		ok = take_line(shown, line, &open, err);
	}
	for (size_t i = first; i < shown->count; i++)
		shown->parts[i].open = recording->open;
	buf_free(&text);
	return ok;
}

static bool add_loss(struct shown *shown, const struct vouched *recording,
	const struct err *why, struct err *err)
{
	struct shown_loss *loss = array_grow(
		&shown->losses, &shown->loss_count, sizeof(*loss), err);

	if (loss == NULL)
		return false;
	*loss = (struct shown_loss){.open = recording->open, .why = *why};
	return true;
}

static bool read_one(struct shown *shown, const char *folder,
	const struct vouched *recording, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	struct err why = ERR_EMPTY;
	bool ok;

	if (vouched_read(folder, recording, &bytes, &why))
		ok = take_recording(shown, recording, &bytes, err);
	else
		ok = add_loss(shown, recording, &why, err);
	buf_free(&bytes);
	return ok;
}

bool shown_read(const char *const *folders, size_t count,
	const struct course *course, struct shown *out, struct err *err)
{
	struct vouched_list list;
	bool ok;

	*out = (struct shown)SHOWN_EMPTY;
	ok = vouched_find(course, &list, err);
	for (size_t i = 0; ok && i < list.count; i++)
		if (list.all[i].open->log < count)
			ok = read_one(out, folders[list.all[i].open->log],
				&list.all[i], err);
	free(list.all);
	return ok;
}

void shown_free(struct shown *shown)
{
	for (size_t i = 0; i < shown->count; i++) {
		free(shown->parts[i].command);
		buf_free(&shown->parts[i].lines);
	}
	free(shown->parts);
	free(shown->losses);
	*shown = (struct shown)SHOWN_EMPTY;
}
