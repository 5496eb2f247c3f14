/* SPDX-License-Identifier: ISC */
#include "tools/evidence/last.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/cli/place.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_MAX_READ ((size_t)65536)

static void last_path(struct buf *out)
{
	place(out, PLACE_RUN "/log/last");
}

bool last_write(const char *spool, const char *const *folders, size_t count,
	struct err *err)
{
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	bool ok;

	last_path(&path);
	buf_format(&text, "%s\n", spool);
	for (size_t i = 0; i < count; i++)
		buf_format(&text, "%s\n", folders[i]);
	/* It is in memory only: what was there before is of no use. */
	unlink(buf_string(&path));
	ok = buf_ok(&text, err) && buf_ok(&path, err) &&
	     file_write(buf_string(&path), text.data, text.len, NULL, err);
	buf_free(&path);
	buf_free(&text);
	return ok;
}

static bool add_line(struct last *last, const char *line, struct err *err)
{
	const char **slot;

	if (last->spool == NULL) {
		last->spool = line;
		return true;
	}
	slot = array_grow(&last->folders, &last->count, sizeof(*slot), err);
	if (slot != NULL)
		*slot = line;
	return slot != NULL;
}

bool last_read(struct last *out, struct err *err)
{
	struct buf path = BUF_EMPTY;
	struct err unread = ERR_EMPTY;
	char *line, *end;
	bool ok;

	*out = (struct last){.text = BUF_EMPTY};
	last_path(&path);
	ok = file_read(buf_string(&path), SIZE_MAX_READ, &out->text, &unread);
	buf_free(&path);
	if (!ok)
		return err_set(err, ERR_OUTPUT, "no log is being kept");
	buf_string(&out->text);
	line = (char *)out->text.data;
	while (ok && line != NULL && (end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		ok = add_line(out, line, err);
		line = end + 1;
	}
	if (ok && out->count == 0)
		return err_set(err, ERR_OUTPUT, "no log is being kept");
	return ok;
}

void last_free(struct last *last)
{
	buf_free(&last->text);
	free(last->folders);
	*last = (struct last){.text = BUF_EMPTY};
}
