/* SPDX-License-Identifier: ISC */
#include "lib/base/hex.h"

#include <string.h>

static void encode(
	struct buf *out, const uint8_t *data, size_t len, const char *digits)
{
	buf_reserve(out, 2 * len);
	for (size_t i = 0; i < len; i++) {
		buf_u8(out, (uint8_t)digits[data[i] >> 4]);
		buf_u8(out, (uint8_t)digits[data[i] & 15]);
	}
}

void hex_encode(struct buf *out, const void *data, size_t len)
{
	encode(out, data, len, "0123456789abcdef");
}

void hex_encode_upper(struct buf *out, const void *data, size_t len)
{
	encode(out, data, len, "0123456789ABCDEF");
}

/* The value of one digit, -1 for any other character. */
static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *text, struct buf *out, struct err *err)
{
	size_t len = strlen(text), start = out->len;

	if (len % 2 != 0)
		return err_set(err, ERR_INPUT,
			"odd number of hexadecimal digits (%zu)", len);
	buf_reserve(out, len / 2);
	for (size_t i = 0; i < len; i += 2) {
		int high = digit_value(text[i]);
		int low = digit_value(text[i + 1]);

		if (high < 0 || low < 0) {
			out->len = start;
			return err_set(err, ERR_INPUT,
				"not a hexadecimal digit at character %zu",
				high < 0 ? i + 1 : i + 2);
		}
		buf_u8(out, (uint8_t)(high << 4 | low));
	}
	return buf_ok(out, err);
}
