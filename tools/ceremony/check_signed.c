/* SPDX-License-Identifier: ISC */
/* Points of the check: what was asked for, and what was signed. */
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "tools/ceremony/check.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 64
#define NEAR 200 /* from the label to the digits */
#define LOG_MAX ((size_t)64 * 1024 * 1024)
#define SIGNER "ksrsigner"
#define REQUEST "SHA256 hash of KSR:"
#define RESPONSE "SHA256 hash of SKR:"

/* The hash behind the last such label of a text. */
static bool find_hash(const char *text, const char *label, char out[DIGITS + 1])
{
	bool found = false;

	while ((text = strstr(text, label)) != NULL) {
		text += strlen(label);
		for (size_t i = 0; i < NEAR && text[i] != '\0'; i++)
			if (strspn(text + i, "0123456789abcdef") == DIGITS) {
				memcpy(out, text + i, DIGITS);
				out[DIGITS] = '\0';
				found = true;
				break;
			}
	}
	return found;
}

static bool on_screen(struct check *check, const char *label,
	char out[DIGITS + 1], unsigned *step)
{
	bool found = false;

	for (size_t i = 0; i < check->shown.count; i++) {
		struct shown_part *part = &check->shown.parts[i];

		if (strncmp(part->command, SIGNER, strlen(SIGNER)) == 0 &&
			find_hash(buf_string(&part->lines), label, out)) {
			*step = part->step;
			found = true;
		}
	}
	return found;
}

/* The last file of the signer's log: names have the time in them. */
static const struct tree_file *signers_log(const struct check *check)
{
	const struct tree_file *found = NULL;

	for (size_t i = 0; i < check->tree.count; i++)
		if (fnmatch("*/" SIGNER "-*.log", check->tree.files[i].path,
			    0) == 0)
			found = &check->tree.files[i];
	return found;
}

static bool in_log(
	const struct check *check, const char *label, char out[DIGITS + 1])
{
	const struct tree_file *file = signers_log(check);
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	struct err none = ERR_EMPTY;
	bool found = false;

	if (file != NULL) {
		check_path(check, file->path, &path);
		found = file_read(buf_string(&path), LOG_MAX, &text, &none) &&
			find_hash(buf_string(&text), label, out);
	}
	buf_free(&path);
	buf_free(&text);
	return found;
}

static const struct tree_file *file_with(
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

/* Screen, signer's log and file have the same one. */
static void agree(
	struct check *check, struct check_verdict *verdict, const char *label)
{
	char screen[DIGITS + 1], log[DIGITS + 1];
	unsigned step = 0;
	bool shown = on_screen(check, label, screen, &step);
	bool logged = in_log(check, label, log);

	if (!shown && !logged) {
		check_skip(verdict, "nothing was signed by " SIGNER);
		return;
	}
	if (!shown)
		check_fail(verdict, "no recording shows the hash");
	if (!logged)
		check_fail(verdict, "no log of " SIGNER " has the hash");
	if (shown && logged && strcmp(screen, log) != 0)
		check_fail(verdict,
			"step %u: the screen has %s, and the log of " SIGNER
			" %s",
			step, screen, log);
	if (file_with(check, shown ? screen : log) == NULL)
		check_fail(verdict, "no file of the folder is %s",
			shown ? screen : log);
}

bool check_request(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	(void)err;
	agree(check, verdict, REQUEST);
	return true;
}

bool check_response(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	(void)err;
	agree(check, verdict, RESPONSE);
	return true;
}

/* skrcheck's answers that are FAIL, and its last line. */
static void tell(struct check_verdict *verdict, struct buf *out, int status)
{
	char *state = NULL, *last = NULL;
	char *line = strtok_r((char *)(uintptr_t)buf_string(out), "\n", &state);

	for (; line != NULL; line = strtok_r(NULL, "\n", &state)) {
		if (last != NULL && strncmp(last, "FAIL", 4) == 0)
			check_fail(verdict, "skrcheck: %s", last);
		last = line;
	}
	if (status != 0)
		check_fail(verdict, "skrcheck ended with %d: %s", status,
			last != NULL ? last : "it said nothing");
	else if (last == NULL || strncmp(last, "PASS", 4) != 0)
		check_skip(verdict, "skrcheck: %s",
			last != NULL ? last : "it said nothing");
}

static bool ask_skrcheck(struct check *check, struct check_verdict *verdict,
	const char *request, const char *response, struct err *err)
{
	const char *argv[12] = {"skrcheck"};
	struct buf paths[4] = {BUF_EMPTY, BUF_EMPTY, BUF_EMPTY, BUF_EMPTY};
	struct buf out = BUF_EMPTY, name = BUF_EMPTY;
	const struct tree_file *log = signers_log(check);
	size_t n = 1;
	int status = 0;
	bool ok;

	assert(log != NULL);
	buf_format(&name, "%.*sksrsigner.yaml",
		(int)(strrchr(log->path, '/') + 1 - log->path), log->path);
	if (check_file(check, buf_string(&name)) != NULL) {
		check_path(check, buf_string(&name), &paths[0]);
		argv[n++] = "--config";
		argv[n++] = buf_string(&paths[0]);
	}
	if (check->given->anchor != NULL) {
		argv[n++] = "--anchor";
		argv[n++] = check->given->anchor;
	}
	check_path(check, log->path, &paths[1]);
	argv[n++] = "--log";
	argv[n++] = buf_string(&paths[1]);
	check_path(check, request, &paths[2]);
	check_path(check, response, &paths[3]);
	argv[n++] = buf_string(&paths[2]);
	argv[n++] = buf_string(&paths[3]);
	ok = check_run(argv, &out, &status, err);
	if (ok)
		tell(verdict, &out, status);
	for (size_t i = 0; i < 4; i++)
		buf_free(&paths[i]);
	buf_free(&name);
	buf_free(&out);
	return ok;
}

bool check_signatures(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	char request[DIGITS + 1], response[DIGITS + 1];
	const struct tree_file *ksr, *skr;

	if (!in_log(check, REQUEST, request) ||
		!in_log(check, RESPONSE, response)) {
		check_skip(verdict, "nothing was signed by " SIGNER);
		return true;
	}
	ksr = file_with(check, request);
	skr = file_with(check, response);
	if (ksr == NULL || skr == NULL) {
		check_skip(verdict, "request and response are not both there");
		return true;
	}
	return ask_skrcheck(check, verdict, ksr->path, skr->path, err);
}
