/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 of the medium that this machine was started from: exactly the ISO's
 * length, whole and part by part, to be compared with what was published; and
 * what else is on the medium, from which a machine might start instead.
 */
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cli/hash.h"
#include "lib/cli/hashes.h"
#include "lib/cli/options.h"
#include "lib/cli/place.h"
#include "lib/cli/print.h"
#include "lib/hash/sha256.h"
#include "tools/evidence/medium.h"
#include "tools/evidence/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BOOT_MAX 65536
#define ISOS_MAX 16
#define COLUMN 12 /* where values begin */

static const char *device, *verify, *verify_file, *boot;
static bool words, behind;

static const struct option_entry options[] = {
	{"device", 0, OPTION_VALUE, "FILE",
		"read this drive or ISO, not what was booted", &device},
	{"verify", 0, OPTION_VALUE, "TEXT",
		"compare with hex or words; - asks for them", &verify},
	{"verify-file", 0, OPTION_VALUE, "FILE",
		"compare with those in a file or SHA256SUMS", &verify_file},
	{"words", 'w', OPTION_FLAG, NULL, "show words for each part too",
		&words},
	{"behind", 0, OPTION_FLAG, NULL,
		"look at all that lies behind the ISO on a stick", &behind},
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
	struct buf text = BUF_EMPTY, path = BUF_EMPTY;
	const char *line;
	bool ok;

	if (boot != NULL)
		buf_text(&path, boot);
	else
		place(&path, PLACE_RUN "/boot");
	ok = file_read(buf_string(&path), BOOT_MAX, &text, err);
	line = ok ? buf_string(&text) : "";
	while (*line != '\0' && strncmp(line, "medium=", 7) != 0) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	if (ok && *line == '\0')
		ok = err_set(err, ERR_INPUT,
			"%s: does not say which medium was booted",
			buf_string(&path));
	if (ok)
		buf_bytes(out, line + 7, strcspn(line + 7, "\n"));
	buf_free(&text);
	buf_free(&path);
	return ok ? buf_ok(out, err) : err_prefix(err, "give --device");
}

/* Does a list name an ISO there?  FAT has short names in capitals. */
static bool is_iso(const struct hashes_entry *entry)
{
	size_t len = strlen(entry->name);

	return len > 4 && strcasecmp(entry->name + len - 4, ".iso") == 0;
}

/*
 * What to compare with: of a list, the ISOs alone, one a profile in a
 * release's; else the one hash that was given.
 */
static bool expected_read(struct hashes *expected, struct err *err)
{
	const uint8_t *one;
	size_t named = 0, isos = 0;

	if (!hashes_given(verify, verify_file, expected, err))
		return false;
	for (size_t i = 0; i < expected->count; i++) {
		named += *expected->entries[i].name != '\0';
		if (is_iso(&expected->entries[i]))
			expected->entries[isos++] = expected->entries[i];
	}
	if (named == 0)
		return expected->count == 0 || hashes_one(expected, &one, err);
	if (named < expected->count)
		return err_set(err, ERR_INPUT,
			"a list of files and a hash of no file: give the one that is meant");
	if (isos == 0)
		return err_set(err, ERR_INPUT, "%s: names no ISO",
			verify_file != NULL ? verify_file : "the list");
	if (isos > ISOS_MAX)
		return err_set(err, ERR_INPUT, "%s: names more than %d ISOs",
			verify_file != NULL ? verify_file : "the list",
			ISOS_MAX);
	expected->count = isos;
	return true;
}

/* Is it one of those?  Says which, where they have names. */
static bool compare(const struct hashes *expected,
	const uint8_t hash[SHA256_LEN], bool alone, struct buf *out)
{
	for (size_t i = 0; i < expected->count; i++) {
		const char *name = expected->entries[i].name;

		if (memcmp(hash, expected->entries[i].hash, SHA256_LEN) != 0)
			continue;
		if (*name != '\0') {
			buf_text(out, "Listed as:  ");
			text_escape(out, name, strlen(name));
			buf_u8(out, '\n');
		}
		buf_text(out, alone ? "Result:     same\n"
				    : "Result:     same, but NOT ALONE\n");
		return true;
	}
	buf_text(out, "Result:     DIFFERENT\n");
	return false;
}

/* "The whole medium" is said of nothing less. */
static void describe(const char *name, const struct volume *volume,
	const struct medium *medium, struct buf *out)
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
		(words ? hash_block : hash_hex)(out, part->hash);
	}
	buf_text(out, medium->size > volume->size
			      ? "\nThe ISO on this medium:\n"
			      : "\nThe whole medium:\n");
	hash_block(out, volume->hash);
	medium_describe(medium, volume->size, out);
}

static bool verify_medium(
	const char *name, const struct hashes *expected, struct err *err)
{
	struct volume volume;
	struct medium medium;
	struct buf text = BUF_EMPTY;
	bool ok, same = true, alone;
	int fd;

	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_INPUT, "%s: cannot open: %s", name,
			strerror(errno));
	ok = volume_read(fd, name, &volume, err) &&
	     volume_hash(fd, name, &volume, err) &&
	     medium_look(fd, name, volume.size, behind, &medium, err);
	close(fd);
	if (!ok)
		return false;
	describe(name, &volume, &medium, &text);
	alone = medium_is_one_closed_session(&medium, name, err);
	if (expected->count > 0)
		same = compare(expected, volume.hash, alone, &text);
	ok = print_folded(&text, COLUMN, err) && alone;
	buf_free(&text);
	if (ok && !same)
		ok = err_set(err, ERR_REFUSED,
			"the hash is NOT the one to compare with");
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct hashes expected = HASHES_EMPTY;
	struct buf name = BUF_EMPTY;
	bool ok;

	if (given->count > 0)
		return err_set(err, ERR_USAGE, "unexpected operand \"%s\"",
			given->operands[0]);
	ok = expected_read(&expected, err);
	if (ok && device != NULL)
		buf_text(&name, device);
	else if (ok)
		ok = booted_from(&name, err);
	ok = ok && verify_medium(buf_string(&name), &expected, err);
	buf_free(&name);
	hashes_free(&expected);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
