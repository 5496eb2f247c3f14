/* SPDX-License-Identifier: ISC */
/*
 * The check after the event, without an HSM: did the ceremony produce exactly
 * what was requested?  A second opinion: nothing of the signer's judgement is
 * in here.
 */
#include "base/file.h"
#include "base/hex.h"
#include "second/second.h"
#include "show/log.h"
#include "show/options.h"
#include "show/words.h"

#include <string.h>

/* Larger than any that is made. */
#define DOCUMENT_SIZE_MAX ((size_t)256 << 20)

static const char *config_file, *schema_name, *previous_file, *no_previous,
	*anchor_file, *log_file, *instead;
static bool zone;

static const struct option_entry options[] = {
	{"config", 'c', OPTION_VALUE, "FILE", "the ceremony's configuration",
		&config_file},
	{"schema", 's', OPTION_VALUE, "NAME", "the ceremony's schema (normal)",
		&schema_name},
	{"previous-skr", 0, OPTION_VALUE, "FILE", "the response before",
		&previous_file},
	{"no-previous-skr", 0, OPTION_VALUE, "REASON", "there is none, and why",
		&no_previous},
	{"anchor", 'a', OPTION_VALUE, "FILE", "the trust anchor file",
		&anchor_file},
	{"log", 'l', OPTION_VALUE, "FILE", "the log of ksrsigner", &log_file},
	{"ksk", 0, OPTION_VALUE, "NAME=ID",
		"for the configured key NAME, the trust anchor's key ID",
		&instead},
	{"zone", 'z', OPTION_FLAG, NULL,
		"print the records as a zone file has them", &zone},
	{0},
};

static const char *const usage[] = {
	"[options] KSR SKR",
	"--zone SKR",
	NULL,
};

static const struct option_program program = {
	.name = "skrcheck",
	.purpose = "A second opinion on a signed response, without an HSM.",
	.usage = usage,
	.options = options,
};

/* Everything that is read. */
struct files {
	struct xml_schema *schema;
	struct ksr *request, *response, *previous;
	struct config *config;
	struct second_anchor *anchor;
	struct buf log;
	uint8_t request_hash[CRYPTO_SHA256_LEN];
	uint8_t response_hash[CRYPTO_SHA256_LEN];
	uint8_t previous_hash[CRYPTO_SHA256_LEN];
	uint8_t config_hash[CRYPTO_SHA256_LEN];
};

static void files_clear(struct files *files)
{
	ksr_free(files->request);
	ksr_free(files->response);
	ksr_free(files->previous);
	config_free(files->config);
	second_anchor_free(files->anchor);
	buf_free(&files->log);
	xml_schema_free(files->schema);
}

static bool read_document(const struct files *files, const char *path,
	enum ksr_kind kind, struct ksr **out, uint8_t *hash, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	bool ok;

	if (path == NULL)
		return true;
	ok = file_read(path, DOCUMENT_SIZE_MAX, &bytes, err) &&
	     crypto_sha256(bytes.data, bytes.len, hash, err);
	if (ok && !ksr_read(files->schema, bytes.data, bytes.len, kind, out,
			  err)) {
		ok = err_prefix(err, "%s", path);
		/* A response that is none is refused, not unreadable. */
		err->kind = ERR_REFUSED;
	}
	buf_free(&bytes);
	return ok;
}

static bool read_anchor(struct files *files, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	bool ok;

	if (anchor_file == NULL)
		return true;
	ok = file_read(anchor_file, DOCUMENT_SIZE_MAX, &bytes, err);
	if (ok && !second_anchor_read(&bytes, &files->anchor, err))
		ok = err_prefix(err, "%s", anchor_file);
	buf_free(&bytes);
	return ok;
}

static bool read_files(
	struct files *files, const char *ksr, const char *skr, struct err *err)
{
	return xml_schema_new(&files->schema, err) &&
	       (config_file == NULL ||
		       config_read(config_file, files->config_hash,
			       &files->config, err)) &&
	       read_anchor(files, err) &&
	       (log_file == NULL || file_read(log_file, DOCUMENT_SIZE_MAX,
					    &files->log, err)) &&
	       read_document(files, ksr, KSR_REQUEST, &files->request,
		       files->request_hash, err) &&
	       read_document(files, previous_file, KSR_RESPONSE,
		       &files->previous, files->previous_hash, err) &&
	       read_document(files, skr, KSR_RESPONSE, &files->response,
		       files->response_hash, err);
}

/* In a zone file, all but the records is a comment. */
static const char *mark(void)
{
	return zone ? "; " : "";
}

static void say_verdict(struct verdict *verdict)
{
	const char *line = buf_string(&verdict->lines), *end;

	log_say(NULL, "%s%s %s%s%s%s", mark(),
		verdict_result_name(verdict->result), verdict->name,
		verdict->reason != NULL ? " (" : "",
		verdict->reason != NULL ? verdict->reason : "",
		verdict->reason != NULL ? ")" : "");
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		log_say(NULL, "%s    %.*s", mark(), (int)(end - line), line);
	if (verdict->count > VERDICT_LINES_MAX)
		log_say(NULL, "%s    and %zu more", mark(),
			verdict->count - VERDICT_LINES_MAX);
}

static void say_hash(const char *what, const uint8_t *hash)
{
	struct buf text = BUF_EMPTY;

	hex_encode(&text, hash, CRYPTO_SHA256_LEN);
	log_say(NULL, "%sSHA256 hash of %s:", mark(), what);
	log_say(NULL, "%s%s", mark(), buf_string(&text));
	buf_clear(&text);
	words_write(&text, hash, CRYPTO_SHA256_LEN, 0);
	log_say(NULL, "%s>> %s <<", mark(), buf_string(&text));
	buf_free(&text);
}

static bool print_zone(const struct ksr *response, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = true;

	for (size_t b = 0; ok && b < response->bundle_count; b++) {
		const char *line, *end;

		buf_clear(&text);
		second_zone(response, &response->bundles[b], &text);
		ok = buf_ok(&text, err);
		line = buf_string(&text);
		for (; ok && (end = strchr(line, '\n')) != NULL; line = end + 1)
			log_say(NULL, "%.*s", (int)(end - line), line);
	}
	buf_free(&text);
	return ok;
}

static bool ask_all(const struct second *second, struct err *err)
{
	size_t failed = 0;

	for (const struct second_question *question = second_table;
		question->name != NULL; question++) {
		struct verdict verdict = {0};
		bool ok = second_ask(second, question, &verdict, err);

		if (ok)
			say_verdict(&verdict);
		failed += verdict.result == VERDICT_FAIL;
		verdict_clear(&verdict);
		if (!ok)
			return false;
	}
	say_hash("KSR", second->request_hash);
	say_hash("SKR", second->response_hash);
	log_say(NULL, "%s%s", mark(), failed > 0 ? "FAIL" : "PASS");
	if (failed > 0)
		return err_set(err, ERR_REFUSED,
			"the response is not what it must be");
	return true;
}

static bool choose_schema(struct second *second, struct err *err)
{
	const char *name = schema_name != NULL ? schema_name : "normal";

	if (second->config == NULL)
		return schema_name == NULL ||
		       err_set(err, ERR_USAGE,
			       "--schema needs a configuration (--config)");
	second->schema = config_schema(second->config, name);
	return second->schema != NULL ||
	       err_set(err, ERR_USAGE, "no schema %s in %s", name, config_file);
}

static bool judge(const struct files *files, struct err *err)
{
	struct second second = {
		.request = files->request,
		.response = files->response,
		.previous = files->previous,
		.no_previous =
			no_previous != NULL
				? no_previous
				: "no previous response (--previous-skr)",
		.config = files->config,
		.anchor = files->anchor,
		.log = log_file != NULL ? &files->log : NULL,
		.request_hash = files->request_hash,
		.response_hash = files->response_hash,
		.previous_hash = files->previous_hash,
		.config_hash = files->config_hash,
		.instead = instead,
	};
	bool ok;

	ok = choose_schema(&second, err) && second_prepare(&second, err) &&
	     ask_all(&second, err);
	second_clear(&second);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	bool alone = zone && given->count == 1;
	struct files files = {0};
	bool ok;

	if (given->count != 2 && !alone)
		return err_set(err, ERR_USAGE,
			"a KSR and its SKR are expected, or --zone and an SKR");
	if (previous_file != NULL && no_previous != NULL)
		return err_set(err, ERR_USAGE,
			"--previous-skr and --no-previous-skr exclude each "
			"other");
	ok = read_files(&files, alone ? NULL : given->operands[0],
		     given->operands[given->count - 1], err) &&
	     (!zone || print_zone(files.response, err)) &&
	     (alone || judge(&files, err));
	files_clear(&files);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
