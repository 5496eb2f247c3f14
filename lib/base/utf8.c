/* SPDX-License-Identifier: ISC */
#include "lib/base/utf8.h"

#include "lib/base/buf.h"

size_t utf8_len(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t utf8_read(const char *text, size_t len, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	const uint8_t *at = (const uint8_t *)text;
	size_t need = len > 0 ? utf8_len(at[0]) : 0;
	uint32_t value;

	if (need == 0 || need > len)
		return 0;
	value = at[0] & mask[need];
	for (size_t i = 1; i < need; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3f);
	}
	if (value < least[need] || value > 0x10ffff ||
		(value >= 0xd800 && value <= 0xdfff))
		return 0;
	*out = value;
	return need;
}

void utf8_write(struct buf *out, uint32_t character)
{
	if (character > 0x10ffff ||
		(character >= 0xd800 && character <= 0xdfff))
		character = 0xfffd;
	if (character < 0x80) {
		buf_u8(out, (uint8_t)character);
		return;
	}
	if (character < 0x800) {
		buf_u8(out, (uint8_t)(0xc0 | character >> 6));
	} else {
		if (character < 0x10000) {
			buf_u8(out, (uint8_t)(0xe0 | character >> 12));
		} else {
			buf_u8(out, (uint8_t)(0xf0 | character >> 18));
			buf_u8(out, (uint8_t)(0x80 | (character >> 12 & 0x3f)));
		}
		buf_u8(out, (uint8_t)(0x80 | (character >> 6 & 0x3f)));
	}
	buf_u8(out, (uint8_t)(0x80 | (character & 0x3f)));
}

bool utf8_is_shown(uint32_t character)
{
	/*
	 * Controls, soft hyphen, combining marks, joiners, directions, tags:
	 * of Unicode's general categories all of Cc, Cf, Zl, Zp, Cs and Co, and
	 * of Mn and Me what the font on paper would draw over the letter
	 * before.
	 */
	static const uint32_t hidden[][2] = {{0, 0x1f}, {0x7f, 0x9f},
		{0xad, 0xad}, {0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x605},
		{0x610, 0x61c}, {0x64b, 0x670}, {0x6d6, 0x6ed}, {0x70f, 0x711},
		{0x890, 0x891}, {0x8e2, 0x8e2}, {0xeb1, 0xeb1}, {0xeb4, 0xebc},
		{0xec8, 0xece}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
		{0x180b, 0x180f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
		{0x20d0, 0x20ff}, {0x3164, 0x3164}, {0xd800, 0xf8ff},
		{0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
		{0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffe, 0xffff},
		{0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		if (character >= hidden[i][0] && character <= hidden[i][1])
			return false;
	return true;
}
