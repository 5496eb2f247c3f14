/* SPDX-License-Identifier: ISC */
/*
 * The check after the event, without an HSM: did the ceremony produce exactly
 * what was requested?  A second opinion: nothing of the signer's judgement is
 * in here.
 */
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/cli/hash.h"
#include "lib/cli/marked.h"
#include "lib/cli/options.h"
#include "lib/hash/sha256.h"
#include "postcheck/family.h"
#include "postcheck/say.h"
#include "postcheck/second.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of logs and trust anchors: larger than any that is made. */
#define FILE_SIZE_MAX ((size_t)256 << 20)

static const char *config_file, *schema_name, *previous_file, *no_previous,
	*anchor_file, *log_file, *instead, *family_option;
static bool zone;

static const struct option_entry options[] = {
	{"config", 'c', OPTION_VALUE, "FILE", "the ceremony's configuration",
		&config_file},
	{"schema", 's', OPTION_VALUE, "NAME", "the ceremony's schema (normal)",
		&schema_name},
	{"previous-skr", 0, OPTION_VALUE, "FILE",
		"the response before (the configuration's)", &previous_file},
	{"no-previous-skr", 0, OPTION_VALUE, "REASON", "there is none, and why",
		&no_previous},
	{"anchor", 'a', OPTION_VALUE, "FILE", "the trust anchor file",
		&anchor_file},
	{"log", 'l', OPTION_VALUE, "FILE", "the log of ksrsigner", &log_file},
	{"ksk", 0, OPTION_VALUE, "NAME=ID",
		"for the configured key NAME, the trust anchor's key ID",
		&instead},
	{"family", 'f', OPTION_VALUE, "NAME",
		"all responses of a family of the configuration",
		&family_option},
	{"zone", 'z', OPTION_FLAG, NULL,
		"print the records as a zone file has them", &zone},
	{0},
};

static const char *const usage[] = {
	"[options] KSR SKR",
	"--family NAME --config FILE [options] MEMBER=KSR=SKR ...",
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
	uint8_t request_hash[SHA256_LEN];
	uint8_t response_hash[SHA256_LEN];
	uint8_t previous_hash[SHA256_LEN];
	uint8_t config_hash[SHA256_LEN];
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

	size_t max = files->config != NULL
			     ? files->config->request_policy.max_file_size
			     : KSR_SIZE_DEFAULT;

	if (path == NULL)
		return true;
	ok = file_read(path, max, &bytes, err) &&
	     sha256_of(bytes.data, bytes.len, hash, err);
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
	ok = file_read(anchor_file, FILE_SIZE_MAX, &bytes, err);
	if (ok && !second_anchor_read(&bytes, &files->anchor, err))
		ok = err_prefix(err, "%s", anchor_file);
	buf_free(&bytes);
	return ok;
}

/* As ksrsigner does: without an option, what the configuration names. */
static const char *choose_previous(const struct config *config)
{
	if (previous_file != NULL || no_previous != NULL || config == NULL)
		return previous_file;
	return config->filenames.previous_skr;
}

static bool read_config(struct files *files, struct err *err)
{
	if (config_file == NULL)
		return true;
	if (!config_read(config_file, files->config_hash, &files->config, err))
		return false;
	marked_begin(NULL);
	return true;
}

/* What is not a request or a response. */
static bool read_others(struct files *files, struct err *err)
{
	return xml_schema_new(&files->schema, err) && read_config(files, err) &&
	       read_anchor(files, err) &&
	       (log_file == NULL ||
		       file_read(log_file, FILE_SIZE_MAX, &files->log, err));
}

static bool read_files(
	struct files *files, const char *ksr, const char *skr, struct err *err)
{
	return read_others(files, err) &&
	       read_document(files, ksr, KSR_REQUEST, &files->request,
		       files->request_hash, err) &&
	       (ksr == NULL ||
		       read_document(files, choose_previous(files->config),
			       KSR_RESPONSE, &files->previous,
			       files->previous_hash, err)) &&
	       read_document(files, skr, KSR_RESPONSE, &files->response,
		       files->response_hash, err);
}

static void say_verdict(const struct verdict *verdict)
{
	say(zone, "%s %s%s%s%s", verdict_result_name(verdict->result),
		verdict->name, verdict->reason != NULL ? " (" : "",
		verdict->reason != NULL ? verdict->reason : "",
		verdict->reason != NULL ? ")" : "");
	for (size_t i = 0; i < verdict->line_count; i++)
		say(zone, "    %s", verdict->lines[i]);
	if (verdict->count > verdict->line_count)
		say(zone, "    and %zu more",
			verdict->count - verdict->line_count);
}

static void say_hash(const char *what, const uint8_t *hash)
{
	struct buf text = BUF_EMPTY;

	hex_encode(&text, hash, SHA256_LEN);
	say(zone, "SHA256 hash of %s:", what);
	say(zone, "%s", buf_string(&text));
	buf_clear(&text);
	hash_words(&text, hash);
	say(zone, "%s", buf_string(&text));
	buf_free(&text);
}

/* Records are never folded: a record is one line. */
static bool print_zone(const struct ksr *response, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = true;

	for (size_t b = 0; ok && b < response->bundle_count; b++)
		ok = second_zone(response, &response->bundles[b], &text, err);
	if (ok && text.len > 0)
		fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
	return ok;
}

/* What became of all questions. */
struct tally {
	size_t questions, failed, skipped;
	size_t unlooked; /* parts that settings switched off */
};

static void put_unasked(const struct tally *tally, struct buf *out)
{
	if (tally->skipped > 0)
		buf_format(out, "%zu of %zu questions not asked",
			tally->skipped, tally->questions);
	if (tally->unlooked > 0)
		buf_format(out, "%s%zu part%s not looked at",
			out->len > 0 ? ", " : "", tally->unlooked,
			tally->unlooked == 1 ? "" : "s");
}

/* Does the trust anchor have the key that was found? */
static bool is_anchored(
	const struct second *second, const struct second_ksk *ksk)
{
	struct err ignored = ERR_EMPTY;
	bool is = false;

	return second_anchor_has(second->anchor, &ksk->plain, &second->owner,
		       &is, &ignored) &&
	       is;
}

/* Is a key of the schema known by its label alone, which anybody can give? */
static bool is_label_alone(const struct second *second)
{
	for (size_t i = 0; i < second->ksk_count; i++) {
		const struct second_ksk *ksk = &second->ksks[i];

		if (!ksk->config->has_ds_sha256 &&
			ksk->config->public_key.len == 0 &&
			!(ksk->known && is_anchored(second, ksk)))
			return true;
	}
	return false;
}

/*
 * The last line.  It is PASS alone where every question was asked; and where
 * nothing says whose keys signed, no PASS at all.
 */
static void say_end(const struct second *second, const struct tally *tally)
{
	struct buf unasked = BUF_EMPTY;

	put_unasked(tally, &unasked);
	if (tally->failed > 0) {
		if (unasked.len > 0)
			say(zone, "%s", buf_string(&unasked));
		say(zone, "FAIL");
	} else if (second->config == NULL && second->anchor == NULL) {
		say(zone,
			"INCOMPLETE: whose keys signed is not known without --config or --anchor; %s",
			buf_string(&unasked));
	} else if (is_label_alone(second)) {
		say(zone,
			"PASS, but keys are known by their labels alone, without ds_sha256 or --anchor; %s",
			buf_string(&unasked));
	} else if (unasked.len > 0) {
		say(zone, "PASS, but %s", buf_string(&unasked));
	} else {
		say(zone, "PASS");
	}
	buf_free(&unasked);
}

/* Answers to all questions; ERR_REFUSED where one is FAIL. */
static bool ask_all(const struct second *second, struct err *err)
{
	struct tally tally = {0};

	for (const struct second_question *question = second_table;
		question->name != NULL; question++) {
		struct verdict verdict = {0};
		bool ok = second_ask(second, question, &verdict, err);

		if (ok)
			say_verdict(&verdict);
		tally.questions++;
		tally.failed += verdict.result == VERDICT_FAIL;
		tally.skipped += verdict.result == VERDICT_SKIP;
		tally.unlooked += verdict.unlooked;
		verdict_clear(&verdict);
		if (!ok)
			return false;
	}
	say_hash("KSR", second->request_hash);
	say_hash("SKR", second->response_hash);
	if (second->previous != NULL)
		say_hash("previous SKR", second->previous_hash);
	say_end(second, &tally);
	return tally.failed == 0 ||
	       err_set(err, ERR_REFUSED, "the response is not what it must be");
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

static struct second second_of(const struct files *files)
{
	return (struct second){
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
}

static bool judge(const struct files *files, struct err *err)
{
	struct second second = second_of(files);
	bool ok;

	ok = choose_schema(&second, err) && second_prepare(&second, err) &&
	     ask_all(&second, err);
	second_clear(&second);
	return ok;
}

/* A member's own documents, and what it follows. */
struct member_files {
	struct family_files paths;
	struct files files; /* request, response and their hashes */
};

static void members_clear(struct member_files *members, size_t count)
{
	for (size_t m = 0; m < count; m++) {
		free(members[m].paths.ksr);
		free(members[m].paths.skr);
		ksr_free(members[m].files.request);
		ksr_free(members[m].files.response);
	}
	free(members);
}

static bool read_members(const struct config_family *family,
	const struct files *common, const struct option_result *given,
	struct member_files *members, struct err *err)
{
	struct family_files *paths =
		calloc(family->member_count, sizeof(*paths));
	bool ok = paths != NULL || err_nomem(err);

	ok = ok &&
	     family_operands(family, given->operands, given->count, paths, err);
	for (size_t m = 0; paths != NULL && m < family->member_count; m++) {
		struct files *files = &members[m].files;

		members[m].paths = paths[m];
		ok = ok &&
		     read_document(common, paths[m].ksr, KSR_REQUEST,
			     &files->request, files->request_hash, err) &&
		     read_document(common, paths[m].skr, KSR_RESPONSE,
			     &files->response, files->response_hash, err);
	}
	free(paths);
	return ok;
}

/* One member, against the response that it would follow. */
static bool judge_member(const struct files *common,
	const struct config_family *family, const struct member_files *members,
	size_t m, struct err *err)
{
	const struct config_member *member = &family->members[m];
	struct second second = second_of(common);
	bool ok;

	second.request = members[m].files.request;
	second.response = members[m].files.response;
	second.request_hash = members[m].files.request_hash;
	second.response_hash = members[m].files.response_hash;
	second.family = family;
	second.member = member;
	second.schema = config_schema(common->config, member->schema);
	second.follows_member = member->before != CONFIG_PREVIOUS;
	if (second.follows_member) {
		second.previous = members[member->before].files.response;
		second.previous_hash =
			members[member->before].files.response_hash;
	}
	say(zone, "%s of family %s, with schema %s, follows %s", member->mark,
		family->name, member->schema,
		second.follows_member ? family->members[member->before].mark
				      : "the previous SKR");
	ok = second_prepare(&second, err) && ask_all(&second, err);
	second_clear(&second);
	return ok;
}

/* All are judged, and all must pass. */
static bool judge_members(const struct files *common,
	const struct config_family *family, const struct member_files *members,
	struct err *err)
{
	struct buf failed = BUF_EMPTY;
	bool ok = true;

	for (size_t m = 0; ok && m < family->member_count; m++) {
		struct err why = ERR_EMPTY;

		if (judge_member(common, family, members, m, &why))
			continue;
		if (why.kind == ERR_REFUSED) {
			buf_format(&failed, "%s%s", failed.len > 0 ? ", " : "",
				family->members[m].mark);
			continue;
		}
		*err = why;
		ok = false;
	}
	/* The last line is about all of them. */
	if (ok && failed.len > 0)
		say(zone, "FAIL of family %s: %s", family->name,
			buf_string(&failed));
	else if (ok)
		say(zone, "no FAIL in family %s, of %zu members", family->name,
			family->member_count);
	if (ok && failed.len > 0)
		ok = err_set(err, ERR_REFUSED,
			"of family %s, not what it must be: %s", family->name,
			buf_string(&failed));
	buf_free(&failed);
	return ok;
}

static bool run_family(const struct option_result *given, struct err *err)
{
	struct files common = {0};
	struct member_files *members = NULL;
	const struct config_family *family = NULL;
	bool ok = read_others(&common, err);

	if (ok)
		family = config_family(common.config, family_option);
	if (ok && family == NULL)
		ok = err_set(err, ERR_USAGE, "no family %s in %s",
			family_option, config_file);
	if (ok) {
		members = calloc(family->member_count, sizeof(*members));
		ok = members != NULL || err_nomem(err);
	}
	ok = ok &&
	     read_document(&common, choose_previous(common.config),
		     KSR_RESPONSE, &common.previous, common.previous_hash, err);
	ok = ok && read_members(family, &common, given, members, err) &&
	     judge_members(&common, family, members, err);
	if (members != NULL)
		members_clear(members, family->member_count);
	files_clear(&common);
	return ok;
}

static bool check_options(struct err *err)
{
	if (previous_file != NULL && no_previous != NULL)
		return err_set(err, ERR_USAGE,
			"--previous-skr and --no-previous-skr exclude each other");
	if (family_option == NULL)
		return true;
	if (config_file == NULL)
		return err_set(err, ERR_USAGE,
			"--family needs a configuration (--config)");
	if (schema_name != NULL || instead != NULL || zone)
		return err_set(err, ERR_USAGE,
			"--family goes without --schema, --ksk and --zone");
	return true;
}

static bool run(const struct option_result *given, struct err *err)
{
	bool alone = zone && given->count == 1;
	struct files files = {0};
	bool ok;

	if (family_option != NULL)
		return check_options(err) && run_family(given, err);
	if (given->count != 2 && !alone)
		return err_set(err, ERR_USAGE,
			"a KSR and its SKR are expected, or --zone and an SKR");
	if (!check_options(err))
		return false;
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
