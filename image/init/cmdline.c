/* SPDX-License-Identifier: ISC */
#include "cmdline.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define PREFIX "keyroom."
#define DIGITS "0123456789"
#define LOWER_HEX DIGITS "abcdef"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
/* Where the kernel ends a word: isspace() of its lib/ctype.c. */
#define BLANKS " \t\n\v\f\r\240"

enum { VALUE_MAX = 319, VERITY_FIELDS = 7 };

/* Is text made of these characters only, and its length in the range? */
static bool is_made_of(
	const char *text, const char *characters, size_t min, size_t max)
{
	size_t length = strlen(text);

	return length >= min && length <= max &&
	       strspn(text, characters) == length;
}

/* A decimal number without sign or leading zeros, from min to max. */
static bool parse_number(
	const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;

	if (!is_made_of(text, DIGITS, 1, 10) || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	if (value < min || value > max)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool parse_medium(char *value, struct cmdline *out)
{
	if (!is_made_of(
		    value, UPPER DIGITS "_", CMDLINE_ID_MIN, CMDLINE_ID_MAX))
		return false;
	memcpy(out->medium, value, strlen(value) + 1);
	return true;
}

static bool parse_image(char *value, struct cmdline *out)
{
	if (!is_made_of(value, UPPER LOWER DIGITS "._-/", 2, CMDLINE_PATH_MAX))
		return false;
	if (value[0] != '/' || strstr(value, "..") || strstr(value, "//"))
		return false;
	memcpy(out->image, value, strlen(value) + 1);
	return true;
}

/* sha256:ROOT:SALT:DATA:HASH:FEC:ROOTS; the order of the areas is checked. */
static bool parse_verity(char *value, struct cmdline *out)
{
	struct verity_params *verity = &out->verity;
	char *field[VERITY_FIELDS];
	size_t count = 0;

	while (value != NULL && count < VERITY_FIELDS) {
		field[count++] = value;
		value = strchr(value, ':');
		if (value != NULL)
			*value++ = '\0';
	}
	if (count != VERITY_FIELDS || value != NULL)
		return false;
	if (strcmp(field[0], "sha256") != 0 ||
		!is_made_of(field[1], LOWER_HEX, CMDLINE_HASH_DIGITS,
			CMDLINE_HASH_DIGITS) ||
		!is_made_of(field[2], LOWER_HEX, CMDLINE_HASH_DIGITS,
			CMDLINE_HASH_DIGITS))
		return false;
	memcpy(verity->root, field[1], CMDLINE_HASH_DIGITS + 1);
	memcpy(verity->salt, field[2], CMDLINE_HASH_DIGITS + 1);
	return parse_number(field[3], 1, INT32_MAX, &verity->data_blocks) &&
	       parse_number(field[4], verity->data_blocks, INT32_MAX,
		       &verity->hash_start) &&
	       parse_number(field[5], verity->hash_start + 1, INT32_MAX,
		       &verity->fec_start) &&
	       parse_number(field[6], 2, 24, &verity->fec_roots);
}

/* FRONT:TABLES, in blocks of the image. */
static bool parse_ahead(char *value, struct cmdline *out)
{
	char *tables = strchr(value, ':');

	if (tables == NULL)
		return false;
	*tables++ = '\0';
	return parse_number(value, 0, INT32_MAX, &out->front_blocks) &&
	       parse_number(tables, 0, INT32_MAX, &out->tables_start);
}

static bool parse_toram(char *value, struct cmdline *out)
{
	(void)value;
	out->toram = true;
	return true;
}

static bool parse_check(char *value, struct cmdline *out)
{
	(void)value;
	out->check = true;
	return true;
}

static bool parse_debug(char *value, struct cmdline *out)
{
	(void)value;
	out->debug = true;
	return true;
}

static const struct parameter {
	const char *name;
	bool has_value;
	bool required;
	bool (*parse)(char *value, struct cmdline *out);
	const char *expected;
} parameters[] = {
	{"medium", true, true, parse_medium, "8 to 64 of A-Z 0-9 _"},
	{"verity", true, true, parse_verity,
		"sha256:ROOT:SALT:DATA:HASH:FEC:ROOTS"},
	{"image", true, false, parse_image, "a path from the root of the disc"},
	{"ahead", true, false, parse_ahead, "FRONT:TABLES, in blocks"},
	{"toram", false, false, parse_toram, "no value"},
	{"check", false, false, parse_check, "no value"},
	{"debug", false, false, parse_debug, "no value"},
};

enum { PARAMETERS = sizeof(parameters) / sizeof(parameters[0]) };

/* One word after its prefix: find it in the table, note it as seen. */
static bool parse_word(
	char *word, bool seen[PARAMETERS], struct cmdline *out, struct err *err)
{
	char *value = strchr(word, '=');
	size_t i;

	if (value != NULL)
		*value++ = '\0';
	for (i = 0; i < PARAMETERS; i++)
		if (strcmp(word, parameters[i].name) == 0)
			break;
	if (i == PARAMETERS)
		return err_set(err, "unknown parameter " PREFIX "%s", word);
	if (seen[i])
		return err_set(
			err, "parameter " PREFIX "%s is there twice", word);
	seen[i] = true;
	if ((value != NULL) != parameters[i].has_value ||
		!parameters[i].parse(value, out))
		return err_set(err, "parameter " PREFIX "%s: expected %s", word,
			parameters[i].expected);
	return true;
}

/* Copy the word at *text, at most size - 1 bytes, and step over it. */
static bool next_word(const char **text, char *word, size_t size)
{
	size_t length = strcspn(*text, BLANKS);
	const char *start = *text;

	*text += length;
	if (length >= size)
		return false;
	memcpy(word, start, length);
	word[length] = '\0';
	return true;
}

bool cmdline_parse(const char *text, struct cmdline *out, struct err *err)
{
	struct cmdline result = {.image = "/live/root.squashfs"};
	bool seen[PARAMETERS] = {false};
	char word[VALUE_MAX + 1];
	size_t i;

	for (;;) {
		text += strspn(text, BLANKS);
		if (*text == '\0')
			break;
		if (strncmp(text, PREFIX, strlen(PREFIX)) != 0) {
			text += strcspn(text, BLANKS);
			continue;
		}
		text += strlen(PREFIX);
		if (!next_word(&text, word, sizeof(word)))
			return err_set(err,
				"a " PREFIX
				" parameter is longer than any may be");
		if (!parse_word(word, seen, &result, err))
			return false;
	}
	for (i = 0; i < PARAMETERS; i++)
		if (parameters[i].required && !seen[i])
			return err_set(err, "parameter " PREFIX "%s is missing",
				parameters[i].name);
	if (result.front_blocks > result.verity.data_blocks ||
		result.tables_start > result.verity.data_blocks)
		return err_set(err,
			PREFIX
			"ahead: expected no block behind the image's %" PRIu32,
			result.verity.data_blocks);
	*out = result;
	return true;
}
