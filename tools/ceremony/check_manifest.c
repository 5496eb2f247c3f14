/* SPDX-License-Identifier: ISC */
/* Of RECORDINGS: the two files that "ceremony-log finish" makes itself. */
#include "lib/base/file.h"
#include "lib/base/version.h"
#include "tools/ceremony/check.h"
#include "tools/evidence/finish.h"
#include "tools/evidence/verify.h"

#include <stdlib.h>
#include <string.h>

#define MANIFEST_MAX ((size_t)16 * 1024 * 1024)

/* The files of that log's folder but the manifest; paths are borrowed. */
static bool find_files(const struct check *check, size_t log, struct tree *out,
	struct err *err)
{
	const char *folder = check_log_name(check, log);
	size_t len = strlen(folder);

	*out = (struct tree){
		.files = calloc(check->tree.count + 1, sizeof(*out->files))};
	if (out->files == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < check->tree.count; i++) {
		struct tree_file file = check->tree.files[i];

		if (strncmp(file.path, folder, len) != 0 ||
			file.path[len] != '/')
			continue;
		file.path += len + 1;
		if (strcmp(file.path, FINISH_MANIFEST) != 0)
			out->files[out->count++] = file;
	}
	return true;
}

/* Each line of one text must be in the other. */
static void compare(struct check_verdict *verdict, const char *text,
	const char *other, const char *path, const char *what)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *place = other;
		bool there = false;

		while (!there && *place != '\0') {
			size_t its = strcspn(place, "\n");

			there = its == len && memcmp(place, text, len) == 0;
			place += its + (place[its] == '\n');
		}
		if (!there)
			check_fail(verdict, "%s: %s: %.*s", path, what,
				(int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* "HASH  ./NAME" is "HASH  NAME". */
static void make_plain(const struct buf *text, struct buf *out)
{
	for (size_t i = 0; i < text->len; i++) {
		if (i >= 2 && text->len - i > 2 && text->data[i] == '.' &&
			text->data[i + 1] == '/' && text->data[i - 1] == ' ' &&
			text->data[i - 2] == ' ')
			i += 2;
		buf_u8(out, text->data[i]);
	}
}

static bool check_list(const struct check *check, struct check_verdict *verdict,
	size_t log, struct err *err)
{
	struct buf path = BUF_EMPTY, name = BUF_EMPTY, there = BUF_EMPTY;
	struct buf made = BUF_EMPTY, listed = BUF_EMPTY, right = BUF_EMPTY;
	struct err why = ERR_EMPTY;
	struct tree tree;
	bool ok = find_files(check, log, &tree, err);

	buf_format(&name, "%s/" FINISH_MANIFEST, check_log_name(check, log));
	check_path(check, buf_string(&name), &path);
	if (ok && !file_read(buf_string(&path), MANIFEST_MAX, &there, &why)) {
		check_fail(verdict, "%s", why.text);
	} else if (ok) {
		tree_manifest(&tree, &made);
	}
	if (ok && why.kind == ERR_NONE && !buf_equal(&made, &there)) {
		make_plain(&made, &right);
		make_plain(&there, &listed);
		compare(verdict, buf_string(&right), buf_string(&listed),
			buf_string(&name), "does not list");
		compare(verdict, buf_string(&listed), buf_string(&right),
			buf_string(&name), "lists what is not there");
	}
	free(tree.files);
	buf_free(&path);
	buf_free(&name);
	buf_free(&there);
	buf_free(&made);
	buf_free(&listed);
	buf_free(&right);
	return ok;
}

/* Another build may have another script, of which nothing can be said here. */
static bool is_of_this_build(const struct check *check)
{
	struct buf own = BUF_EMPTY;
	bool is;

	buf_format(&own, "%s (%s)", version_release, version_build_id);
	is = check->account != NULL &&
	     strcmp(check->account->release, buf_string(&own)) == 0;
	buf_free(&own);
	return is;
}

static void check_script_beside(
	const struct check *check, struct check_verdict *verdict, size_t log)
{
	struct buf path = BUF_EMPTY, name = BUF_EMPTY;
	struct buf there = BUF_EMPTY, own = BUF_EMPTY;
	struct err why = ERR_EMPTY;

	buf_format(&name, "%s/" VERIFY_NAME, check_log_name(check, log));
	check_path(check, buf_string(&name), &path);
	verify_script(&own);
	if (!file_read(buf_string(&path), MANIFEST_MAX, &there, &why))
		check_fail(verdict, "%s", why.text);
	else if (is_of_this_build(check) && !buf_equal(&there, &own))
		check_fail(verdict,
			"%s: is not the script that release %s puts there",
			buf_string(&name), version_release);
	buf_free(&path);
	buf_free(&name);
	buf_free(&there);
	buf_free(&own);
}

bool check_manifests(const struct check *check, struct check_verdict *verdict,
	struct err *err)
{
	for (size_t log = 0; log < check->log_count; log++) {
		/* One that was cut has neither. */
		if (!check->course->logs[log].ended)
			continue;
		if (!check_list(check, verdict, log, err))
			return false;
		check_script_beside(check, verdict, log);
	}
	return true;
}
