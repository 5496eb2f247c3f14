/* SPDX-License-Identifier: ISC */
/* A point of the check: the pages are what this script and this log make. */
#include "lib/base/file.h"
#include "lib/base/version.h"
#include "tools/ceremony/check.h"
#include "tools/ceremony/folder.h"
#include "tools/ceremony/notes.h"
#include "tools/ceremony/pages.h"
#include "tools/ceremony/site.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_MAX ((size_t)256 * 1024 * 1024)

/* A way to make a page; done and paper are those of pages alone. */
struct way {
	bool (*make)(const struct check *check, const struct way *way,
		struct buf *out, struct err *err);
	bool done;
	const char *paper;
};

static bool make_pdf(const struct check *check, const struct way *way,
	struct buf *out, struct err *err)
{
	struct pages pages = {.script = check->account->script,
		.hash = check->account->hash,
		.release = version_release,
		.paper = sheet_paper(way->paper),
		.sheets = way->done ? 0 : PAGES_SHEETS,
		.account = way->done ? check->account : NULL};

	return pages_pdf(&pages, out, err);
}

static bool make_notes(const struct check *check, const struct way *way,
	struct buf *out, struct err *err)
{
	(void)way;
	return notes_write(check->account, out, err);
}

/* The files that were there when the page was made; names are borrowed. */
static bool make_page(const struct check *check, const struct way *way,
	struct buf *out, struct err *err)
{
	static const char *const later[] = {
		FOLDER_PAGE, FOLDER_SUMS, FOLDER_SEAL};
	struct tree tree = check->tree;
	struct site site = {.account = check->account,
		.dir = check->folder,
		.files = &tree,
		.release = version_release,
		.sealed = check_file(check, FOLDER_SEAL) != NULL};
	bool ok;

	(void)way;
	tree.files = calloc(check->tree.count + 1, sizeof(*tree.files));
	if (tree.files == NULL)
		return err_nomem(err);
	tree.count = 0;
	for (size_t i = 0; i < check->tree.count; i++) {
		bool is_later = false;

		for (size_t k = 0; k < sizeof(later) / sizeof(*later); k++)
			is_later = is_later || strcmp(check->tree.files[i].path,
						       later[k]) == 0;
		if (!is_later)
			tree.files[tree.count++] = check->tree.files[i];
	}
	ok = site_write(&site, out, err);
	free(tree.files);
	return ok;
}

static const struct {
	const char *name;
	/* it is what one of these makes: nothing says on which paper */
	struct way ways[2];
} made[] = {
	{FOLDER_NOTES, {{.make = make_notes}}},
	{FOLDER_PAPER, {{make_pdf, false, "letter"}, {make_pdf, false, "a4"}}},
	{FOLDER_SIGNED, {{make_pdf, true, "letter"}, {make_pdf, true, "a4"}}},
	{FOLDER_PAGE, {{.make = make_page}}},
};

static bool is_made(const struct check *check, const struct buf *there,
	const struct way ways[2], bool *out, struct err *err)
{
	bool ok = true;

	*out = false;
	for (size_t i = 0; ok && i < 2 && ways[i].make != NULL && !*out; i++) {
		struct buf bytes = BUF_EMPTY;

		ok = ways[i].make(check, &ways[i], &bytes, err);
		*out = ok && buf_equal(&bytes, there);
		buf_free(&bytes);
	}
	return ok;
}

bool check_pages(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	bool ok = true;

	if (check->account == NULL) {
		check_skip(verdict, "there is nothing to make them from");
		return true;
	}
	for (size_t i = 0; ok && i < sizeof(made) / sizeof(*made); i++) {
		struct buf path = BUF_EMPTY, there = BUF_EMPTY;
		struct err why = ERR_EMPTY;
		bool same = false;

		check_path(check, made[i].name, &path);
		if (!file_read(buf_string(&path), PAGE_MAX, &there, &why)) {
			check_fail(verdict, "%s", why.text);
		} else {
			ok = is_made(check, &there, made[i].ways, &same, err);
			if (ok && !same)
				check_fail(verdict,
					"%s: is not what release %s makes of this script and this log",
					made[i].name, version_release);
		}
		buf_free(&path);
		buf_free(&there);
	}
	return ok;
}
