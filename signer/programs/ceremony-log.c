/* SPDX-License-Identifier: ISC */
/*
 * The log of a ceremony: started, looked at, finished, checked.  What keeps
 * it is recorder.h; this is what the operator types.
 */
#include "base/file.h"
#include "base/hex.h"
#include "base/number.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/time.h"
#include "ceremony/feed.h"
#include "ceremony/journal.h"
#include "ceremony/paper.h"
#include "ceremony/recorder.h"
#include "ceremony/report.h"
#include "ceremony/tree.h"
#include "show/options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOURNAL_MAX ((size_t)256 * 1024 * 1024)
#define MANIFEST "MANIFEST"
#define CHUNK 65536
#define COPY_MAX ((size_t)64 * 1024 * 1024)

static bool no_print;
static const char *copies;

static const struct option_entry options[] = {
	{"no-print", 0, OPTION_FLAG, NULL, "finish: do not print the manifest",
		&no_print},
	{"copies", 0, OPTION_VALUE, "N", "finish: how many, 1 if not given",
		&copies},
	{0},
};

static const char *const usage[] = {
	"start FOLDER [FOLDER ...]",
	"status",
	"finish [--no-print | --copies N]",
	"verify FOLDER",
	"note TEXT",
	"record [COMMAND]",
	NULL,
};

static const struct option_program program = {
	.name = "ceremony-log",
	.purpose = "Record the terminals and devices of a ceremony, chained "
		   "by hash.",
	.usage = usage,
	.options = options,
};

/* The folder, made if it is not there, by its one absolute name. */
static char *prepare_folder(const char *name, struct err *err)
{
	char *path;

	if (mkdir(name, 0755) != 0 && errno != EEXIST) {
		err_set(err, ERR_OUTPUT, "%s: cannot create: %s", name,
			strerror(errno));
		return NULL;
	}
	path = realpath(name, NULL);
	if (path == NULL)
		err_set(err, ERR_OUTPUT, "%s: %s", name, strerror(errno));
	/* Paths are words of the journal and of what the recorder says. */
	for (const char *p = path; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			err_set(err, ERR_USAGE,
				"%s: control characters in the name", name);
			free(path);
			return NULL;
		}
	return path;
}

/* Through a pipe to the process that the operator started. */
static void tell_ready(void *argument)
{
	int *fd = argument;

	if (write(*fd, "ready", 5) != 5)
		errno = 0;
	close(*fd);
	*fd = -1;
}

static void detach(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (chdir("/") != 0)
		errno = 0;
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void run_daemon(const char *const *folders, size_t count, int report)
{
	struct err err = ERR_EMPTY;
	bool ok;

	detach();
	ok = recorder_run(folders, count, tell_ready, &report, &err);
	if (!ok && report >= 0 && write(report, err.text, strlen(err.text)) < 0)
		errno = 0;
	_exit(ok ? 0 : ERR_OUTPUT);
}

static bool spawn_recorder(
	const char *const *folders, size_t count, struct err *err)
{
	struct buf text = BUF_EMPTY;
	int ends[2];
	pid_t child;
	bool ok;

	if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0)
		return err_set(
			err, ERR_OUTPUT, "cannot start: %s", strerror(errno));
	if (child == 0) {
		close(ends[0]);
		run_daemon(folders, count, ends[1]);
	}
	close(ends[1]);
	ok = file_read_fd(ends[0], "recorder", ERR_TEXT_MAX, &text, err);
	close(ends[0]);
	if (ok && strcmp(buf_string(&text), "ready") != 0)
		ok = err_set(err, ERR_OUTPUT, "%s",
			text.len > 0 ? buf_string(&text) : "recorder died");
	buf_free(&text);
	return ok;
}

static bool status(struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok, bad;

	ok = feed_request("status", &text, err);
	bad = strstr(buf_string(&text), ": LOST\n") != NULL ||
	      strstr(buf_string(&text), "NOT RECORDING") != NULL;
	ok = ok && report_print(&text, err);
	buf_free(&text);
	if (ok && bad)
		return err_set(err, ERR_REFUSED,
			"the log is not complete "
			"everywhere");
	return ok;
}

static bool start(const char *const *names, size_t count, struct err *err)
{
	char *folders[RECORDER_FOLDERS_MAX] = {NULL};
	const char *borrowed[RECORDER_FOLDERS_MAX];
	bool ok = true;
	int fd;

	if (count == 0 || count > RECORDER_FOLDERS_MAX)
		return err_set(err, ERR_USAGE, "start: give 1 to %d folders",
			RECORDER_FOLDERS_MAX);
	fd = feed_open();
	if (fd >= 0) {
		close(fd);
		return err_set(err, ERR_REFUSED, "a log is being kept already");
	}
	for (size_t i = 0; ok && i < count; i++) {
		folders[i] = prepare_folder(names[i], err);
		borrowed[i] = folders[i];
		ok = folders[i] != NULL;
	}
	ok = ok && spawn_recorder(borrowed, count, err) && status(err);
	for (size_t i = 0; i < count; i++)
		free(folders[i]);
	return ok;
}

/* Files of the log itself: the journal vouches for them already. */
static bool is_recorded(const char *name)
{
	return strcmp(name, RECORDER_JOURNAL) == 0 ||
	       strncmp(name, "terminal-", 9) == 0 ||
	       strncmp(name, "ttyaudit-", 9) == 0;
}

static bool note_file(const struct tree_file *file, struct err *err)
{
	struct buf request = BUF_EMPTY, answer = BUF_EMPTY;
	bool ok;

	buf_text(&request, "note file ");
	text_escape(&request, file->path, strlen(file->path));
	buf_format(&request, " %" PRIu64 " ", file->size);
	hex_encode(&request, file->hash, sizeof(file->hash));
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
static bool note_files(const char *folder, struct err *err)
{
	struct tree tree = {.root = NULL};
	bool ok;

	ok = tree_read(folder, &tree, err) && tree_hash(&tree, err);
	for (size_t i = 0; ok && i < tree.count; i++)
		if (!is_recorded(tree.files[i].path))
			ok = note_file(&tree.files[i], err);
	tree_free(&tree);
	return ok;
}

/* The first folder that is written, from the recorder's status. */
static bool first_folder(struct buf *out, struct err *err)
{
	static const char before[] = "Folder:     ", after[] = ": written\n";
	struct buf status_text = BUF_EMPTY;
	const char *line;
	bool ok;

	ok = feed_request("status", &status_text, err);
	for (line = buf_string(&status_text); ok && *line != '\0';) {
		size_t len = strcspn(line, "\n") + 1, prefix = strlen(before);
		size_t suffix = strlen(after);

		if (len > prefix + suffix && out->len == 0 &&
			strncmp(line, before, prefix) == 0 &&
			strncmp(line + len - suffix, after, suffix) == 0)
			buf_bytes(out, line + prefix, len - prefix - suffix);
		line += len;
	}
	buf_free(&status_text);
	return ok;
}

/* One file into a folder where it is not yet. */
static bool copy_missing(const char *from, const char *to,
	const struct tree_file *file, struct err *err)
{
	struct buf source = BUF_EMPTY, target = BUF_EMPTY, data = BUF_EMPTY;
	bool ok = true;

	buf_format(&source, "%s/%s", from, file->path);
	buf_format(&target, "%s/%s", to, file->path);
	/* Folders within are left to copy-hsmfd. */
	if (strchr(file->path, '/') == NULL &&
		access(buf_string(&target), F_OK) != 0)
		ok = file_read(buf_string(&source), COPY_MAX, &data, err) &&
		     file_write(buf_string(&target), data.data, data.len, NULL,
			     err);
	buf_free(&source);
	buf_free(&target);
	buf_free(&data);
	return ok;
}

/* What other programs wrote into the first folder goes to the others too. */
static bool share_files(const char *from, const char *to, struct err *err)
{
	struct tree tree = {.root = NULL};
	bool ok = from[0] == '\0' || strcmp(from, to) == 0 ||
		  tree_read(from, &tree, err);

	for (size_t i = 0; ok && i < tree.count; i++)
		if (strcmp(tree.files[i].path, MANIFEST) != 0)
			ok = copy_missing(from, to, &tree.files[i], err);
	tree_free(&tree);
	return ok;
}

/* The manifest of a folder: every file in it, the journal among them. */
static bool write_manifest(const char *folder, struct buf *out, struct err *err)
{
	struct tree tree = {.root = NULL};
	struct buf path = BUF_EMPTY;
	bool ok;

	buf_format(&path, "%s/%s", folder, MANIFEST);
	ok = buf_ok(&path, err) && tree_read(folder, &tree, err) &&
	     tree_hash(&tree, err);
	if (ok) {
		tree_manifest(&tree, out);
		ok = buf_ok(out, err) &&
		     file_write(
			     buf_string(&path), out->data, out->len, NULL, err);
	}
	tree_free(&tree);
	buf_free(&path);
	return ok;
}

static bool describe_manifest(const char *folder, const struct buf *manifest,
	struct buf *out, struct err *err)
{
	uint8_t hash[CRYPTO_SHA256_LEN];

	if (!crypto_sha256(manifest->data, manifest->len, hash, err))
		return false;
	buf_text(out, "Manifest:   ");
	text_escape(out, folder, strlen(folder));
	buf_text(out, "/" MANIFEST "\n");
	report_hash(out, hash);
	buf_u8(out, '\n');
	return true;
}

/* "whole FOLDER", "lost FOLDER" or "hash HEX", from the recorder. */
static bool finish_line(const char *line, const char *first, struct buf *text,
	struct buf *manifest, size_t *lost, struct err *err)
{
	if (strncmp(line, "hash ", 5) == 0) {
		buf_format(text, "Journal:    ends with %s\n", line + 5);
		return true;
	}
	if (strncmp(line, "whole ", 6) != 0) {
		buf_format(text, "Folder:     %s: LOST\n\n", line + 5);
		++*lost;
		return true;
	}
	buf_clear(manifest);
	return share_files(first, line + 6, err) &&
	       write_manifest(line + 6, manifest, err) &&
	       describe_manifest(line + 6, manifest, text, err);
}

static bool print_manifest(
	const struct buf *text, const struct buf *manifest, struct err *err)
{
	struct buf page = BUF_EMPTY;
	bool ok;

	buf_bytes(&page, text->data, text->len);
	buf_u8(&page, '\n');
	buf_bytes(&page, manifest->data, manifest->len);
	ok = buf_ok(&page, err) && paper_print("Ceremony log manifest", &page,
					   copies != NULL ? copies : "1", err);
	buf_free(&page);
	return ok;
}

static bool finish(struct err *err)
{
	struct buf reply = BUF_EMPTY, text = BUF_EMPTY, manifest = BUF_EMPTY;
	struct buf first = BUF_EMPTY;
	struct err unread = ERR_EMPTY;
	size_t lost = 0;
	char *line, *end;
	bool ok;

	/* Whatever cannot be read must not keep the log from being ended. */
	if (!first_folder(&first, err) ||
		(first.len > 0 && !note_files(buf_string(&first), &unread)))
		first.len = 0;
	ok = feed_request("finish", &reply, err);
	buf_u8(&reply, '\0');
	line = ok ? (char *)reply.data : NULL;
	while (ok && (end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		ok = finish_line(
			line, buf_string(&first), &text, &manifest, &lost, err);
		line = end + 1;
	}
	if (ok)
		ok = report_print(&text, err);
	if (ok && !no_print && manifest.len > 0)
		ok = print_manifest(&text, &manifest, err);
	if (ok && lost > 0)
		ok = err_set(err, ERR_OUTPUT,
			"%zu folders are lost: the whole log is in %s/log",
			lost, feed_run_folder());
	if (ok && unread.kind != ERR_NONE) {
		*err = unread;
		ok = false;
	}
	buf_free(&reply);
	buf_free(&text);
	buf_free(&manifest);
	buf_free(&first);
	return ok;
}

static bool note(const char *text, struct err *err)
{
	struct buf request = BUF_EMPTY, answer = BUF_EMPTY;
	bool ok;

	buf_text(&request, "note ");
	for (const char *p = text; *p != '\0'; p++)
		buf_u8(&request, *p == '\n' ? ' ' : (uint8_t)*p);
	ok = feed_request(buf_string(&request), &answer, err);
	buf_free(&request);
	buf_free(&answer);
	return ok;
}

/* SHA-256 of len bytes of a file from an offset. */
static bool hash_range(const char *path, int64_t from, int64_t len,
	struct buf *hex, struct err *err)
{
	struct crypto_sha256 *hash = NULL;
	uint8_t chunk[CHUNK], digest[CRYPTO_SHA256_LEN];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool ok = fd >= 0;

	if (!ok)
		err_set(err, ERR_REFUSED, "%s", strerror(errno));
	ok = ok && crypto_sha256_new(&hash, err);
	while (ok && len > 0) {
		size_t want = len < CHUNK ? (size_t)len : CHUNK;
		ssize_t got = pread(fd, chunk, want, from);

		if (got <= 0)
			ok = err_set(err, ERR_REFUSED, "shorter, or damaged");
		else
			ok = crypto_sha256_update(
				hash, chunk, (size_t)got, err);
		from += got;
		len -= got;
	}
	ok = ok && crypto_sha256_final(hash, digest, err);
	if (ok)
		hex_encode(hex, digest, sizeof(digest));
	crypto_sha256_free(hash);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Does a "data" line tell the truth about its file? */
static bool verify_data(const char *folder, char *text, struct err *err)
{
	struct buf path = BUF_EMPTY, hex = BUF_EMPTY;
	char *name = strtok(text, " "), *offset = strtok(NULL, " ");
	char *length = strtok(NULL, " "), *digest = strtok(NULL, " ");
	int64_t from, len;
	bool ok;

	if (digest == NULL || !feed_is_name(name))
		return err_set(err, ERR_REFUSED, "is malformed");
	buf_format(&path, "%s/%s", folder, name);
	ok = number_parse(offset, 0, INT64_MAX / 2, &from, err) &&
	     number_parse(length, 0, INT64_MAX / 2, &len, err) &&
	     hash_range(buf_string(&path), from, len, &hex, err);
	if (!ok)
		err_prefix(err, "%s", name);
	else if (strcmp(buf_string(&hex), digest) != 0)
		ok = err_set(err, ERR_REFUSED,
			"%s was changed between byte %" PRId64 " and %" PRId64,
			name, from, from + len);
	buf_free(&path);
	buf_free(&hex);
	return ok;
}

/* "close NAME SIZE": nothing was put behind what is vouched for. */
static bool verify_close(const char *folder, char *text, struct err *err)
{
	char *name = strtok(text, " "), *size = strtok(NULL, " ");
	struct buf path = BUF_EMPTY;
	struct stat st;
	int64_t want;
	bool ok;

	if (size == NULL || !feed_is_name(name))
		return err_set(err, ERR_REFUSED, "is malformed");
	buf_format(&path, "%s/%s", folder, name);
	ok = number_parse(size, 0, INT64_MAX / 2, &want, err);
	if (ok && stat(buf_string(&path), &st) != 0)
		ok = err_set(err, ERR_REFUSED, "%s: %s", name, strerror(errno));
	if (ok && st.st_size != want)
		ok = err_set(err, ERR_REFUSED, "%s has another size", name);
	buf_free(&path);
	return ok;
}

static bool verify_lines(const char *folder, char *text,
	struct journal *journal, bool *ended, struct err *err)
{
	struct journal_entry entry;

	while (*text != '\0') {
		bool ok = true;

		if (!journal_check(journal, &text, &entry, err))
			return false;
		if (strcmp(entry.kind, "data") == 0)
			ok = verify_data(folder, entry.text, err);
		else if (strcmp(entry.kind, "close") == 0)
			ok = verify_close(folder, entry.text, err);
		if (!ok) {
			err->kind = ERR_REFUSED;
			return err_prefix(err, "line %" PRIu64, journal->lines);
		}
		*ended = strcmp(entry.kind, "end") == 0;
	}
	return true;
}

static bool verify(const char *folder, struct err *err)
{
	struct buf text = BUF_EMPTY, path = BUF_EMPTY, out = BUF_EMPTY;
	struct journal journal;
	bool ok, ended = false;

	buf_format(&path, "%s/%s", folder, RECORDER_JOURNAL);
	journal_start(&journal);
	ok = buf_ok(&path, err) &&
	     file_read(buf_string(&path), JOURNAL_MAX, &text, err);
	if (ok && memchr(text.data, '\0', text.len) != NULL)
		ok = err_set(err, ERR_REFUSED, "the journal holds zero bytes");
	buf_u8(&text, '\0');
	ok = ok && buf_ok(&text, err) &&
	     verify_lines(folder, (char *)text.data, &journal, &ended, err);
	if (ok && !ended)
		ok = err_set(err, ERR_REFUSED,
			"the journal has no end: cut, or not finished yet");
	if (ok) {
		buf_format(&out, "Journal:    %" PRIu64 " lines, complete\n",
			journal.lines);
		buf_format(&out, "            ends with %s\n", journal.hash);
		ok = report_print(&out, err);
	}
	buf_free(&text);
	buf_free(&path);
	buf_free(&out);
	return ok;
}

/* A name for this terminal's recording. */
static void recording_name(struct buf *out)
{
	const char *terminal = ttyname(STDIN_FILENO);
	char time[TIME_TEXT_MAX];

	if (terminal != NULL && strncmp(terminal, "/dev/pts/", 9) == 0)
		buf_text(out, "terminal-pts");
	else
		buf_text(out, "terminal-");
	feed_name(out, terminal != NULL ? terminal : "none");
	time_format(time_now(), TIME_FILE, time);
	buf_format(out, "-%s.typescript", time);
}

/*
 * From script's pipe to the log.  The terminal must go on when the log does
 * not, so what cannot be sent is read all the same.
 */
static void pump(int from, int to)
{
	struct err discarded = ERR_EMPTY;
	char chunk[CHUNK];
	ssize_t got;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	setsid();
	while ((got = read(from, chunk, sizeof(chunk))) != 0)
		if (got > 0 && to >= 0 &&
			!file_write_fd(
				to, "log", chunk, (size_t)got, &discarded))
			to = -1;
	_exit(0);
}

/* Becomes script(1); returns only where that cannot be started. */
static bool exec_script(const char *command, int pipe, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe);
	setenv("KEYROOM_RECORDED", "1", 1);
	execlp("script", "script", "--quiet", "--flush", "--return",
		"--log-out", path, "--command", command, (char *)NULL);
	return err_set(
		err, ERR_OUTPUT, "cannot start script: %s", strerror(errno));
}

static bool record(const char *command, struct err *err)
{
	struct buf name = BUF_EMPTY;
	int ends[2], log;
	pid_t child;

	/* script(1) does not come to an end without one. */
	if (isatty(STDIN_FILENO) != 1)
		return err_set(err, ERR_USAGE, "record needs a terminal");
	recording_name(&name);
	if (!feed_stream(buf_string(&name), &log))
		err_set(err, ERR_OUTPUT, "no log is being kept");
	buf_free(&name);
	if (log < 0)
		return false;
	/* script opens the pipe by its name in /proc, so it must stay open. */
	if (pipe(ends) != 0 || (child = fork()) < 0)
		return err_set(
			err, ERR_OUTPUT, "cannot start: %s", strerror(errno));
	if (child == 0) {
		/* script waits for all its children: this is to be none. */
		if (fork() != 0)
			_exit(0);
		close(ends[1]);
		pump(ends[0], log);
	}
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(log);
	return exec_script(
		command != NULL ? command : "exec bash -l", ends[1], err);
}

static bool check_copies(struct err *err)
{
	int64_t number;

	if (copies == NULL || number_parse(copies, 1, 99, &number, err))
		return true;
	err->kind = ERR_USAGE;
	return err_prefix(err, "--copies");
}

static bool run(const struct option_result *given, struct err *err)
{
	const char *verb = given->count > 0 ? given->operands[0] : "";
	const char *const *rest = given->operands + 1;
	size_t count = given->count - 1;

	if (given->count == 0)
		return err_set(err, ERR_USAGE,
			"give start, status, finish, verify, note or record");
	if ((no_print || copies != NULL) && strcmp(verb, "finish") != 0)
		return err_set(
			err, ERR_USAGE, "these options belong to finish");
	if (!check_copies(err))
		return false;
	if (strcmp(verb, "start") == 0)
		return start(rest, count, err);
	if (strcmp(verb, "status") == 0 && count == 0)
		return status(err);
	if (strcmp(verb, "finish") == 0 && count == 0)
		return finish(err);
	if (strcmp(verb, "verify") == 0 && count == 1)
		return verify(rest[0], err);
	if (strcmp(verb, "note") == 0 && count == 1)
		return note(rest[0], err);
	if (strcmp(verb, "record") == 0 && count <= 1)
		return record(count == 1 ? rest[0] : NULL, err);
	return err_set(err, ERR_USAGE,
		"\"%s\" is no such command, or its operands", verb);
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
