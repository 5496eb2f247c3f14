/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/front.h"

#include "lib/base/array.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/config/reader.h"
#include "lib/hash/sha256.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 32

/* A reader_item: copy the text to the char * that context points to. */
static bool take_text(void *context, struct reader *reader,
	const struct scalar *scalar, struct err *err)
{
	char **out = context;

	if (scalar->length == 0)
		return reader_refuse(
			reader, err, "expected a text, found none");
	/* What YAML makes of \x and \u is in no byte of the file. */
	for (size_t at = 0, len; at < scalar->length; at += len) {
		uint32_t character = 0;

		len = utf8_read(
			scalar->text + at, scalar->length - at, &character);
		if (len == 0 || !utf8_is_shown(character))
			return reader_refuse(reader, err,
				"character U+%04" PRIX32 " cannot be seen",
				character);
	}
	*out = text_copy(scalar->text, err);
	return *out != NULL;
}

struct list {
	struct script_name **names;
	size_t *count;
};

static bool is_name(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	return len >= 1 && len <= NAME_MAX_LEN;
}

/* A reader_entry: NAME: text. */
static bool read_name(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct list *list = context;
	struct script_name *added;

	if (!is_name(key))
		return reader_refuse(reader, err,
			"a name is 1 to %d of A-Z a-z 0-9 _", NAME_MAX_LEN);
	added = array_grow(list->names, list->count, sizeof(*added), err);
	if (added == NULL)
		return false;
	added->name = text_copy(key, err);
	return added->name != NULL &&
	       reader_scalar(reader, take_text, &added->text, err);
}

/* "keyroom-0.4.0-amd64.iso SHA256", the second word 64 digits. */
static bool split_disc(
	struct script *script, struct reader *reader, struct err *err)
{
	char *blank = strchr(script->disc, ' ');
	struct buf hash = BUF_EMPTY;
	struct err ignored = ERR_EMPTY;
	bool ok;

	if (blank == NULL)
		return reader_refuse(reader, err,
			"expected the name of the ISO and its SHA-256");
	*blank = '\0';
	script->disc_sha256 = text_copy(blank + 1, err);
	if (script->disc_sha256 == NULL)
		return false;
	ok = hex_decode(script->disc_sha256, &hash, &ignored) &&
	     hash.len == SHA256_LEN;
	buf_free(&hash);
	return ok ||
	       reader_refuse(reader, err,
		       "expected the 64 digits of a SHA-256, found \"%s\"",
		       script->disc_sha256);
}

/* A reader_entry: what the head may say. */
static bool read_key(
	void *context, struct reader *reader, const char *key, struct err *err)
{
	struct script *script = context;
	struct list roles = {&script->roles, &script->role_count};
	struct list set = {&script->set, &script->set_count};

	if (strcmp(key, "ceremony") == 0)
		return reader_scalar(reader, take_text, &script->ceremony, err);
	if (strcmp(key, "title") == 0)
		return reader_scalar(reader, take_text, &script->title, err);
	if (strcmp(key, "disc") == 0)
		return reader_scalar(reader, take_text, &script->disc, err) &&
		       split_disc(script, reader, err);
	if (strcmp(key, "roles") == 0)
		return reader_map(reader, read_name, &roles, err);
	if (strcmp(key, "set") == 0)
		return reader_map(reader, read_name, &set, err);
	return reader_refuse(reader, err,
		"unknown; there are ceremony, title, disc, roles and set");
}

/* The line that ends the head, from a place behind its first line. */
static const uint8_t *find_end(const uint8_t *from, const uint8_t *end)
{
	while (from != NULL && from < end) {
		if ((size_t)(end - from) >= 4 && memcmp(from, "---\n", 4) == 0)
			return from;
		from = memchr(from, '\n', (size_t)(end - from));
		from = from != NULL ? from + 1 : NULL;
	}
	return NULL;
}

bool front_read(struct script *script, const uint8_t *bytes, size_t size,
	size_t *body, size_t *line, struct err *err)
{
	struct reader *reader = NULL;
	const uint8_t *stop;
	bool ok;

	if (size < 4 || memcmp(bytes, "---\n", 4) != 0)
		return err_set(err, ERR_INPUT,
			"%s:1: expected a line --- before ceremony, title and roles",
			script->path);
	stop = find_end(bytes + 4, bytes + size);
	if (stop == NULL)
		return err_set(err, ERR_INPUT,
			"%s:1: no second line --- ends what begins here",
			script->path);
	/* With its first line, so that lines are counted as in the file. */
	ok = reader_new(script->path, bytes, (size_t)(stop - bytes), &reader,
		     err) &&
	     reader_map(reader, read_key, script, err) &&
	     reader_end(reader, err);
	reader_free(reader);
	if (!ok) {
		err->kind = ERR_INPUT;
		return false;
	}
	*body = (size_t)(stop - bytes) + 4;
	*line = 1;
	for (size_t i = 0; i < *body; i++)
		*line += bytes[i] == '\n';
	return true;
}
