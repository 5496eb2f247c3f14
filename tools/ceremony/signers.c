/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/signers.h"

#include "lib/base/array.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 200 /* from the label to the digits */
#define LOG_MAX ((size_t)64 * 1024 * 1024)
#define ARGUMENTS "] arguments: "
/* Of a line of a document that was copied into the log: it may say anything. */
#define COPIED "] |"

static const char *const labels[SIGNERS_WHATS] = {
	[SIGNERS_REQUESTS] = "SHA256 hash of KSR:",
	[SIGNERS_RESPONSES] = "SHA256 hash of SKR:",
	[SIGNERS_PREVIOUS] = "SHA256 hash of last SKR:",
};

bool signers_is(const char *command)
{
	static const char *const names[] = {SIGNERS_PROGRAM, "kskm-ksrsigner"};
	size_t len = strcspn(command, " ");
	size_t from = len;
	bool is = false;

	while (from > 0 && command[from - 1] != '/')
		from--;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		is = is || (strlen(names[i]) == len - from &&
				   strncmp(command + from, names[i],
					   len - from) == 0);
	return is && strstr(command, " --help") == NULL &&
	       strstr(command, " --version") == NULL;
}

bool signers_has(const struct signers_hashes *hashes, const char *digits)
{
	for (size_t i = 0; i < hashes->count; i++)
		if (strcmp(hashes->all[i].digits, digits) == 0)
			return true;
	return false;
}

static bool add_hash(struct signers_hashes *hashes, const char *digits,
	unsigned step, struct err *err)
{
	struct signers_hash new = {.step = step}, *added;

	memcpy(new.digits, digits, SIGNERS_DIGITS);
	if (hashes->count > SIGNERS_HASHES_MAX ||
		signers_has(hashes, new.digits))
		return true;
	added = array_grow(&hashes->all, &hashes->count, sizeof(*added), err);
	if (added == NULL)
		return false;
	*added = new;
	return true;
}

/* The hash behind each such label of a text. */
static bool add_hashes(const char *text, const char *label, unsigned step,
	struct signers_hashes *hashes, struct err *err)
{
	while ((text = strstr(text, label)) != NULL) {
		text += strlen(label);
		for (size_t i = 0; i < NEAR && text[i] != '\0'; i++) {
			if (strspn(text + i, "0123456789abcdef") !=
				SIGNERS_DIGITS)
				continue;
			if (!add_hash(hashes, text + i, step, err))
				return false;
			break;
		}
	}
	return true;
}

static bool add_all(const char *text, unsigned step,
	struct signers_hashes hashes[SIGNERS_WHATS], struct err *err)
{
	for (size_t i = 0; i < SIGNERS_WHATS; i++)
		if (!add_hashes(text, labels[i], step, &hashes[i], err))
			return false;
	return true;
}

/* Without the lines of documents that were copied into it. */
static bool take_log(struct signers_log *log, const char *text, struct err *err)
{
	struct buf own = BUF_EMPTY;
	const char *said;
	bool ok;

	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		const char *mark = memmem(line, len, "] ", 2);

		if (mark == NULL || strncmp(mark, COPIED, strlen(COPIED)) != 0)
			buf_format(&own, "%.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	said = strstr(buf_string(&own), ARGUMENTS);
	if (said != NULL) {
		said += strlen(ARGUMENTS);
		log->arguments = strndup(said, strcspn(said, "\n"));
	}
	ok = buf_ok(&own, err) &&
	     add_all(buf_string(&own), 0, log->hashes, err);
	buf_free(&own);
	return ok;
}

static bool add_log(const struct check *check, struct signers *signers,
	const struct tree_file *file, size_t number, struct err *err)
{
	struct signers_log *log =
		array_grow(&signers->logs, &signers->count, sizeof(*log), err);
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	bool ok = true;

	if (log == NULL)
		return false;
	log->file = file;
	log->log = number;
	check_path(check, file->path, &path);
	if (file_read(buf_string(&path), LOG_MAX, &text, &log->why))
		ok = take_log(log, buf_string(&text), err);
	buf_free(&path);
	buf_free(&text);
	return ok;
}

/* The name of a file that lies in the folder of that log itself, or NULL. */
static const char *name_in(
	const struct check *check, const struct tree_file *file, size_t log)
{
	const char *folder = check_log_name(check, log);
	size_t len = strlen(folder);

	if (strncmp(file->path, folder, len) != 0 || file->path[len] != '/' ||
		strchr(file->path + len + 1, '/') != NULL)
		return NULL;
	return file->path + len + 1;
}

/* Where a log was cut nothing notes what others wrote. */
static bool is_believed(const struct check *check, const char *name, size_t log)
{
	return check->course != NULL &&
	       (!check->course->logs[log].ended ||
		       check_is_noted(check, log, name));
}

static bool read_logs(
	const struct check *check, struct signers *signers, struct err *err)
{
	for (size_t log = 0; log < check->log_count; log++)
		for (size_t i = 0; i < check->tree.count; i++) {
			const struct tree_file *file = &check->tree.files[i];
			const char *name = name_in(check, file, log);

			if (name != NULL &&
				fnmatch(SIGNERS_PROGRAM "-*.log", name, 0) ==
					0 &&
				is_believed(check, name, log) &&
				!add_log(check, signers, file, log, err))
				return false;
		}
	return true;
}

bool signers_read(
	const struct check *check, struct signers *out, struct err *err)
{
	*out = (struct signers){.logs = NULL};
	for (size_t i = 0; i < check->shown.count; i++) {
		struct shown_part *part = &check->shown.parts[i];

		if (signers_is(part->command) &&
			!add_all(buf_string(&part->lines), part->step,
				out->screen, err))
			return false;
	}
	return read_logs(check, out, err);
}

void signers_free(struct signers *signers)
{
	for (size_t i = 0; i < signers->count; i++) {
		for (size_t k = 0; k < SIGNERS_WHATS; k++)
			free(signers->logs[i].hashes[k].all);
		free(signers->logs[i].arguments);
	}
	for (size_t k = 0; k < SIGNERS_WHATS; k++)
		free(signers->screen[k].all);
	free(signers->logs);
	*signers = (struct signers){.logs = NULL};
}

const struct tree_file *signers_file(
	const struct check *check, const char *digits)
{
	for (size_t i = 0; i < check->tree.count; i++) {
		struct buf hash = BUF_EMPTY;
		bool same;

		hex_encode(&hash, check->tree.files[i].hash, SHA256_LEN);
		same = strcmp(buf_string(&hash), digits) == 0;
		buf_free(&hash);
		if (same)
			return &check->tree.files[i];
	}
	return NULL;
}

const struct tree_file *signers_beside(const struct check *check,
	const struct signers_log *log, const char *name)
{
	const struct tree_file *file;
	struct buf path = BUF_EMPTY;

	buf_format(&path, "%s/%s", check_log_name(check, log->log), name);
	file = check_file(check, buf_string(&path));
	buf_free(&path);
	return file != NULL && is_believed(check, name, log->log) ? file : NULL;
}
