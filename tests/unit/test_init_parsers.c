/* SPDX-License-Identifier: ISC */
/*
 * The fuzz harness in tests/fuzz as an ordinary test: the same entry, fed
 * with good inputs that are cut and changed by a fixed random sequence.
 * Shows under the sanitizers that no input makes the boot stage's parsers
 * crash or take something out of range.  "make init-fuzz" looks further.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROUNDS = 40000 };

#define HEX "0123456789abcdef"
#define HASH HEX HEX HEX HEX

static const char line[] =
	"cquiet keyroom.medium=KEYROOM_0123456789 keyroom.image=/live/a.b keyroom.verity=sha256:" HASH
	":" HASH ":6383:6383:6434:2 keyroom.toram keyroom.check keyroom.debug";

/* xorshift64: the same sequence everywhere. */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static size_t change(uint8_t *input, size_t size, uint64_t *seed)
{
	uint64_t times = next(seed) % 4;

	while (times-- > 0 && size > 2) {
		size_t at = 1 + next(seed) % (size - 1);
		size_t other = 1 + next(seed) % (size - 1);

		switch (next(seed) % 4) {
		case 0:
			input[at] = (uint8_t)next(seed);
			break;
		case 1:
			input[at] = input[other];
			break;
		case 2:
			size = at;
			break;
		default:
			memmove(input + at, input + other,
				size - (at > other ? at : other));
		}
	}
	return size;
}

static void feed(const uint8_t *seed_input, size_t size)
{
	uint64_t seed = 0x4b4559524f4f4d21;
	size_t i;

	for (i = 0; i < ROUNDS; i++) {
		/* Of its own size, so that reading past the end is seen. */
		uint8_t *input = malloc(size);

		assert_non_null(input);
		memcpy(input, seed_input, size);
		size_t left = change(input, size, &seed);
		input = realloc(input, left);
		assert_non_null(input);
		LLVMFuzzerTestOneInput(input, left);
		free(input);
	}
}

static void parsers_changed_command_line_is_survived(void **state)
{
	(void)state;
	feed((const uint8_t *)line, sizeof(line) - 1);
}

static void parsers_changed_descriptor_is_survived(void **state)
{
	uint8_t input[1 + 2048];

	(void)state;
	memset(input, ' ', sizeof(input));
	memcpy(input, "v\1CD001\1", 8);
	memcpy(input + 1 + 128, "\x00\x08\x08\x00", 4);
	memcpy(input + 1 + 190, "KEYROOM_0123456789", 18);
	feed(input, sizeof(input));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parsers_changed_command_line_is_survived),
		cmocka_unit_test(parsers_changed_descriptor_is_survived),
	};

	return cmocka_run_group_tests_name("init_parsers", tests, NULL, NULL);
}
