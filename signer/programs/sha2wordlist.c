/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 of standard input or files, in hexadecimal and in PGP words, so
 * that people can read it aloud; --verify compares with what they have.
 */
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "show/options.h"
#include "show/progress.h"
#include "show/screen.h"
#include "show/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
#define EXPECTED_MAX 4096
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
	.purpose = "SHA-256 of standard input or files in hexadecimal and in "
		   "PGP words.",
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

static bool feed(struct crypto_sha256 *hash, int fd, const char *name,
	uint8_t *chunk, struct err *err)
{
	struct progress progress;
	ssize_t got;

	progress_start(&progress, name, size_of(fd));
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while ((got = read(fd, chunk, CHUNK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_INPUT, "%s: cannot read: %s",
				name, strerror(errno));
		if (!crypto_sha256_update(hash, chunk, (size_t)got, err))
			return false;
		progress_add(&progress, (uint64_t)got);
	}
	progress_end(&progress);
	return true;
}

static bool hash_fd(int fd, const char *name, uint8_t out[CRYPTO_SHA256_LEN],
	struct err *err)
{
	struct crypto_sha256 *hash = NULL;
	uint8_t *chunk = malloc(CHUNK);
	bool ok;

	if (chunk == NULL)
		return err_nomem(err);
	ok = crypto_sha256_new(&hash, err) &&
	     feed(hash, fd, name, chunk, err) &&
	     crypto_sha256_final(hash, out, err);
	crypto_sha256_free(hash);
	free(chunk);
	return ok;
}

/* name NULL is standard input. */
static bool hash_file(
	const char *name, uint8_t out[CRYPTO_SHA256_LEN], struct err *err)
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

static bool show(const char *name, const uint8_t hash[CRYPTO_SHA256_LEN],
	struct err *err)
{
	struct buf text = BUF_EMPTY, words = BUF_EMPTY;
	bool ok;

	if (name != NULL) {
		buf_text(&text, "File:       ");
		text_escape(&text, name, strlen(name));
		buf_text(&text, "\n");
	}
	buf_text(&text, "SHA-256:    ");
	hex_encode(&text, hash, CRYPTO_SHA256_LEN);
	buf_text(&words, "PGP Words:  ");
	words_write(&words, hash, CRYPTO_SHA256_LEN, 0);
	buf_text(&text, "\n");
	/* Within a word, a screen would break what is read aloud. */
	text_fold(
		&text, buf_string(&words), screen_width(STDOUT_FILENO), COLUMN);
	buf_text(&text, "\n");
	ok = buf_ok(&words, err) && buf_ok(&text, err) &&
	     file_write_fd(STDOUT_FILENO, "standard output", text.data,
		     text.len, err);
	buf_free(&text);
	buf_free(&words);
	return ok;
}

/* One line that a person types. */
static bool ask(struct buf *out, struct err *err)
{
	FILE *terminal = fopen("/dev/tty", "r+");
	char line[EXPECTED_MAX];
	bool got;

	if (terminal == NULL)
		return err_set(err, ERR_USAGE,
			"--verify - needs a terminal, or use --verify-file");
	fputs("Hex or words to compare with: ", terminal);
	fflush(terminal);
	got = fgets(line, sizeof(line), terminal) != NULL;
	fclose(terminal);
	if (!got)
		return err_set(err, ERR_REFUSED, "nothing was typed");
	buf_text(out, line);
	return buf_ok(out, err);
}

/* *out stays empty where no comparison is wanted. */
static bool expected_hash(struct buf *out, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = true;

	if (verify == NULL && verify_file == NULL)
		return true;
	if (verify != NULL && verify_file != NULL)
		return err_set(err, ERR_USAGE,
			"--verify and --verify-file exclude each other");
	if (verify_file != NULL)
		ok = file_read(verify_file, EXPECTED_MAX, &text, err);
	else if (strcmp(verify, "-") == 0)
		ok = ask(&text, err);
	else
		buf_text(&text, verify);
	ok = ok && buf_ok(&text, err) &&
	     words_read_sha256(buf_string(&text), out, err);
	buf_free(&text);
	return ok;
}

static bool run_one(
	const char *name, const struct buf *expected, struct err *err)
{
	uint8_t hash[CRYPTO_SHA256_LEN];

	if (!hash_file(name, hash, err) || !show(name, hash, err))
		return false;
	if (expected->len == 0)
		return true;
	if (memcmp(hash, expected->data, sizeof(hash)) != 0)
		return err_set(err, ERR_REFUSED,
			"the hash is NOT the one to compare with");
	puts("Result:     same");
	return true;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct buf expected = BUF_EMPTY;
	bool ok = expected_hash(&expected, err);

	if (ok && expected.len > 0 && given->count > 1)
		ok = err_set(
			err, ERR_USAGE, "comparing takes one file at a time");
	if (ok && given->count == 0)
		ok = run_one(NULL, &expected, err);
	for (size_t i = 0; ok && i < given->count; i++) {
		const char *name = given->operands[i];

		ok = run_one(
			strcmp(name, "-") == 0 ? NULL : name, &expected, err);
	}
	buf_free(&expected);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
