/* SPDX-License-Identifier: ISC */
#include "lib/base/base64.h"

#include <string.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const void *data, size_t len)
{
	const uint8_t *in = data;
	uint8_t *text = buf_extend(out, (len + 2) / 3 * 4);

	for (size_t i = 0; text != NULL && i < len; i += 3, text += 4) {
		size_t left = len - i;
		uint32_t group = (uint32_t)in[i] << 16;

		if (left > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		text[0] = (uint8_t)alphabet[group >> 18];
		text[1] = (uint8_t)alphabet[group >> 12 & 63];
		text[2] = (uint8_t)(left > 1 ? alphabet[group >> 6 & 63] : '=');
		text[3] = (uint8_t)(left > 2 ? alphabet[group & 63] : '=');
	}
}

/* The value of each character, plus one; 0: not of the alphabet. */
static const uint8_t values[256] = {
	['A'] = 1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	26,
	['a'] = 27,
	28,
	29,
	30,
	31,
	32,
	33,
	34,
	35,
	36,
	37,
	38,
	39,
	40,
	41,
	42,
	43,
	44,
	45,
	46,
	47,
	48,
	49,
	50,
	51,
	52,
	['0'] = 53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	62,
	['+'] = 63,
	['/'] = 64,
};

/* A group of four characters being collected. */
struct group {
	uint32_t bits;
	int count; /* characters so far, padding included */
	int pads;
};

static bool group_add(struct group *group, char c)
{
	int value = values[(unsigned char)c] - 1;

	if (c == '=') {
		if (group->count < 2)
			return false;
		group->pads++;
		value = 0;
	} else if (value < 0 || group->pads > 0) {
		return false;
	}
	group->bits = group->bits << 6 | (uint32_t)value;
	group->count++;
	return true;
}

static bool group_write(const struct group *group, uint8_t **end)
{
	uint32_t unused = (1U << (8 * group->pads)) - 1;

	if ((group->bits & unused) != 0)
		return false;
	for (int i = 0; i < 3 - group->pads; i++)
		*(*end)++ = (uint8_t)(group->bits >> (16 - 8 * i));
	return true;
}

/*
 * The groups in front that have nothing special in them, without a look back:
 * all but the last of a line, as a rule.  How many characters that were.
 */
static size_t plain_groups(const char *text, uint8_t **end)
{
	const unsigned char *in = (const unsigned char *)text;
	uint8_t *out = *end;

	/* A NUL has no value, so nothing is read behind it. */
	while (values[in[0]] > 0 && values[in[1]] > 0 && values[in[2]] > 0 &&
		values[in[3]] > 0) {
		uint32_t bits = (values[in[0]] - 1U) << 18 |
				(values[in[1]] - 1U) << 12 |
				(values[in[2]] - 1U) << 6 |
				(values[in[3]] - 1U);

		*out++ = (uint8_t)(bits >> 16);
		*out++ = (uint8_t)(bits >> 8);
		*out++ = (uint8_t)bits;
		in += 4;
	}
	*end = out;
	return (size_t)(in - (const unsigned char *)text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool base64_decode(const char *text, struct buf *out, struct err *err)
{
	struct group group = {0};
	size_t start = out->len, i;
	uint8_t *end = buf_extend(out, strlen(text) / 4 * 3);
	bool ended = false;

	if (end == NULL)
		return buf_ok(out, err);
	for (i = 0; text[i] != '\0'; i++) {
		if (group.count == 0 && !ended)
			i += plain_groups(text + i, &end);
		if (text[i] == '\0')
			break;
		if (is_blank(text[i]))
			continue;
		if (ended || !group_add(&group, text[i]))
			goto refused;
		if (group.count < 4)
			continue;
		if (!group_write(&group, &end))
			goto refused;
		ended = group.pads > 0;
		group = (struct group){0};
	}
	if (group.count > 0)
		goto refused;
	out->len = (size_t)(end - out->data);
	return true;
refused:
	out->len = start;
	return err_set(err, ERR_INPUT, "not base64 at character %zu", i + 1);
}
