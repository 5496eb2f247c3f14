/* SPDX-License-Identifier: ISC */
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/version.h"
#include "lib/cli/words.h"
#include "tools/ceremony/account.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/folder.h"
#include "tools/ceremony/gather.h"
#include "tools/ceremony/notes.h"
#include "tools/ceremony/pages.h"
#include "tools/ceremony/site.h"

#include <stdlib.h>
#include <string.h>

#define FOLDERS_MAX 8
#define KEY_MAX ((size_t)65536)
#define WORDS_A_LINE 4

struct publishing {
	const struct command_given *given;
	const struct sheet_paper *paper;
	struct buf key; /* empty: none */
	char *dir;      /* where it is made */
	struct account *account;
	struct err *err;
};

/* The last operand is the new folder. */
static size_t log_count(const struct publishing *p)
{
	return p->given->count - 1;
}

static bool copy_logs(const struct publishing *p)
{
	struct buf name = BUF_EMPTY;
	bool ok = true;

	for (size_t i = 0; ok && i < log_count(p); i++) {
		buf_clear(&name);
		buf_format(&name, "%s/" FOLDER_LOG, p->dir);
		if (i > 0)
			buf_format(&name, "-%zu", i + 1);
		ok = buf_ok(&name, p->err) &&
		     gather_copy(
			     p->given->operands[i], buf_string(&name), p->err);
	}
	buf_free(&name);
	return ok;
}

/* The script may lie beside the folder that was copied. */
static bool find_script(const struct publishing *p, struct buf *out)
{
	struct course *course = NULL;
	bool ok;

	if (p->given->script != NULL) {
		buf_text(out, p->given->script);
		return buf_ok(out, p->err);
	}
	ok = course_read(p->given->operands, 1, &course, p->err) &&
	     account_script(course, p->given->operands[0], out, p->err);
	course_free(course);
	return ok;
}

/* From what was copied, so that the page is about what is published. */
static bool read_account(struct publishing *p)
{
	struct buf script = BUF_EMPTY;
	struct buf names[FOLDERS_MAX] = {BUF_EMPTY};
	const char *folders[FOLDERS_MAX];
	bool ok;

	for (size_t i = 0; i < log_count(p); i++) {
		buf_format(&names[i], "%s/" FOLDER_LOG, p->dir);
		if (i > 0)
			buf_format(&names[i], "-%zu", i + 1);
		folders[i] = buf_string(&names[i]);
	}
	ok = find_script(p, &script) &&
	     account_read(folders, log_count(p), buf_string(&script),
		     &p->account, p->err);
	buf_free(&script);
	for (size_t i = 0; i < log_count(p); i++)
		buf_free(&names[i]);
	return ok;
}

static bool write_pages(const struct publishing *p)
{
	struct pages pages = {.script = p->account->script,
		.hash = p->account->hash,
		.release = version_release,
		.paper = p->paper,
		.sheets = PAGES_SHEETS};
	struct buf pdf = BUF_EMPTY;
	bool ok = pages_pdf(&pages, &pdf, p->err) &&
		  gather_write(p->dir, FOLDER_PAPER, &pdf, p->err);

	buf_clear(&pdf);
	pages.sheets = 0;
	pages.account = p->account;
	ok = ok && pages_pdf(&pages, &pdf, p->err) &&
	     gather_write(p->dir, FOLDER_SIGNED, &pdf, p->err);
	buf_free(&pdf);
	return ok;
}

static bool write_notes(const struct publishing *p)
{
	struct buf text = BUF_EMPTY;
	bool ok =
		notes_write(p->account, &text, p->err) &&
		gather_write(p->dir, FOLDER_NOTES, &text, p->err) &&
		gather_write(p->dir, FOLDER_SCRIPT, &p->account->bytes, p->err);

	buf_free(&text);
	return ok;
}

/* In the way of verify-media: what hashes.h reads. */
static bool write_disc(const struct publishing *p)
{
	const struct script *script = p->account->script;
	struct buf text = BUF_EMPTY, hash = BUF_EMPTY;
	bool ok = true;

	if (script->disc == NULL) {
		buf_text(&text, "The script names no disc.\n");
	} else {
		ok = hex_decode(script->disc_sha256, &hash, p->err);
		buf_format(&text, "%s\nSHA-256:    ", script->disc);
		hex_encode(&text, hash.data, hash.len);
		for (size_t i = 0; ok && i < hash.len; i += WORDS_A_LINE) {
			buf_text(&text,
				i == 0 ? "\nPGP Words:  " : "\n            ");
			words_write(&text, hash.data + i, WORDS_A_LINE, 0);
		}
		buf_u8(&text, '\n');
	}
	ok = ok && buf_ok(&text, p->err) &&
	     gather_write(p->dir, FOLDER_DISC, &text, p->err);
	buf_free(&hash);
	buf_free(&text);
	return ok;
}

static bool write_site(const struct publishing *p)
{
	struct tree tree = {.root = NULL};
	struct site site = {.account = p->account,
		.dir = p->dir,
		.files = &tree,
		.release = version_release,
		.sealed = p->key.len > 0};
	struct buf page = BUF_EMPTY;
	bool ok = tree_read(p->dir, &tree, p->err) &&
		  tree_hash(&tree, p->err) &&
		  site_write(&site, &page, p->err) &&
		  gather_write(p->dir, FOLDER_PAGE, &page, p->err);

	tree_free(&tree);
	buf_free(&page);
	return ok;
}

static bool fill(struct publishing *p)
{
	return copy_logs(p) && read_account(p) && write_notes(p) &&
	       write_pages(p) && write_disc(p) && write_site(p) &&
	       gather_seal(p->dir, p->key.len > 0 ? &p->key : NULL, p->err);
}

static bool publish(const struct command_given *given, struct err *err)
{
	const char *target = given->operands[given->count - 1];
	struct publishing p = {.given = given, .key = BUF_EMPTY, .err = err};
	bool ok;

	ok = command_paper(given, &p.paper, err) &&
	     (given->key == NULL ||
		     file_read(given->key, KEY_MAX, &p.key, err)) &&
	     gather_new(target, &p.dir, err);
	if (ok) {
		ok = fill(&p) && gather_publish(p.dir, target, err);
		if (!ok)
			gather_remove(p.dir);
	}
	if (ok && p.account->course->problem_count > 0)
		ok = err_set(err, ERR_REFUSED,
			"%s: made; but the log is not whole: %zu problems, which the page names",
			target, p.account->course->problem_count);
	account_free(p.account);
	free(p.dir);
	buf_wipe(&p.key);
	return ok;
}

const struct command command_publish = {
	.name = "publish",
	.options = "key paper script",
	.operands = "the ceremony's folder, or several, and a new one",
	.least = 2,
	.most = FOLDERS_MAX + 1,
	.run = publish,
};
