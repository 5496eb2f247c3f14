/* SPDX-License-Identifier: ISC */
/* Points of the check: the public folder itself, the disc, the pages. */
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "tools/ceremony/check.h"
#include "tools/ceremony/folder.h"
#include "tools/ceremony/notes.h"

#include <stdlib.h>
#include <string.h>

#define SUMS_MAX ((size_t)16 * 1024 * 1024)
#define PAGE_MAX ((size_t)64 * 1024 * 1024)
#define DIGITS 64

const struct tree_file *check_file(const struct check *check, const char *path)
{
	size_t low = 0, high = check->tree.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(check->tree.files[middle].path, path);

		if (order == 0)
			return &check->tree.files[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* One line of SHA256SUMS: the file is there, and is that one. */
static void check_sum(struct check *check, struct check_verdict *verdict,
	char *line, bool *listed)
{
	const struct tree_file *file;
	struct buf digits = BUF_EMPTY;
	const char *name = line + DIGITS + 2;

	if (strlen(line) <= DIGITS + 2 || line[DIGITS] != ' ' ||
		strspn(line, "0123456789abcdef") != DIGITS) {
		check_fail(verdict, FOLDER_SUMS ": malformed: %s", line);
		return;
	}
	file = check_file(check, name);
	if (file == NULL) {
		check_fail(verdict, "%s: not there", name);
		return;
	}
	listed[file - check->tree.files] = true;
	hex_encode(&digits, file->hash, SHA256_LEN);
	if (strncmp(line, buf_string(&digits), DIGITS) != 0)
		check_fail(
			verdict, "%s: is not the file of " FOLDER_SUMS, name);
	buf_free(&digits);
}

bool check_files(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	bool *listed = calloc(check->tree.count + 1, sizeof(*listed));
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	struct err why = ERR_EMPTY;
	char *state = NULL, *line;

	if (listed == NULL)
		return err_nomem(err);
	if (check->tree.other != NULL)
		check_fail(verdict, "%s: is neither a file nor a folder",
			check->tree.other);
	check_path(check, FOLDER_SUMS, &path);
	if (!file_read(buf_string(&path), SUMS_MAX, &text, &why))
		check_fail(verdict, "%s", why.text);
	line = strtok_r((char *)(uintptr_t)buf_string(&text), "\n", &state);
	for (; line != NULL; line = strtok_r(NULL, "\n", &state))
		check_sum(check, verdict, line, listed);
	for (size_t i = 0; i < check->tree.count; i++)
		if (!listed[i] &&
			strcmp(check->tree.files[i].path, FOLDER_SUMS) != 0 &&
			strcmp(check->tree.files[i].path, FOLDER_SEAL) != 0)
			check_fail(verdict, "%s: not in " FOLDER_SUMS,
				check->tree.files[i].path);
	buf_free(&path);
	buf_free(&text);
	free(listed);
	return true;
}

bool check_seal(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	struct buf sums = BUF_EMPTY, seal = BUF_EMPTY, out = BUF_EMPTY;
	int status = 0;
	bool ok;

	if (check->given->key == NULL) {
		check_skip(verdict, "no public key was given (--key)");
		return true;
	}
	if (check_file(check, FOLDER_SEAL) == NULL) {
		check_fail(verdict, FOLDER_SEAL ": not there");
		return true;
	}
	check_path(check, FOLDER_SUMS, &sums);
	check_path(check, FOLDER_SEAL, &seal);
	{
		const char *const argv[] = {"openssl", "pkeyutl", "-verify",
			"-pubin", "-inkey", check->given->key, "-rawin", "-in",
			buf_string(&sums), "-sigfile", buf_string(&seal), NULL};

		ok = check_run(argv, &out, &status, err);
	}
	if (ok && status != 0)
		check_fail(verdict,
			FOLDER_SEAL ": is no signature of %s over " FOLDER_SUMS,
			check->given->key);
	buf_free(&sums);
	buf_free(&seal);
	buf_free(&out);
	return ok;
}

/* Does a line of text have both? */
static bool has_line(const char *text, const char *one, const char *two)
{
	const char *place = text;

	while ((place = strstr(place, two)) != NULL) {
		const char *from = place, *end = strchr(place, '\n');
		size_t len;
		char *copy;
		bool has;

		while (from > text && from[-1] != '\n')
			from--;
		len = end != NULL ? (size_t)(end - from) : strlen(from);
		copy = strndup(from, len);
		has = copy != NULL && strstr(copy, one) != NULL;
		free(copy);
		if (has)
			return true;
		place += strlen(two);
	}
	return false;
}

static void check_release(struct check *check, struct check_verdict *verdict,
	const struct script *script)
{
	struct buf text = BUF_EMPTY;
	struct err why = ERR_EMPTY;

	if (check->given->releases == NULL) {
		check_skip(
			verdict, "no list of releases was given (--releases)");
		return;
	}
	if (!file_read(check->given->releases, CHECK_RELEASES_MAX, &text, &why))
		check_fail(verdict, "%s", why.text);
	else if (!has_line(
			 buf_string(&text), script->disc, script->disc_sha256))
		check_fail(verdict, "%s %s is no release of %s", script->disc,
			script->disc_sha256, check->given->releases);
	buf_free(&text);
}

/* "0.4.0 (BUILD)" of the log, and "keyroom-0.4.0-amd64.iso". */
static void check_version(struct check *check, struct check_verdict *verdict,
	const struct script *script)
{
	const char *release = check->account->release;
	struct buf start = BUF_EMPTY;

	buf_format(
		&start, "keyroom-%.*s-", (int)strcspn(release, " "), release);
	if (strncmp(script->disc, buf_string(&start), start.len) != 0)
		check_fail(verdict,
			"the log was kept by release %s, and the disc is %s",
			release, script->disc);
	buf_free(&start);
}

/* The screen showed the disc's hash, wherever it is shown, and it was shown. */
static void check_media(struct check *check, struct check_verdict *verdict,
	const struct script *script)
{
	static const char program[] = "verify-media";
	size_t shown = 0;

	for (size_t i = 0; i < check->shown.count; i++) {
		struct shown_part *part = &check->shown.parts[i];

		if (strcspn(part->command, " ") != strlen(program) ||
			strncmp(part->command, program, strlen(program)) != 0 ||
			!part->ended)
			continue;
		shown++;
		if (strstr(buf_string(&part->lines), script->disc_sha256) ==
			NULL)
			check_fail(verdict,
				"step %u: %s showed another hash than the disc's",
				part->step, program);
	}
	if (shown == 0)
		check_skip(verdict, "no recording shows the disc's hash (%s)",
			program);
}

bool check_disc(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	const struct script *script =
		check->account != NULL ? check->account->script : NULL;
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	struct err why = ERR_EMPTY;

	(void)err;
	if (script == NULL || script->disc == NULL) {
		check_skip(verdict, "%s",
			script == NULL ? "there is no script to compare with"
				       : "the script names no disc");
		return true;
	}
	check_release(check, verdict, script);
	check_version(check, verdict, script);
	check_media(check, verdict, script);
	check_path(check, FOLDER_DISC, &path);
	if (check_file(check, FOLDER_DISC) != NULL &&
		(!file_read(
			 buf_string(&path), CHECK_RELEASES_MAX, &text, &why) ||
			strstr(buf_string(&text), script->disc_sha256) == NULL))
		check_fail(verdict,
			FOLDER_DISC ": is of another disc than the script's");
	buf_free(&path);
	buf_free(&text);
	return true;
}
