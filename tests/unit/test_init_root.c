/* SPDX-License-Identifier: ISC */
/*
 * Emptying a folder of memory, at the way in and at the way out.  Shows that
 * all goes but what is spared, that nothing outside is touched (a link's
 * target, another file system), and that no folder, however deep or odd, is a
 * crash: it is process 1 that does so.
 */
#include "root.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEEP = 500 };

static int make_folder(void **state)
{
	static char folder[] = "/tmp/keyroom-root-XXXXXX";

	snprintf(folder, sizeof(folder), "/tmp/keyroom-root-XXXXXX");
	*state = mkdtemp(folder);
	return *state == NULL || chdir(folder) < 0;
}

static int remove_folder(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
	return chdir("/") < 0 || system(command) != 0;
}

static void put(const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	assert_int_equal(write(file, "x", 1), 1);
	close(file);
}

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static void all_goes_but_what_is_spared(void **state)
{
	(void)state;
	assert_int_equal(mkdir("run", 0700), 0);
	assert_int_equal(mkdir("run/own", 0700), 0);
	assert_int_equal(mkdir("run/other", 0700), 0);
	assert_int_equal(mkdir("run/other/own", 0700), 0);
	assert_int_equal(mkfifo("run/fifo", 0600), 0);
	put("run/own/program");
	put("run/other/own/spool");
	put("run/.hidden");
	root_empty("run", "own");
	assert_true(is_there("run/own/program"));
	assert_false(is_there("run/other"));
	assert_false(is_there("run/fifo"));
	assert_false(is_there("run/.hidden"));
	root_empty("run", NULL);
	assert_false(is_there("run/own"));
	assert_true(is_there("run"));
}

static void what_a_link_shows_stays(void **state)
{
	(void)state;
	assert_int_equal(mkdir("run", 0700), 0);
	assert_int_equal(mkdir("kept", 0700), 0);
	put("kept/file");
	assert_int_equal(symlink("../kept", "run/link"), 0);
	assert_int_equal(symlink("kept", "link"), 0);
	root_empty("run", NULL);
	root_empty("link", NULL);
	root_empty("kept/file", NULL);
	root_empty("absent", NULL);
	assert_false(is_there("run/link"));
	assert_true(is_there("kept/file"));
}

static void folders_without_end_are_no_crash(void **state)
{
	int depth;

	assert_int_equal(mkdir("run", 0700), 0);
	assert_int_equal(chdir("run"), 0);
	put("top");
	for (depth = 0; depth < DEEP; depth++) {
		assert_int_equal(mkdir("d", 0700), 0);
		assert_int_equal(chdir("d"), 0);
	}
	assert_int_equal(chdir(*state), 0);
	root_empty("run", NULL);
	assert_false(is_there("run/top"));
	assert_true(is_there("run/d"));
}

/* In a process of its own, whose mounts nobody else sees. */
static int empty_beside_a_mount(void)
{
	if (unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "run/mount", "tmpfs", 0, "") < 0)
		return 2;
	put("run/mount/file");
	root_empty("run", NULL);
	return is_there("run/file") || !is_there("run/mount/file");
}

static void another_file_system_stays(void **state)
{
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(mkdir("run", 0700), 0);
	assert_int_equal(mkdir("run/mount", 0700), 0);
	put("run/file");
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(empty_beside_a_mount());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_goes_but_what_is_spared),
		TEST(what_a_link_shows_stays),
		TEST(folders_without_end_are_no_crash),
		TEST(another_file_system_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
