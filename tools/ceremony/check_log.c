/* SPDX-License-Identifier: ISC */
/* Points of the check: the chained log and what it vouches for. */
#include "lib/base/array.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/cli/feed.h"
#include "tools/ceremony/check.h"
#include "tools/ceremony/vouched.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536

bool check_log(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	const struct course *course = check->course;

	(void)err;
	if (course == NULL) {
		check_fail(verdict, "%s", check->course_why.text);
		return true;
	}
	for (size_t i = 0; i < course->problem_count; i++)
		check_fail(verdict, "%s, line %" PRIu64 ": %s",
			check_log_name(check, course->problems[i].log),
			course->problems[i].line, course->problems[i].text);
	if (course->logs[0].after[0] != '\0')
		check_fail(verdict, "%s goes on from a log that is not there",
			check_log_name(check, 0));
	if (course->logs[course->log_count - 1].torn)
		check_fail(verdict, "%s: the last line is cut off",
			check_log_name(check, course->log_count - 1));
	if (!course->logs[course->log_count - 1].ended)
		check_fail(verdict,
			"the journal has no end: cut, or it was not finished");
	return true;
}

/* A recording, while the journal's lines are gone through. */
struct recording {
	const char *name; /* borrowed from a line */
	size_t log;
	uint64_t next; /* the byte from which the next line vouches */
	bool closed;
};

struct recordings {
	struct check *check;
	struct check_verdict *verdict;
	struct recording *all;
	size_t count;
	struct err *err;
};

static struct recording *find(
	struct recordings *r, size_t log, const char *name, size_t len)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->all[i].log == log && strlen(r->all[i].name) == len &&
			strncmp(r->all[i].name, name, len) == 0)
			return &r->all[i];
	return NULL;
}

static const struct tree_file *file_of(
	struct recordings *r, size_t log, const char *name)
{
	const struct tree_file *file;
	struct buf path = BUF_EMPTY;

	buf_format(&path, "%s/%s", check_log_name(r->check, log), name);
	file = check_file(r->check, buf_string(&path));
	buf_free(&path);
	return file;
}

static bool open_recording(struct recordings *r, const struct course_line *line)
{
	struct recording *added;

	if (!feed_is_name(line->text) || r->count == VOUCHED_FILES_MAX ||
		find(r, line->log, line->text, strlen(line->text)) != NULL) {
		check_fail(r->verdict, "line %" PRIu64 ": names no file",
			line->number);
		return true;
	}
	added = array_grow(&r->all, &r->count, sizeof(*added), r->err);
	if (added == NULL)
		return false;
	added->name = line->text;
	added->log = line->log;
	if (file_of(r, line->log, line->text) == NULL)
		check_fail(r->verdict, "%s: not there", line->text);
	return true;
}

/* The hash of a part of a file; false where it does not have that part. */
static bool hash_part(const char *path, uint64_t from, uint64_t size,
	uint8_t out[SHA256_LEN], struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct sha256 *hash = NULL;
	char chunk[CHUNK];
	bool ok = fd >= 0 && sha256_new(&hash, err);

	while (ok && size > 0) {
		size_t want = size < CHUNK ? (size_t)size : CHUNK;
		ssize_t got = pread(fd, chunk, want, (off_t)from);

		ok = got > 0 && sha256_update(hash, chunk, (size_t)got, err);
		if (ok) {
			from += (uint64_t)got;
			size -= (uint64_t)got;
		}
	}
	ok = ok && sha256_final(hash, out, err);
	sha256_free(hash);
	if (fd >= 0)
		close(fd);
	return ok;
}

static void check_data(struct recordings *r, const struct course_line *line)
{
	size_t len = strcspn(line->text, " ");
	struct recording *recording = find(r, line->log, line->text, len);
	struct buf path = BUF_EMPTY, digits = BUF_EMPTY;
	uint8_t hash[SHA256_LEN];
	struct err none = ERR_EMPTY;
	uint64_t from = 0, size = 0;
	const char *wanted = "";

	if (recording == NULL || line->text[len] == '\0' ||
		!vouched_parse(line->text + len + 1, &from, &size, &wanted)) {
		check_fail(r->verdict, "line %" PRIu64 ": malformed",
			line->number);
		return;
	}
	if (from != recording->next)
		check_fail(r->verdict,
			"%s: line %" PRIu64 " does not follow byte %" PRIu64,
			recording->name, line->number, recording->next);
	recording->next = from + size;
	buf_format(&path, "%s/%s", r->check->logs[line->log], recording->name);
	if (hash_part(buf_string(&path), from, size, hash, &none))
		hex_encode(&digits, hash, sizeof(hash));
	if (strcmp(buf_string(&digits), wanted) != 0)
		check_fail(r->verdict,
			"%s: bytes %" PRIu64 " to %" PRIu64
			" are not those that were recorded",
			recording->name, from, from + size);
	buf_free(&path);
	buf_free(&digits);
}

static void close_recording(
	struct recordings *r, const struct course_line *line)
{
	size_t len = strcspn(line->text, " ");
	struct recording *recording = find(r, line->log, line->text, len);
	const struct tree_file *file;

	if (recording == NULL) {
		check_fail(r->verdict, "line %" PRIu64 ": malformed",
			line->number);
		return;
	}
	recording->closed = true;
	file = file_of(r, recording->log, recording->name);
	if (file != NULL && file->size != recording->next)
		check_fail(r->verdict,
			"%s: has %" PRIu64 " bytes, and %" PRIu64
			" were recorded",
			recording->name, file->size, recording->next);
}

/* "SIZE SHA256 NAME": what other programs wrote into the folder. */
static void check_other(struct recordings *r, const struct course_line *line)
{
	const char *hash = strchr(line->text, ' ');
	const char *name = hash != NULL ? strchr(hash + 1, ' ') : NULL;
	const struct tree_file *file;
	struct buf digits = BUF_EMPTY;

	if (name == NULL) {
		check_fail(r->verdict, "line %" PRIu64 ": malformed",
			line->number);
		return;
	}
	file = file_of(r, line->log, name + 1);
	if (file == NULL) {
		check_fail(r->verdict, "%s: not there", name + 1);
		return;
	}
	hex_encode(&digits, file->hash, SHA256_LEN);
	if ((size_t)(name - hash - 1) != strlen(buf_string(&digits)) ||
		strncmp(hash + 1, buf_string(&digits), digits.len) != 0)
		check_fail(r->verdict,
			"%s: is not the file that the log was finished with",
			name + 1);
	buf_free(&digits);
}

bool check_is_noted(const struct check *check, size_t log, const char *name)
{
	const struct course *course = check->course;

	for (size_t i = 0; i < course->line_count; i++) {
		const char *last = course->lines[i].text;

		if (course->lines[i].log != log ||
			strcmp(course->lines[i].kind, "file") != 0)
			continue;
		for (int blank = 0; last != NULL && blank < 2; blank++)
			last = strchr(last + (blank > 0), ' ');
		if (last != NULL && strcmp(last + 1, name) == 0)
			return true;
	}
	return false;
}

/* Is it in the journal, or what the log itself puts there? */
static bool is_known(struct recordings *r, size_t log, const char *name)
{
	static const char *const own[] = {"journal", "MANIFEST", "verify"};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return find(r, log, name, strlen(name)) != NULL ||
	       check_is_noted(r->check, log, name);
}

static void check_strangers(struct recordings *r)
{
	const struct tree *tree = &r->check->tree;

	for (size_t log = 0; log < r->check->log_count; log++) {
		const char *name = check_log_name(r->check, log);
		size_t len = strlen(name);

		/* Of one that was cut, nothing notes what others wrote. */
		if (!r->check->course->logs[log].ended)
			continue;
		for (size_t i = 0; i < tree->count; i++) {
			const char *path = tree->files[i].path;

			if (strncmp(path, name, len) == 0 && path[len] == '/' &&
				!is_known(r, log, path + len + 1))
				check_fail(r->verdict,
					"%s: the journal does not know it",
					path);
		}
	}
}

static bool take_line(struct recordings *r, const struct course_line *line)
{
	if (strcmp(line->kind, "open") == 0)
		return open_recording(r, line);
	if (strcmp(line->kind, "data") == 0)
		check_data(r, line);
	else if (strcmp(line->kind, "close") == 0)
		close_recording(r, line);
	else if (strcmp(line->kind, "file") == 0)
		check_other(r, line);
	return true;
}

bool check_recordings(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	struct recordings r = {.check = check, .verdict = verdict, .err = err};
	const struct course *course = check->course;
	bool ok = true;

	if (course == NULL) {
		check_skip(verdict, "there is no journal to compare with");
		return true;
	}
	for (size_t i = 0; ok && i < course->line_count; i++)
		ok = take_line(&r, &course->lines[i]);
	for (size_t i = 0; i < r.count; i++)
		if (!r.all[i].closed && course->logs[r.all[i].log].ended)
			check_fail(verdict, "%s: the journal does not close it",
				r.all[i].name);
	if (ok)
		check_strangers(&r);
	if (ok && r.count == 0)
		check_fail(verdict, "no terminal was recorded");
	free(r.all);
	return ok && check_manifests(check, verdict, err);
}

/* run tells what it does in order, late or at once; its clock is cut off twice,
 * to the second. */
#define LATE 2

static bool is_runs(const struct course_line *line)
{
	return strcmp(line->kind, "step") == 0 ||
	       strcmp(line->kind, "except") == 0;
}

static void check_late(struct check_verdict *verdict,
	const struct course_line *line, const struct course_line *before)
{
	if (before != NULL && before->log == line->log && line->early &&
		line->time + LATE < before->time)
		check_fail(verdict,
			"line %" PRIu64
			" tells of an earlier time than line %" PRIu64,
			line->number, before->number);
}

/* Lines, those of before the log too, in the order in which things happened. */
bool check_times(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	const struct course *course = check->course;
	const struct course_line *before = NULL, *told = NULL;

	(void)err;
	if (course == NULL) {
		check_skip(verdict, "there is no journal");
		return true;
	}
	for (size_t i = 0; i < course->line_count; i++) {
		const struct course_line *line = &course->lines[i];
		const struct course_line *last = before;

		/* What is early was before the lines that tell it. */
		if (last != NULL && (last->early || !line->early) &&
			line->time < last->time)
			check_fail(verdict,
				"line %" PRIu64
				" is of an earlier time than the one before it",
				line->number);
		before = line;
		if (!is_runs(line))
			continue;
		check_late(verdict, line, told);
		told = line;
	}
	return true;
}
