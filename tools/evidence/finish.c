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
#include "tools/evidence/share.h"
#include "tools/evidence/state.h"
#include "tools/evidence/tree.h"
#include "tools/evidence/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536
/* Of the journal: room for its last line, of a request's length, escaped. */
#define ENDING_MAX ((size_t)8 * 1024 * 1024)
/* A line of the journal that says what is not in it, and why. */
#define UNREAD "not in the journal: "

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

/* A tree_unread: it is said in the journal, for this finish and later ones. */
static void note_unread(void *context, const struct err *why)
{
	struct buf request = BUF_EMPTY, answer = BUF_EMPTY;
	struct err *first = context, discarded = ERR_EMPTY;

	if (first->kind == ERR_NONE)
		*first = *why;
	buf_text(&request, "note " UNREAD);
	text_escape(&request, why->text, strlen(why->text));
	if (buf_ok(&request, &discarded))
		feed_request(buf_string(&request), &answer, &discarded);
	buf_free(&request);
	buf_free(&answer);
}

/*
 * What other programs wrote into the first folder, the signer's logs as a
 * rule, becomes part of the chain by its hash.  What cannot be read keeps
 * nothing else out of it.  unread: the first thing that is not in it.
 */
static void note_files(
	const struct last *last, const char *folder, struct err *unread)
{
	struct tree tree = {.root = NULL};
	struct err err = ERR_EMPTY;
	bool ok;

	ok = tree_read_most(folder, note_unread, unread, &tree, &err) &&
	     tree_hash(&tree, &err);
	for (size_t i = 0; ok && i < tree.count; i++)
		if (!is_own(last, tree.files[i].path))
			ok = note_file(&tree.files[i], &err);
	if (!ok)
		note_unread(unread, &err);
	tree_free(&tree);
}

/* A tree_unread: the first one is what is said. */
static void keep_first(void *context, const struct err *why)
{
	struct err *first = context;

	if (first->kind != ERR_NONE)
		return;
	*first = *why;
	first->kind = ERR_OUTPUT;
}

/* What other programs wrote into the first folder goes to the others too. */
static bool share_files(const struct last *last, const char *from,
	const char *to, struct err *err)
{
	struct tree tree = {.root = NULL};
	struct err first = ERR_EMPTY, one = ERR_EMPTY;

	if (from == NULL || strcmp(from, to) == 0)
		return true;
	if (!tree_read_most(from, keep_first, &first, &tree, &one))
		keep_first(&first, &one);
	/* One that this drive cannot have does not keep the others off. */
	for (size_t i = 0; i < tree.count; i++)
		if (!is_own(last, tree.files[i].path) &&
			!share_file(from, to, &tree.files[i], &one))
			keep_first(&first, &one);
	tree_free(&tree);
	if (first.kind != ERR_NONE)
		*err = first;
	return first.kind == ERR_NONE;
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
	ok = ok && put_file(folder, FINISH_MANIFEST, out, err);
	if (!ok)
		buf_clear(out);
	return ok;
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

/*
 * Everything into one folder, where the log itself is already.  What it lacks
 * does not keep it from having a manifest.
 */
static bool finish_folder(const struct last *last, const char *folder,
	const char *first, struct buf *manifest, struct err *err)
{
	struct buf script = BUF_EMPTY;
	struct err unshared = ERR_EMPTY;
	bool ok;

	verify_script(&script);
	share_files(last, first, folder, &unshared);
	ok = put_file(folder, VERIFY_NAME, &script, err) &&
	     write_manifest(folder, manifest, err);
	buf_free(&script);
	if (ok && unshared.kind != ERR_NONE)
		*err = unshared;
	return ok && unshared.kind == ERR_NONE;
}

/* The end of a file; *whole: it is all of it. */
static bool read_tail(const char *path, struct buf *out, bool *whole)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t from;
	struct stat st;
	char chunk[CHUNK];
	ssize_t got = -1;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		*whole = st.st_size <= (off_t)ENDING_MAX;
		from = *whole ? 0 : st.st_size - (off_t)ENDING_MAX;
		while ((got = pread(fd, chunk, sizeof(chunk), from)) > 0) {
			buf_bytes(out, chunk, (size_t)got);
			from += got;
		}
	}
	if (fd >= 0)
		close(fd);
	return got == 0 && !out->failed;
}

/*
 * The last line that is whole; NULL: there is none.  *last: nothing stands
 * behind it.
 */
static const char *whole_line(struct buf *tail, bool whole, bool *last)
{
	char *text, *end, *line;

	*last = tail->len > 0 && tail->data[tail->len - 1] == '\n';
	buf_string(tail);
	if (tail->failed)
		return NULL;
	text = (char *)tail->data;
	end = memrchr(text, '\n', tail->len);
	if (end == NULL)
		return NULL;
	*end = '\0';
	line = memrchr(text, '\n', (size_t)(end - text));
	if (line == NULL && !whole)
		return NULL;
	line = line != NULL ? line + 1 : text;
	return strspn(line, "0123456789abcdef") == JOURNAL_HASH_LEN &&
			       line[JOURNAL_HASH_LEN] == ' '
		       ? line
		       : NULL;
}

/* "HASH NUMBER TIME KIND TEXT": what stands behind so many blanks. */
static const char *behind_blanks(const char *line, int blanks)
{
	for (; blanks > 0 && *line != '\0'; blanks--) {
		line += strcspn(line, " ");
		line += *line == ' ';
	}
	return line;
}

/* The last line, and whether it is the log's end. */
static bool read_end(const char *spool, struct buf *out, bool *ended)
{
	struct buf path = BUF_EMPTY, tail = BUF_EMPTY;
	bool whole = true, last;
	const char *line = NULL;

	buf_format(&path, "%s/" LEDGER_JOURNAL, spool);
	if (read_tail(buf_string(&path), &tail, &whole))
		line = whole_line(&tail, whole, &last);
	if (line != NULL) {
		*ended = last && strcmp(behind_blanks(line, 3), "end ") == 0;
		buf_format(out, "Journal:    ends with %.64s\n", line);
	}
	buf_free(&path);
	buf_free(&tail);
	return line != NULL;
}

/* What an earlier finish has said is not in it; it cannot come in any more. */
static void recall_unread(const char *spool, struct err *unread)
{
	static const char said[] = "note " UNREAD;
	struct buf path = BUF_EMPTY;
	FILE *journal;
	char *line = NULL;
	size_t size = 0;

	buf_format(&path, "%s/" LEDGER_JOURNAL, spool);
	journal = fopen(buf_string(&path), "re");
	while (journal != NULL && unread->kind == ERR_NONE &&
		getline(&line, &size, journal) > 0) {
		const char *kind = behind_blanks(line, 3);

		if (strncmp(kind, said, sizeof(said) - 1) == 0)
			err_set(unread, ERR_OUTPUT, "%.*s",
				(int)strcspn(kind + sizeof(said) - 1, "\n"),
				kind + sizeof(said) - 1);
	}
	if (journal != NULL)
		fclose(journal);
	free(line);
	buf_free(&path);
}

struct outcome {
	struct buf *out, *manifest; /* the first whole folder's */
	struct buf failed;          /* the names of those that are not */
	size_t failures;
};

static void say_failure(const char *folder, bool written, const struct err *err,
	struct outcome *outcome)
{
	buf_text(outcome->out, "Folder:     ");
	text_escape(outcome->out, folder, strlen(folder));
	buf_text(outcome->out, written ? ": NOT COMPLETE: " : ": LOST: ");
	text_escape(outcome->out, err->text, strlen(err->text));
	buf_text(outcome->out, "\n\n");
	buf_format(&outcome->failed, "%s%s", outcome->failures > 0 ? ", " : "",
		folder);
	outcome->failures++;
}

/* written: the log itself is there already. */
static void try_folder(const struct last *last, const char *folder,
	const char *first, bool written, struct outcome *outcome)
{
	struct buf manifest = BUF_EMPTY;
	struct err err = ERR_EMPTY, discarded = ERR_EMPTY;
	bool ok;

	written = written || replica_complete(folder, last->spool, &err);
	ok = written && finish_folder(last, folder, first, &manifest, &err);
	if (manifest.len > 0 && !describe_manifest(folder, &manifest,
					outcome->out, ok ? &err : &discarded))
		ok = false;
	if (!ok)
		say_failure(folder, written, &err, outcome);
	else if (outcome->manifest->len == 0)
		buf_bytes(outcome->manifest, manifest.data, manifest.len);
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
	if (!kept)
		recall_unread(last->spool, unread);
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
		return err_set(err, ERR_OUTPUT, UNREAD "%s", unread->text);
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
		ok = err_set(err, ERR_OUTPUT,
			"%s/" LEDGER_JOURNAL ": no whole line can be read",
			last.spool);
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
