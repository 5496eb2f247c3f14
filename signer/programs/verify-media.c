/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 of the medium that this machine was started from: exactly the ISO's
 * length, whole and part by part, to be compared with what was published.
 */
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "ceremony/report.h"
#include "ceremony/volume.h"
#include "show/options.h"
#include "show/words.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXPECTED_MAX 65536
#define BOOT_MAX 65536
#define HEX_LEN 64
#define NAME_COLUMN (HEX_LEN + 2) /* where the name begins in SHA256SUMS */
#define NAME_SIZE 100
#define ISOS_MAX 16

static const char *device, *verify, *verify_file, *boot;
static bool words;

static const struct option_entry options[] = {
	{"device", 0, OPTION_VALUE, "FILE",
		"read this drive or ISO, not what was booted", &device},
	{"verify", 0, OPTION_VALUE, "TEXT",
		"compare with hex or words; - asks for them", &verify},
	{"verify-file", 0, OPTION_VALUE, "FILE",
		"compare with those in a file or SHA256SUMS", &verify_file},
	{"words", 'w', OPTION_FLAG, NULL, "show words for each part too",
		&words},
	{"boot-file", 0, OPTION_VALUE, "FILE", "instead of /run/keyroom/boot",
		&boot},
	{0},
};

static const char *const usage[] = {"[--verify TEXT] [--words]", NULL};

static const struct option_program program = {
	.name = "verify-media",
	.purpose = "SHA-256 of the medium that this machine was started from.",
	.usage = usage,
	.options = options,
};

/* The device named in the boot stage's notes, appended. */
static bool booted_from(struct buf *out, struct err *err)
{
	struct buf text = BUF_EMPTY;
	const char *line;
	bool ok;

	ok = file_read(boot, BOOT_MAX, &text, err);
	line = ok ? buf_string(&text) : "";
	while (*line != '\0' && strncmp(line, "medium=", 7) != 0) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	if (ok && *line == '\0')
		ok = err_set(err, ERR_INPUT,
			"%s: does not say which medium was booted", boot);
	if (ok)
		buf_bytes(out, line + 7, strcspn(line + 7, "\n"));
	buf_free(&text);
	return ok ? buf_ok(out, err) : err_prefix(err, "give --device");
}

/* Is this a line of SHA256SUMS: digits, blanks and a name? */
static bool is_sum_line(const char *text)
{
	return strspn(text, "0123456789abcdefABCDEF") == HEX_LEN &&
	       strncmp(text + HEX_LEN, "  ", 2) == 0 &&
	       isgraph((unsigned char)text[HEX_LEN + 2]);
}

/* What to compare with: a hash that was given, or those of a SHA256SUMS. */
struct expected {
	struct {
		uint8_t hash[CRYPTO_SHA256_LEN];
		char name[NAME_SIZE]; /* as it is listed; empty: was given */
	} isos[ISOS_MAX];
	size_t count; /* 0: no comparison is wanted */
};

static bool add_hash(struct expected *expected, const char *text,
	const char *name, size_t name_len, struct err *err)
{
	struct buf hash = BUF_EMPTY;
	bool ok = words_read_sha256(text, &hash, err);

	if (ok && expected->count == ISOS_MAX)
		ok = err_set(err, ERR_INPUT, "%s: names more than %d ISOs",
			verify_file, ISOS_MAX);
	if (ok) {
		size_t i = expected->count++;

		memcpy(expected->isos[i].hash, hash.data, CRYPTO_SHA256_LEN);
		snprintf(expected->isos[i].name, NAME_SIZE, "%.*s",
			(int)name_len, name);
	}
	buf_free(&hash);
	return ok;
}

/* The hashes of the ISOs in SHA256SUMS, one a profile in a release's. */
static bool add_sums(
	struct expected *expected, const char *text, struct err *err)
{
	bool ok = true;

	while (ok && *text != '\0') {
		size_t len = strcspn(text, "\n");
		bool iso = len > 4 && strncmp(text + len - 4, ".iso", 4) == 0;
		char digits[HEX_LEN + 1];

		if (is_sum_line(text) && iso) {
			snprintf(digits, sizeof(digits), "%s", text);
			ok = add_hash(expected, digits, text + NAME_COLUMN,
				len - NAME_COLUMN, err);
		}
		text += len + (text[len] == '\n');
	}
	if (ok && expected->count == 0)
		return err_set(err, ERR_INPUT, "%s: names no ISO", verify_file);
	return ok;
}

static bool add_file(struct expected *expected, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = file_read(verify_file, EXPECTED_MAX, &text, err);

	if (ok && is_sum_line(buf_string(&text)))
		ok = add_sums(expected, buf_string(&text), err);
	else if (ok)
		ok = add_hash(expected, buf_string(&text), "", 0, err);
	buf_free(&text);
	return ok;
}

static bool expected_read(struct expected *expected, struct err *err)
{
	struct buf typed = BUF_EMPTY;
	bool ok;

	if (verify != NULL && verify_file != NULL)
		return err_set(err, ERR_USAGE,
			"--verify and --verify-file exclude each other");
	if (verify_file != NULL)
		return add_file(expected, err);
	if (verify == NULL)
		return true;
	if (strcmp(verify, "-") != 0)
		return add_hash(expected, verify, "", 0, err);
	ok = report_ask("Hex or words to compare with: ", &typed, err) &&
	     add_hash(expected, buf_string(&typed), "", 0, err);
	buf_free(&typed);
	return ok;
}

/* Is it one of those?  Says which, where they have names. */
static bool compare(const struct expected *expected,
	const uint8_t hash[CRYPTO_SHA256_LEN], struct buf *out)
{
	for (size_t i = 0; i < expected->count; i++) {
		const char *name = expected->isos[i].name;

		if (memcmp(hash, expected->isos[i].hash, CRYPTO_SHA256_LEN) !=
			0)
			continue;
		if (*name != '\0') {
			buf_text(out, "Listed as:  ");
			text_escape(out, name, strlen(name));
			buf_u8(out, '\n');
		}
		buf_text(out, "Result:     same\n");
		return true;
	}
	buf_text(out, "Result:     DIFFERENT\n");
	return false;
}

static void describe(
	const char *name, const struct volume *volume, struct buf *out)
{
	buf_text(out, "Medium:     ");
	text_escape(out, name, strlen(name));
	buf_text(out, "\nVolume:     ");
	text_escape(out, volume->label, strlen(volume->label));
	buf_format(out, "\nSize:       %" PRIu64 " bytes\n", volume->size);
	for (size_t i = 0; i < volume->count; i++) {
		const struct volume_part *part = &volume->parts[i];

		buf_text(out, "\nPart:       ");
		text_escape(out, part->name, strlen(part->name));
		buf_format(out, ", %" PRIu64 " bytes\n", part->size);
		if (words) {
			report_hash(out, part->hash);
		} else {
			buf_text(out, "SHA-256:    ");
			hex_encode(out, part->hash, sizeof(part->hash));
			buf_u8(out, '\n');
		}
	}
	buf_text(out, "\nThe whole medium:\n");
	report_hash(out, volume->hash);
}

static bool verify_medium(
	const char *name, const struct expected *expected, struct err *err)
{
	struct volume volume;
	struct buf text = BUF_EMPTY;
	bool ok, same = true;
	int fd;

	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_INPUT, "%s: cannot open: %s", name,
			strerror(errno));
	ok = volume_read(fd, name, &volume, err) &&
	     volume_hash(fd, name, &volume, err);
	close(fd);
	if (!ok)
		return false;
	describe(name, &volume, &text);
	if (expected->count > 0)
		same = compare(expected, volume.hash, &text);
	ok = report_print(&text, err);
	buf_free(&text);
	if (ok && !same)
		ok = err_set(err, ERR_REFUSED,
			"the hash is NOT the one to compare with");
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct expected expected = {.count = 0};
	struct buf name = BUF_EMPTY;
	bool ok;

	if (given->count > 0)
		return err_set(err, ERR_USAGE, "unexpected operand \"%s\"",
			given->operands[0]);
	boot = boot != NULL ? boot : "/run/keyroom/boot";
	ok = expected_read(&expected, err);
	if (ok && device != NULL)
		buf_text(&name, device);
	else if (ok)
		ok = booted_from(&name, err);
	ok = ok && verify_medium(buf_string(&name), &expected, err);
	buf_free(&name);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
