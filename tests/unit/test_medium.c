/* SPDX-License-Identifier: ISC */
/*
 * Shows: what a drive says of a disc's sessions and state is understood, and an
 * answer that is cut short says nothing.  Matters: a disc that can still be
 * written to may start something else tomorrow.
 */
#include "unit.h"

#include "tools/evidence/medium.h"

static const struct {
	uint8_t answer[10];
	size_t len;
	unsigned sessions;
	enum medium_state state;
	bool refused;
} discs[] = {
	{{0, 32, 0x0e, 1, 1}, 10, 1, MEDIUM_CLOSED, false},
	{{0, 32, 0x0d, 1, 1}, 10, 1, MEDIUM_OPEN, true}, /* appendable */
	{{0, 32, 0x00, 1, 1}, 10, 1, MEDIUM_OPEN, true}, /* empty */
	{{0, 32, 0x0f, 1, 1}, 10, 1, MEDIUM_OPEN, true}, /* others: DVD-RAM */
	{{0, 32, 0x0e, 1, 2}, 10, 2, MEDIUM_CLOSED, true},
	{{0, 32, 0x0e, 1, 1, 0, 0, 0, 0, 1}, 10, 257, MEDIUM_CLOSED, true},
	{{0, 32, 0x0d, 1, 2}, 9, 0, MEDIUM_UNKNOWN, false},
	{{0}, 0, 0, MEDIUM_UNKNOWN, false},
};

static void disc_information_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(discs) / sizeof(*discs); i++) {
		struct medium medium = {.optical = true};
		struct err err = ERR_EMPTY;

		medium_disc_information(discs[i].answer, discs[i].len, &medium);
		assert_int_equal(medium.sessions, discs[i].sessions);
		assert_int_equal(medium.state, discs[i].state);
		assert_int_equal(!medium_is_one_closed_session(
					 &medium, "/dev/sr0", &err),
			discs[i].refused);
		assert_int_equal((int)err.kind,
			discs[i].refused ? ERR_REFUSED : ERR_NONE);
	}
}

static void an_open_disc_is_called_open(void **state)
{
	struct medium medium = {
		.optical = true, .state = MEDIUM_OPEN, .sessions = 1};
	struct buf out = BUF_EMPTY;

	(void)state;
	medium_describe(&medium, 0, &out);
	assert_non_null(strstr(buf_string(&out), "Sessions:   1\n"));
	assert_non_null(strstr(buf_string(&out), "State:      OPEN"));
	buf_free(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(disc_information_is_understood),
		cmocka_unit_test(an_open_disc_is_called_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
