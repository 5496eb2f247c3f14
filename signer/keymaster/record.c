/* SPDX-License-Identifier: ISC */
#include "signer/keymaster/record.h"

#include "lib/base/base64.h"
#include "lib/base/file.h"

#include <stdlib.h>
#include <string.h>

void record_start(struct buf *out, const char *kind)
{
	buf_format(out, "%s\n", kind);
}

void record_text(struct buf *out, const char *name, const char *value)
{
	buf_format(out, "%s: %s\n", name, value);
}

void record_bytes(struct buf *out, const char *name, const struct buf *value)
{
	buf_format(out, "%s: ", name);
	base64_encode(out, value->data, value->len);
	buf_u8(out, '\n');
}

static bool wrong(
	const struct record *record, const char *expected, struct err *err)
{
	return err_set(err, ERR_INPUT, "%s: line %zu: expected \"%s\"",
		record->name, record->line, expected);
}

/* The next line, without its newline; NULL at the end. */
static char *take_line(struct record *record)
{
	char *line = record->next, *end = strchr(line, '\n');

	record->line++;
	if (end == NULL)
		return NULL;
	*end = '\0';
	record->next = end + 1;
	return line;
}

bool record_read(const char *path, const char *kind, struct record *record,
	struct buf *raw, struct err *err)
{
	struct record result = {.name = path};
	const char *line;

	if (!file_read(path, RECORD_SIZE_MAX, raw, err))
		return false;
	if (raw->len > 0 && memchr(raw->data, '\0', raw->len) != NULL)
		return err_set(err, ERR_INPUT, "%s: NUL in a text", path);
	result.text = strdup(buf_string(raw));
	if (result.text == NULL)
		return err_nomem(err);
	result.next = result.text;
	line = take_line(&result);
	if (line == NULL || strcmp(line, kind) != 0) {
		wrong(&result, kind, err);
		record_free(&result);
		return false;
	}
	*record = result;
	return true;
}

bool record_take_text(struct record *record, const char *name, const char **out,
	struct err *err)
{
	size_t length = strlen(name);
	const char *line = take_line(record);

	if (line == NULL || strncmp(line, name, length) != 0 ||
		strncmp(line + length, ": ", 2) != 0 ||
		line[length + 2] == '\0')
		return wrong(record, name, err);
	*out = line + length + 2;
	return true;
}

bool record_take_bytes(struct record *record, const char *name, struct buf *out,
	struct err *err)
{
	const char *text = NULL;

	if (!record_take_text(record, name, &text, err))
		return false;
	if (!base64_decode(text, out, err))
		return err_prefix(err, "%s: line %zu: %s", record->name,
			record->line, name);
	return true;
}

bool record_end(const struct record *record, struct err *err)
{
	if (*record->next == '\0')
		return true;
	return err_set(err, ERR_INPUT, "%s: line %zu: expected the end",
		record->name, record->line + 1);
}

void record_free(struct record *record)
{
	free(record->text);
	*record = (struct record){.name = NULL};
}
