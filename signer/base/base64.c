/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include <string.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const void *data, size_t len)
{
	const uint8_t *in = data;

	buf_reserve(out, (len + 2) / 3 * 4);
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group = (uint32_t)in[i] << 16;

		if (left > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		buf_u8(out, (uint8_t)alphabet[group >> 18]);
		buf_u8(out, (uint8_t)alphabet[group >> 12 & 63]);
		buf_u8(out,
			(uint8_t)(left > 1 ? alphabet[group >> 6 & 63] : '='));
		buf_u8(out, (uint8_t)(left > 2 ? alphabet[group & 63] : '='));
	}
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* A group of four characters being collected. */
struct group {
	uint32_t bits;
	int count; /* characters so far, padding included */
	int pads;
};

static bool group_add(struct group *group, char c)
{
	int value = value_of(c);

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

static bool group_write(const struct group *group, struct buf *out)
{
	uint32_t unused = (1U << (8 * group->pads)) - 1;

	if ((group->bits & unused) != 0)
		return false;
	for (int i = 0; i < 3 - group->pads; i++)
		buf_u8(out, (uint8_t)(group->bits >> (16 - 8 * i)));
	return true;
}

bool base64_decode(const char *text, struct buf *out, struct err *err)
{
	struct group group = {0};
	size_t start = out->len;
	bool ended = false;
	size_t i;

	buf_reserve(out, strlen(text) / 4 * 3);
	for (i = 0; text[i] != '\0'; i++) {
		if (strchr(" \t\r\n", text[i]) != NULL)
			continue;
		if (ended || !group_add(&group, text[i]))
			goto refused;
		if (group.count < 4)
			continue;
		if (!group_write(&group, out))
			goto refused;
		ended = group.pads > 0;
		group = (struct group){0};
	}
	if (group.count > 0)
		goto refused;
	return buf_ok(out, err);
refused:
	out->len = start;
	return err_set(err, ERR_INPUT, "not base64 at character %zu", i + 1);
}
