/* SPDX-License-Identifier: ISC */
#include "lib/base/number.h"

#include <inttypes.h>
#include <string.h>

#define DIGITS_MAX 19

static bool digits_parse(const char *digits, uint64_t *out)
{
	size_t len = strlen(digits);
	uint64_t value = 0;

	if (len == 0 || len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(digits[i] - '0');
	}
	/* 19 digits fit in 64 bits; the sign needs one of them. */
	if (value > INT64_MAX)
		return false;
	*out = value;
	return true;
}

bool number_parse(const char *text, int64_t min, int64_t max, int64_t *out,
	struct err *err)
{
	bool negative = min < 0 && text[0] == '-';
	uint64_t magnitude;
	int64_t value;

	if (!digits_parse(negative ? text + 1 : text, &magnitude))
		return err_set(err, ERR_INPUT,
			"\"%.40s\" is not a number, expected %" PRId64
			" to %" PRId64,
			text, min, max);
	value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	if (value < min || value > max)
		return err_set(err, ERR_INPUT,
			"%" PRId64 " is out of range, expected %" PRId64
			" to %" PRId64,
			value, min, max);
	*out = value;
	return true;
}
