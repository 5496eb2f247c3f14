/* SPDX-License-Identifier: ISC */
/*
 * Fuzz entry for times, durations and numbers: what is taken is in the range
 * that the headers promise, and its canonical text means the same again.
 */
#include "fuzz.h"
#include "lib/base/number.h"
#include "lib/base/time.h"

#include <stdlib.h>

/* 10000-01-01T00:00:00. */
#define TIME_END INT64_C(253402300800)

static void try_time(const char *text)
{
	static const enum time_style styles[] = {
		TIME_BARE, TIME_Z, TIME_OFFSET};
	struct err err = ERR_EMPTY;
	int64_t value = -1, again = -1;

	if (!time_parse(text, &value, &err)) {
		fuzz_expect_reason(&err);
		assert(value == -1);
		return;
	}
	assert(value >= 0 && value < TIME_END);
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		char out[TIME_TEXT_MAX];

		time_format(value, styles[i], out);
		assert(time_parse(out, &again, &err) && again == value);
	}
}

static void try_duration(const char *text)
{
	struct err err = ERR_EMPTY;
	int64_t value = -1, again = -1;
	char out[TIME_DURATION_MAX];

	if (!time_duration_parse(text, &value, &err)) {
		fuzz_expect_reason(&err);
		assert(value == -1);
		return;
	}
	assert(value >= 0);
	time_duration_format(value, out);
	assert(strlen(out) < sizeof(out));
	/* A sum of parts can exceed the nine digits that a part may have. */
	if (time_duration_parse(out, &again, &err))
		assert(again == value);
	else
		assert(value > INT64_C(999999999) * TIME_DAY);
}

static void try_number(const char *text)
{
	struct err err = ERR_EMPTY;
	int64_t value = 0;

	if (number_parse(text, 5, 65535, &value, &err))
		assert(value >= 5 && value <= 65535);
	else
		fuzz_expect_reason(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	try_time(text);
	try_duration(text);
	try_number(text);
	free(text);
	return 0;
}
