/* SPDX-License-Identifier: ISC */
#include "tools/evidence/finish.h"

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/cli/feed.h"
#include "lib/cli/hash.h"
#include "lib/hash/sha256.h"
#include "tools/evidence/last.h"
#include "tools/evidence/ledger.h"
#include "tools/evidence/replica.h"
#include "tools/evidence/state.h"
#include "tools/evidence/tree.h"
#include "tools/evidence/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536
#define ENDING_MAX 1024 /* of the journal: room for its last line */

/* Files of the log itself, and those that finish makes. */
static bool is_own(const struct last *last, const char *name)
{
	struct buf path = BUF_EMPTY;
	bool own;

	buf_format(&path, "%s/%s", last->spool, name);
	own = strcmp(name, FINISH_MANIFEST) == 0 ||
	      strcmp(name, VERIFY_NAME) == 0 ||
	      access(buf_string(&path), F_OK) == 0;
	buf_free(&path);
	return own;
}

static bool note_file(const struct tree_file *file, struct err *err)
{
	struct buf request = BUF_EMPTY, answer = BUF_EMPTY;
	bool ok;

	buf_format(&request, "file %" PRIu64 " ", file->size);
	hex_encode(&request, file->hash, sizeof(file->hash));
	buf_u8(&request, ' ');
	text_escape(&request, file->path, strlen(file->path));
	ok = buf_ok(&request, err) &&
	     feed_request(buf_string(&request), &answer, err);
	buf_free(&request);
	buf_free(&answer);
	return ok;
}

/*
 * What other programs wrote into the first folder, the signer's logs as a
 * rule, becomes part of the chain by its hash.
 */
static bool note_files(
	const struct last *last, const char *folder, struct err *err)
{
	struct tree tree = {.root = NULL};
	bool ok;

	ok = tree_read(folder, &tree, err) && tree_hash(&tree, err);
	for (size_t i = 0; ok && i < tree.count; i++)
		if (!is_own(last, tree.files[i].path))
			ok = note_file(&tree.files[i], err);
	tree_free(&tree);
	return ok;
}

/* The folders on the way to a file. */
static bool make_folders(char *path, size_t from, struct err *err)
{
	for (char *p = strchr(path + from, '/'); p != NULL;
		p = strchr(p + 1, '/')) {
		int made;

		*p = '\0';
		made = mkdir(path, 0755);
		if (made != 0 && errno != EEXIST) {
			err_set(err, ERR_OUTPUT, "%s: cannot create: %s", path,
				strerror(errno));
			*p = '/';
			return false;
		}
		*p = '/';
	}
	return true;
}

static bool pour(int from, int to, const char *name, struct err *err)
{
	char chunk[CHUNK];
	ssize_t got;

	while ((got = read(from, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_OUTPUT, "%s: cannot read: %s",
				name, strerror(errno));
		if (!file_write_fd(to, name, chunk, (size_t)got, err))
			return false;
	}
	if (fsync(to) != 0)
		return err_set(err, ERR_OUTPUT, "%s: cannot write: %s", name,
			strerror(errno));
	return true;
}

/* Whole or not at all, and never over a file that is there. */
static bool copy_file(const char *source, const char *target, struct err *err)
{
	struct buf part = BUF_EMPTY;
	int from, to = -1;
	bool ok;

	buf_format(&part, "%s.part", target);
	from = open(source,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (from >= 0)
		to = open(buf_string(&part),
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0644);
	if (to < 0)
		ok = err_set(err, ERR_OUTPUT, "%s: %s",
			from < 0 ? source : target, strerror(errno));
	else
		ok = pour(from, to, target, err);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	if (ok && rename(buf_string(&part), target) != 0)
		ok = err_set(
			err, ERR_OUTPUT, "%s: %s", target, strerror(errno));
	if (!ok && to >= 0)
		unlink(buf_string(&part));
	buf_free(&part);
	return ok;
}

/* One file into a folder where it is not yet. */
static bool copy_missing(const char *from, const char *to,
	const struct tree_file *file, struct err *err)
{
	struct buf source = BUF_EMPTY, target = BUF_EMPTY;
	bool ok;

	buf_format(&source, "%s/%s", from, file->path);
	buf_format(&target, "%s/%s", to, file->path);
	buf_string(&target);
	ok = buf_ok(&source, err) && buf_ok(&target, err);
	if (ok && access(buf_string(&target), F_OK) != 0)
		ok = make_folders((char *)target.data, strlen(to) + 1, err) &&
		     copy_file(buf_string(&source), (char *)target.data, err);
	buf_free(&source);
	buf_free(&target);
	return ok;
}

/* What other programs wrote into the first folder goes to the others too. */
static bool share_files(const struct last *last, const char *from,
	const char *to, struct err *err)
{
	struct tree tree = {.root = NULL};
	struct err first = ERR_EMPTY;
	bool ok = from == NULL || strcmp(from, to) == 0 ||
		  tree_read(from, &tree, err);

	/* One that this drive cannot have does not keep the others off. */
	for (size_t i = 0; ok && i < tree.count; i++)
		if (!is_own(last, tree.files[i].path) &&
			!copy_missing(from, to, &tree.files[i], err) &&
			first.kind == ERR_NONE)
			first = *err;
	tree_free(&tree);
	if (first.kind != ERR_NONE) {
		*err = first;
		return false;
	}
	return ok;
}

/* A file of our own making, which replaces one of an earlier finish. */
static bool put_file(const char *folder, const char *name,
	const struct buf *text, struct err *err)
{
	struct buf path = BUF_EMPTY;
	bool ok;

	buf_format(&path, "%s/%s", folder, name);
	ok = buf_ok(text, err) && buf_ok(&path, err);
	if (ok && unlink(buf_string(&path)) != 0 && errno != ENOENT)
		ok = err_set(err, ERR_OUTPUT, "%s: %s", buf_string(&path),
			strerror(errno));
	ok = ok &&
	     file_write(buf_string(&path), text->data, text->len, NULL, err);
	buf_free(&path);
	return ok;
}

/* The manifest of a folder: every file in it, the journal among them. */
static bool write_manifest(const char *folder, struct buf *out, struct err *err)
{
	struct tree tree = {.root = NULL}, listed;
	bool ok = tree_read(folder, &tree, err) && tree_hash(&tree, err);

	for (size_t i = 0; ok && i < tree.count; i++) {
		listed = tree;
		listed.files = &tree.files[i];
		listed.count = 1;
		if (strcmp(tree.files[i].path, FINISH_MANIFEST) != 0)
			tree_manifest(&listed, out);
	}
	tree_free(&tree);
	return ok && put_file(folder, FINISH_MANIFEST, out, err);
}

static bool describe_manifest(const char *folder, const struct buf *manifest,
	struct buf *out, struct err *err)
{
	uint8_t hash[SHA256_LEN];

	if (!sha256_of(manifest->data, manifest->len, hash, err))
		return false;
	buf_text(out, "Manifest:   ");
	text_escape(out, folder, strlen(folder));
	buf_text(out, "/" FINISH_MANIFEST "\n");
	hash_block(out, hash);
	buf_u8(out, '\n');
	return true;
}

/* Everything into one folder; written: the log itself is there already. */
static bool finish_folder(const struct last *last, const char *folder,
	const char *first, bool written, struct buf *manifest, struct err *err)
{
	struct buf script = BUF_EMPTY;
	bool ok = written || replica_complete(folder, last->spool, err);

	verify_script(&script);
	ok = ok && share_files(last, first, folder, err) &&
	     put_file(folder, VERIFY_NAME, &script, err) &&
	     write_manifest(folder, manifest, err);
	buf_free(&script);
	return ok;
}

/* The last line, and whether it is the log's end. */
static bool read_end(const char *spool, struct buf *out, bool *ended)
{
	struct buf path = BUF_EMPTY;
	char text[ENDING_MAX + 1] = "", *line;
	struct stat st;
	ssize_t got = -1;
	int fd;

	buf_format(&path, "%s/" LEDGER_JOURNAL, spool);
	fd = open(buf_string(&path), O_RDONLY | O_CLOEXEC);
	buf_free(&path);
	if (fd >= 0 && fstat(fd, &st) == 0)
		got = pread(fd, text, ENDING_MAX,
			st.st_size > ENDING_MAX ? st.st_size - ENDING_MAX : 0);
	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return false;
	text[got - 1] = '\0';
	line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	*ended = strstr(line, "Z end ") != NULL;
	buf_format(out, "Journal:    ends with %.64s\n", line);
	return true;
}

struct outcome {
	struct buf *out, *manifest; /* the first whole folder's */
	struct buf failed;          /* the names of those that are not */
	size_t failures;
};

static void try_folder(const struct last *last, const char *folder,
	const char *first, bool written, struct outcome *outcome)
{
	struct buf manifest = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	if (finish_folder(last, folder, first, written, &manifest, &err) &&
		describe_manifest(folder, &manifest, outcome->out, &err)) {
		if (outcome->manifest->len == 0)
			buf_bytes(
				outcome->manifest, manifest.data, manifest.len);
	} else {
		buf_text(outcome->out, "Folder:     ");
		text_escape(outcome->out, folder, strlen(folder));
		buf_text(outcome->out,
			written ? ": NOT COMPLETE: " : ": LOST: ");
		text_escape(outcome->out, err.text, strlen(err.text));
		buf_text(outcome->out, "\n\n");
		buf_format(&outcome->failed, "%s%s",
			outcome->failures > 0 ? ", " : "", folder);
		outcome->failures++;
	}
	buf_free(&manifest);
}

/* Is this folder whole, by what the log's keeper has just said? */
static bool is_written(const struct state *state, const char *folder)
{
	for (size_t i = 0; i < state->folder_count; i++)
		if (strcmp(state->folders[i].path, folder) == 0)
			return !state->folders[i].lost;
	return false;
}

/* Is a log's journal in this folder? */
static bool has_journal(const char *folder)
{
	struct buf path = BUF_EMPTY;
	bool has;

	buf_format(&path, "%s/" LEDGER_JOURNAL, folder);
	has = access(buf_string(&path), R_OK) == 0;
	buf_free(&path);
	return has;
}

/*
 * The first folder that is written, or, after the log's end, that is there:
 * what other programs wrote is in it.
 */
static const char *choose_first(
	const struct last *last, const struct state *status)
{
	for (size_t i = 0; i < last->count; i++)
		if (status->folder_count > 0
				? is_written(status, last->folders[i])
				: has_journal(last->folders[i]))
			return last->folders[i];
	return NULL;
}

/*
 * The log's own end, if it is being kept.  *unread: what other programs wrote
 * is not all noted.
 */
static bool end_log(const struct last *last, const char **first,
	struct state *state, struct err *unread, struct err *err)
{
	struct state status;
	struct err none = ERR_EMPTY;
	bool kept = state_ask("status", &status, &none);

	*first = choose_first(last, &status);
	state_free(&status);
	/* Whatever cannot be read must not keep the log from being ended. */
	if (kept && *first != NULL)
		note_files(last, *first, unread);
	return !kept || state_ask("finish", state, err);
}

static bool judge(const struct last *last, const struct outcome *outcome,
	const struct err *unread, bool ended, struct err *err)
{
	if (outcome->failures > 0)
		return err_set(err, ERR_OUTPUT,
			"not complete: %s: the whole log is in %s",
			(char *)outcome->failed.data, last->spool);
	if (unread->kind != ERR_NONE)
		return err_set(err, ERR_OUTPUT, "not in the journal: %s",
			unread->text);
	if (!ended)
		return err_set(err, ERR_OUTPUT,
			"the journal has no end: the process that kept it has died");
	return true;
}

bool finish_log(struct buf *out, struct buf *manifest, struct err *err)
{
	struct outcome outcome = {.out = out, .manifest = manifest};
	struct state state = {.text = BUF_EMPTY};
	struct err unread = ERR_EMPTY;
	const char *first = NULL;
	struct last last;
	bool ok, ended = false;

	ok = last_read(&last, err) &&
	     end_log(&last, &first, &state, &unread, err);
	if (ok && !read_end(last.spool, out, &ended))
		ok = err_set(err, ERR_OUTPUT, "%s/" LEDGER_JOURNAL ": %s",
			last.spool, strerror(errno));
	for (size_t i = 0; ok && i < last.count; i++)
		try_folder(&last, last.folders[i], first,
			is_written(&state, last.folders[i]), &outcome);
	buf_string(&outcome.failed);
	ok = ok && judge(&last, &outcome, &unread, ended, err);
	state_free(&state);
	last_free(&last);
	buf_free(&outcome.failed);
	return ok;
}
