/* SPDX-License-Identifier: ISC */
/*
 * The certification requests of a file: each as OpenSSL shows it, its key as
 * DNSSEC has it, and whether the DS in its subject is that key's.
 */
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cli/hash.h"
#include "lib/cli/options.h"
#include "lib/cli/print.h"
#include "lib/cli/screen.h"
#include "lib/crypto/request.h"
#include "lib/hash/sha256.h"
#include "tools/evidence/delegation.h"

#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4 * 1024 * 1024)
#define COLUMN 12 /* where values begin */
/* Before each line that a request says: none of our own begins so. */
#define MARGIN "| "
#define MARGIN_LEN (sizeof(MARGIN) - 1)

static const struct option_entry options[] = {{0}};
static const char *const usage[] = {"FILE", NULL};

static const struct option_program program = {
	.name = "displaycsr",
	.purpose = "Show certification requests (PKCS#10, DER or PEM).",
	.usage = usage,
	.options = options,
};

/* What is wrong with a request, for the last line. */
struct faults {
	size_t signatures, subjects;
};

/*
 * OpenSSL prints attributes and names as they are, line ends too: a request
 * could say what looks like lines of ours, and a screen's width makes lines
 * as well.
 */
static void show_text(const struct buf *text, struct buf *out)
{
	struct buf escaped = BUF_EMPTY, folded = BUF_EMPTY;
	size_t width = screen_width(STDOUT_FILENO);
	const char *line;

	text_escape_lines(&escaped, (const char *)text->data, text->len);
	text_fold(&folded, buf_string(&escaped),
		width > MARGIN_LEN ? width - MARGIN_LEN : 0, 0);
	line = buf_string(&folded);
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		buf_text(out, MARGIN);
		buf_bytes(out, line, len);
		buf_u8(out, '\n');
		line += len + (line[len] == '\n');
	}
	out->failed = out->failed || escaped.failed || folded.failed;
	buf_free(&folded);
	buf_free(&escaped);
}

static void show_subject(
	const struct request *request, struct buf *out, struct faults *faults)
{
	const char *reason;

	if (request->ds_count == 0)
		buf_text(out, "Subject DS: none\n");
	for (size_t i = 0; i < request->ds_count; i++) {
		buf_text(out, "Subject DS: ");
		text_escape(out, (const char *)request->ds[i].data,
			request->ds[i].len);
		reason = delegation_check(&request->key, &request->ds[i]);
		faults->subjects += reason != NULL;
		buf_format(out, "\n            %s\n",
			reason != NULL ? reason : "this key's");
	}
}

static bool show_key(const struct request *request, struct buf *out,
	struct faults *faults, struct err *err)
{
	if (request->key.algorithm == 0)
		buf_text(out,
			"DNSKEY:     none, no DNSSEC algorithm has such a key\n");
	else if (!delegation_show(&request->key, request->ds, request->ds_count,
			 out, err))
		return false;
	show_subject(request, out, faults);
	buf_format(out, "Signature:  %s\n",
		request->signature_good ? "good" : "WRONG");
	faults->signatures += !request->signature_good;
	return buf_ok(out, err);
}

static bool show(const struct request *request, struct buf *out,
	struct faults *faults, struct err *err)
{
	struct buf lines = BUF_EMPTY;
	bool ok = show_key(request, &lines, faults, err);

	if (ok) {
		show_text(&request->text, out);
		buf_u8(out, '\n');
		text_fold(out, buf_string(&lines), screen_width(STDOUT_FILENO),
			COLUMN);
	}
	buf_free(&lines);
	return ok;
}

static bool show_all(const struct request *requests, size_t count,
	struct buf *out, struct faults *faults, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (count > 1)
			buf_format(out, "Request:    %zu of %zu\n\n", i + 1,
				count);
		if (!show(&requests[i], out, faults, err))
			return false;
		buf_u8(out, '\n');
	}
	return true;
}

/* A name may come from a drive, by a pattern. */
static void show_name(const char *name, struct buf *out)
{
	struct buf line = BUF_EMPTY;

	buf_text(&line, "File:       ");
	text_escape(&line, name, strlen(name));
	text_fold(out, buf_string(&line), screen_width(STDOUT_FILENO), COLUMN);
	buf_u8(out, '\n');
	out->failed = out->failed || line.failed;
	buf_free(&line);
}

static bool show_file(const char *name, const struct buf *file,
	struct faults *faults, struct err *err)
{
	struct request *requests = NULL;
	struct buf text = BUF_EMPTY;
	uint8_t hash[SHA256_LEN];
	size_t count = 0;
	bool ok;

	ok = requests_read(file, &requests, &count, err) ||
	     err_prefix(err, "%s", name);
	ok = ok && show_all(requests, count, &text, faults, err) &&
	     sha256_of(file->data, file->len, hash, err);
	if (ok) {
		show_name(name, &text);
		hash_block(&text, hash);
		ok = print_text(&text, err);
	}
	requests_free(requests, count);
	buf_free(&text);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct faults faults = {0};
	struct buf file = BUF_EMPTY;
	bool ok;

	if (given->count != 1)
		return err_set(err, ERR_USAGE, "give one file");
	ok = file_read(given->operands[0], FILE_MAX, &file, err) &&
	     show_file(given->operands[0], &file, &faults, err);
	buf_free(&file);
	if (ok && faults.signatures > 0)
		return err_set(err, ERR_REFUSED,
			"%s: the own signature of %zu requests is wrong",
			given->operands[0], faults.signatures);
	if (ok && faults.subjects > 0)
		return err_set(err, ERR_REFUSED,
			"%s: a DS in the subject is NOT that of the key",
			given->operands[0]);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
