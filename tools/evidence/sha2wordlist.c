/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 of standard input or files, in hexadecimal and in PGP words, so
 * that people can read it aloud; --verify compares with what they have.
 */
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/cli/hash.h"
#include "lib/cli/hashes.h"
#include "lib/cli/options.h"
#include "lib/cli/print.h"
#include "lib/cli/progress.h"
#include "lib/cli/words.h"
#include "lib/hash/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLUMN 12 /* where hash and words begin */

static const char *verify, *verify_file;

static const struct option_entry options[] = {
	{"verify", 0, OPTION_VALUE, "TEXT",
		"compare with hex or words; - reads them from the terminal",
		&verify},
	{"verify-file", 0, OPTION_VALUE, "FILE",
		"compare with hex or words in a file", &verify_file},
	{0},
};

static const char *const usage[] = {"[--verify TEXT] [FILE ...]", NULL};

static const struct option_program program = {
	.name = "sha2wordlist",
	.purpose =
		"SHA-256 of standard input or files in hexadecimal and in PGP words.",
	.usage = usage,
	.options = options,
};

/* The size of a regular file; 0 where none can be told. */
static uint64_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
		return 0;
	return (uint64_t)st.st_size;
}

/* A sha256_seen. */
static bool show_progress(
	void *progress, const void *data, size_t len, struct err *err)
{
	(void)data;
	(void)err;
	progress_add(progress, len);
	return true;
}

static bool hash_fd(
	int fd, const char *name, uint8_t out[SHA256_LEN], struct err *err)
{
	struct sha256 *hash = NULL;
	struct progress progress;
	bool ok;

	progress_start(&progress, name, size_of(fd));
	ok = sha256_new(&hash, err);
	if (ok && !sha256_feed(hash, fd, show_progress, &progress, err))
		ok = err_prefix(err, "%s", name);
	ok = ok && sha256_final(hash, out, err);
	progress_end(&progress);
	sha256_free(hash);
	return ok;
}

/* name NULL is standard input. */
static bool hash_file(
	const char *name, uint8_t out[SHA256_LEN], struct err *err)
{
	bool ok;
	int fd;

	if (name == NULL)
		return hash_fd(STDIN_FILENO, "standard input", out, err);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_INPUT, "%s: cannot open: %s", name,
			strerror(errno));
	ok = hash_fd(fd, name, out, err);
	close(fd);
	return ok;
}

static bool show(
	const char *name, const uint8_t hash[SHA256_LEN], struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	if (name != NULL) {
		buf_text(&text, "File:       ");
		text_escape(&text, name, strlen(name));
		buf_text(&text, "\n");
	}
	hash_hex(&text, hash);
	buf_text(&text, "PGP Words:  ");
	words_write(&text, hash, SHA256_LEN, 0);
	buf_text(&text, "\n");
	/*
	 * Within a word, a screen would break what is read aloud; and a name,
	 * which a drive may have given, would go on where a hash begins.
	 */
	ok = print_folded(&text, COLUMN, err);
	buf_free(&text);
	return ok;
}

static bool run_one(const char *name, const uint8_t *expected, struct err *err)
{
	uint8_t hash[SHA256_LEN];

	if (!hash_file(name, hash, err) || !show(name, hash, err))
		return false;
	if (expected == NULL)
		return true;
	if (memcmp(hash, expected, sizeof(hash)) != 0)
		return err_set(err, ERR_REFUSED,
			"the hash is NOT the one to compare with");
	puts("Result:     same");
	return true;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct hashes hashes = HASHES_EMPTY;
	const uint8_t *expected = NULL;
	bool ok = hashes_given(verify, verify_file, &hashes, err);

	if (ok && hashes.count > 0)
		ok = hashes_one(&hashes, &expected, err);
	if (ok && expected != NULL && given->count > 1)
		ok = err_set(
			err, ERR_USAGE, "comparing takes one file at a time");
	if (ok && given->count == 0)
		ok = run_one(NULL, expected, err);
	for (size_t i = 0; ok && i < given->count; i++) {
		const char *name = given->operands[i];

		ok = run_one(
			strcmp(name, "-") == 0 ? NULL : name, expected, err);
	}
	hashes_free(&hashes);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
