/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/typed.h"

#include "lib/base/array.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool add(struct typed *words, struct buf *word, struct err *err)
{
	char **added =
		array_grow(&words->list, &words->count, sizeof(*added), err);

	if (added == NULL)
		return false;
	*added = text_copy(buf_string(word), err);
	buf_clear(word);
	return *added != NULL;
}

/* A quoted part, from its mark on; *text goes behind it. */
static bool take_quoted(const char **text, struct buf *word, struct err *err)
{
	const char *end = strchr(*text + 1, **text);

	if (end == NULL)
		return err_set(
			err, ERR_INPUT, "a quotation mark without its end");
	buf_bytes(word, *text + 1, (size_t)(end - *text - 1));
	*text = end + 1;
	return true;
}

bool typed_split(const char *command, struct typed *out, struct err *err)
{
	struct typed words = {.list = NULL};
	struct buf word = BUF_EMPTY;
	bool ok = true, inside = false;

	for (const char *p = command; ok && *p != '\0' && *p != '|';) {
		if (*p == '\'' || *p == '"') {
			ok = take_quoted(&p, &word, err);
			inside = true;
		} else if (*p == ' ' || *p == ';' || *p == '&') {
			words.joined = words.joined || *p != ' ';
			ok = !inside || add(&words, &word, err);
			inside = false;
			p++;
		} else {
			buf_u8(&word, (uint8_t)*p++);
			inside = true;
		}
	}
	words.joined = words.joined || strstr(command, "||") != NULL;
	ok = ok && (!inside || add(&words, &word, err));
	buf_free(&word);
	if (!ok) {
		typed_free(&words);
		return false;
	}
	*out = words;
	return true;
}

void typed_free(struct typed *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->list[i]);
	free(words->list);
	*words = (struct typed){.list = NULL};
}
