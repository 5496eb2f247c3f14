/* SPDX-License-Identifier: ISC */
/*
 * Shows which of several media is taken, that a fixed disk is not even
 * opened, that the search goes on while devices come and ends with a message
 * that names each device and why it was not taken.
 */
#include "clock.h"
#include "init_tree.h"
#include "medium.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "KEYROOM_0123456789"
#define PCI "pci0000:00/0000:00:"

static const struct tree_disk fixed = {
	"sda", PCI "17.0/ata1/host0/target0:0:0/0:0:0:0", "0\n", "0\n"};
static const struct tree_disk optical = {
	"sr0", PCI "17.0/ata3/host2/target2:0:0/2:0:0:0", "1\n", "5\n"};
static const struct tree_disk stick = {"sdb",
	PCI "14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0", "1\n", "0\n"};

struct fixture {
	struct tree tree;
	struct medium_search search;
	struct medium medium;
	struct err err;
};

static int setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	tree_make(&fixture.tree);
	fixture.search = (struct medium_search){.sysfs = fixture.tree.sysfs,
		.dev = fixture.tree.dev,
		.id = ID,
		.patience = 200};
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	tree_remove(&fixture->tree);
	return 0;
}

static bool find(struct fixture *fixture)
{
	return medium_find(&fixture->search, &fixture->medium, &fixture->err);
}

static void medium_with_the_id_is_taken(void **state)
{
	struct fixture *fixture = *state;

	tree_add(&fixture->tree, &fixed);
	tree_add(&fixture->tree, &optical);
	tree_add(&fixture->tree, &stick);
	tree_insert(&fixture->tree, "sda", ID);
	tree_insert(&fixture->tree, "sr0", ID "A");
	tree_insert(&fixture->tree, "sdb", ID);
	assert_true(find(fixture));
	assert_string_equal(fixture->medium.device.name, "sdb");
	assert_int_equal(fixture->medium.device.kind, DEVICE_USB);
	assert_non_null(strstr(fixture->medium.path, "/dev/sdb"));
}

static void medium_optical_comes_before_usb(void **state)
{
	struct fixture *fixture = *state;

	tree_add(&fixture->tree, &stick);
	tree_add(&fixture->tree, &optical);
	tree_insert(&fixture->tree, "sdb", ID);
	tree_insert(&fixture->tree, "sr0", ID);
	assert_true(find(fixture));
	assert_string_equal(fixture->medium.device.name, "sr0");
}

/* A FIFO in its place would block for ever if anything opened it. */
static void medium_fixed_disk_is_not_opened(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	tree_add(&fixture->tree, &fixed);
	snprintf(path, sizeof(path), "%s/sda", fixture->tree.dev);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	assert_false(find(fixture));
	alarm(0);
	assert_non_null(strstr(
		fixture->err.text, "\n  sda: a fixed disk, not looked into"));
}

static const struct {
	const char *id;
	const char *says;
} others[] = {
	{"", "another disc: "},
	{"KEYROOM_012345678", "another disc: KEYROOM_012345678"},
	{ID "0", "another disc: " ID "0"},
	{"keyroom_0123456789", "another disc: keyroom"},
	{" " ID, "another disc:  " ID},
};

static void medium_similar_id_is_refused(void **state)
{
	struct fixture *fixture = *state;
	size_t i;

	tree_add(&fixture->tree, &optical);
	fixture->search.patience = 0;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		tree_insert(&fixture->tree, "sr0", others[i].id);
		assert_false(find(fixture));
		assert_non_null(strstr(fixture->err.text, others[i].says));
		assert_non_null(fixture->err.advice);
	}
}

static void medium_short_or_absent_is_named(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	tree_add(&fixture->tree, &optical);
	tree_add(&fixture->tree, &stick);
	tree_insert(&fixture->tree, "sr0", ID);
	snprintf(path, sizeof(path), "%s/sr0", fixture->tree.dev);
	assert_int_equal(truncate(path, VOLUME_OFFSET + 2047), 0);
	assert_false(find(fixture));
	assert_non_null(strstr(
		fixture->err.text, "no removable medium carries the id " ID));
	assert_non_null(strstr(fixture->err.text, "\n  sr0: too short"));
	assert_non_null(strstr(fixture->err.text, "\n  sdb: cannot be opened"));
}

/* The patience counts from the last new device, not from the start. */
static void medium_that_comes_late_is_found(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = clock_ms();
	int status;
	pid_t child;

	fixture->search.patience = 600;
	child = fork();
	if (child == 0) {
		clock_sleep(400);
		tree_add(&fixture->tree, &optical);
		clock_sleep(400);
		tree_insert(&fixture->tree, "sr0", ID);
		_exit(0);
	}
	assert_true(find(fixture));
	assert_true(clock_ms() - before >= 790);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void medium_search_ends(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = clock_ms();

	assert_false(find(fixture));
	assert_true(clock_ms() - before >= 200);
	assert_true(clock_ms() - before < 2000);
}

/* The longest message must fit: as many devices as a list holds. */
static void medium_long_list_is_cut_not_overrun(void **state)
{
	struct fixture *fixture = *state;
	struct device_list list = {.count = DEVICE_MAX};
	size_t i;

	for (i = 0; i < DEVICE_MAX; i++) {
		list.device[i].kind = DEVICE_FIXED;
		memset(list.device[i].name, 'n', DEVICE_NAME);
	}
	assert_false(medium_look(
		&fixture->search, &list, &fixture->medium, &fixture->err));
	assert_int_equal(
		strlen(fixture->err.text), sizeof(fixture->err.text) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(medium_with_the_id_is_taken),
		TEST(medium_optical_comes_before_usb),
		TEST(medium_fixed_disk_is_not_opened),
		TEST(medium_similar_id_is_refused),
		TEST(medium_short_or_absent_is_named),
		TEST(medium_that_comes_late_is_found),
		TEST(medium_search_ends),
		TEST(medium_long_list_is_cut_not_overrun),
	};

	return cmocka_run_group_tests_name("init_medium", tests, NULL, NULL);
}
