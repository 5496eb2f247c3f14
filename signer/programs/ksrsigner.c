/* SPDX-License-Identifier: ISC */
/*
 * Checks a key signing request against the previous response and the policy,
 * shows it, asks, signs in the HSM, verifies every signature and writes the
 * response: the program of the ceremony.
 */
#include "lib/base/buf.h"
#include "lib/base/fat.h"
#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "lib/base/text.h"
#include "lib/cli/ask.h"
#include "lib/cli/log.h"
#include "lib/cli/options.h"
#include "lib/cli/waiting.h"
#include "signer/sign/family.h"
#include "signer/sign/inputs.h"
#include "signer/sign/output.h"
#include "signer/sign/quarter.h"
#include "signer/sign/table.h"
#include "signer/token/open.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* More requests than any ceremony signs at once. */
#define CHAIN_MAX 40

static const char *config_file, *schema_names, *previous_skr, *no_previous,
	*hsm_name, *log_folder, *output_folder, *output_names, *family_name;
static bool log_ksr, log_skr, log_previous_skr, force, debug, to_syslog, chain,
	sizes, ask_once;
/* Several responses, into a folder: --chain or --family. */
static bool several;

static const struct option_entry options[] = {
	{"config", 'c', OPTION_VALUE, "FILE", "configuration (ksrsigner.yaml)",
		&config_file},
	{"schema", 's', OPTION_VALUE, "NAME",
		"schema (normal); with --chain one for each, by commas",
		&schema_names},
	{"previous-skr", 0, OPTION_VALUE, "FILE", "the response before",
		&previous_skr},
	{"no-previous-skr", 0, OPTION_VALUE, "REASON", "there is none, and why",
		&no_previous},
	{"hsm", 0, OPTION_VALUE, "NAME", "only this HSM of the configuration",
		&hsm_name},
	{"chain", 0, OPTION_FLAG, NULL,
		"sign several quarters in order, all or none", &chain},
	{"family", 0, OPTION_VALUE, "NAME",
		"sign a family of the configuration, all or none",
		&family_name},
	{"ask-once", 0, OPTION_FLAG, NULL,
		"with --chain or --family: one question for all", &ask_once},
	{"output-dir", 0, OPTION_VALUE, "DIR",
		"new folder for the responses of --chain or --family",
		&output_folder},
	{"output-names", 0, OPTION_VALUE, "NAMES",
		"names of the responses of --chain, by commas", &output_names},
	{"log-dir", 0, OPTION_VALUE, "DIR", "folder of the log (this one)",
		&log_folder},
	{"log-ksr", 0, OPTION_FLAG, NULL, "copy the KSR into the log",
		&log_ksr},
	{"log-skr", 0, OPTION_FLAG, NULL, "copy the SKR into the log",
		&log_skr},
	{"log-previous-skr", 0, OPTION_FLAG, NULL,
		"copy the previous SKR into the log", &log_previous_skr},
	{"sizes", 0, OPTION_FLAG, NULL,
		"show how large answers are, NXDOMAIN too", &sizes},
	{"force", 0, OPTION_FLAG, NULL, "do not ask", &force},
	{"debug", 0, OPTION_FLAG, NULL, "more in the log", &debug},
	{"syslog", 0, OPTION_FLAG, NULL, "log to syslog, too", &to_syslog},
	{0},
};

static const char *const usage[] = {
	"[options] [KSR [SKR]]",
	"--chain --output-dir DIR [options] KSR ...",
	"--family NAME --output-dir DIR [options] MEMBER=KSR ...",
	NULL,
};

static const struct option_program program = {
	.name = "ksrsigner",
	.purpose = "Sign a key signing request with the keys in an HSM.",
	.usage = usage,
	.options = options,
};

/* Everything a run holds. */
struct session {
	struct log *log;
	struct inputs inputs;
	struct token_set *tokens;
	struct document *requests;
	struct quarter *quarters;
	size_t count;                       /* of both arrays */
	const struct config_family *family; /* of --family, or NULL */
	const char *target;                 /* of the only response */
	char *names[CHAIN_MAX];             /* of several */
	struct output_item items[CHAIN_MAX];
	bool asked;             /* for all at once */
	struct output *written; /* until the log is closed, too */
};

static void session_clear(struct session *session)
{
	token_set_close(session->tokens);
	output_free(session->written);
	for (size_t i = 0; i < session->count; i++) {
		quarter_clear(&session->quarters[i]);
		document_clear(&session->requests[i]);
		free(session->names[i]);
	}
	free(session->quarters);
	free(session->requests);
	inputs_clear(&session->inputs);
}

/* The family's requests, in its order. */
static bool choose_family(struct session *session,
	const struct option_result *given, const char **paths, size_t *count,
	struct err *err)
{
	const struct config_family *family =
		config_family(session->inputs.config, family_name);

	if (family == NULL)
		return err_set(err, ERR_USAGE,
			"no family %s in the configuration", family_name);
	if (family->member_count > CHAIN_MAX)
		return err_set(err, ERR_USAGE,
			"family %s has more than %d members", family_name,
			CHAIN_MAX);
	session->family = family;
	*count = family->member_count;
	return family_requests(
		family, given->operands, given->count, paths, err);
}

/* Which KSRs, and where to. */
static bool choose_files(struct session *session,
	const struct option_result *given, const char **paths, size_t *count,
	struct err *err)
{
	const struct config_filenames *names =
		&session->inputs.config->filenames;

	if (family_name != NULL)
		return choose_family(session, given, paths, count, err);
	if (chain) {
		if (given->count == 0 || given->count > CHAIN_MAX)
			return err_set(err, ERR_USAGE,
				"--chain takes 1 to %d KSRs", CHAIN_MAX);
		memcpy(paths, given->operands, given->count * sizeof(*paths));
		*count = given->count;
		return true;
	}
	if (given->count > 2)
		return err_set(err, ERR_USAGE,
			"one KSR and one SKR, or --chain for several");
	paths[0] = given->count > 0 ? given->operands[0] : names->input_ksr;
	session->target =
		given->count > 1 ? given->operands[1] : names->output_skr;
	if (paths[0] == NULL || session->target == NULL)
		return err_set(err, ERR_USAGE, "no %s is named",
			paths[0] == NULL ? "KSR" : "SKR");
	*count = 1;
	return true;
}

static bool check_target(
	const struct session *session, const char *ksr, struct err *err)
{
	const char *inputs[] = {ksr, session->inputs.previous.path,
		config_file != NULL ? config_file : CONFIG_FILE_DEFAULT};

	if (several)
		return true;
	if (output_is_input(session->target, inputs, 3))
		return err_set(err, ERR_USAGE,
			"the SKR %s is one of the inputs", session->target);
	return file_check_target(session->target, err);
}

static bool read_requests(struct session *session, const char *const *paths,
	size_t count, struct err *err)
{
	session->requests = calloc(count, sizeof(*session->requests));
	session->quarters = calloc(count, sizeof(*session->quarters));
	if (session->requests == NULL || session->quarters == NULL)
		return err_nomem(err);
	session->count = count;
	for (size_t i = 0; i < session->count; i++) {
		struct document *request = &session->requests[i];

		if (!inputs_request(&session->inputs, paths[i], session->log,
			    request, err))
			return false;
		session->quarters[i].request = request;
		if (log_ksr)
			log_copy(session->log, LOG_LEVEL_INFO,
				(const char *)request->bytes.data,
				request->bytes.len);
	}
	return true;
}

/* One name for all quarters, or one for each. */
static bool split_schemas(struct session *session, struct err *err)
{
	char *names =
		text_copy(schema_names != NULL ? schema_names : "normal", err);
	char *rest = names, *name = NULL;
	bool ok = names != NULL;
	size_t i = 0;

	while (ok && rest != NULL && i < session->count) {
		name = chain ? strsep(&rest, ",") : rest;
		if (!chain)
			rest = NULL;
		ok = inputs_schema(&session->inputs, name,
			&session->quarters[i].schema, err);
		i++;
	}
	if (ok && rest == NULL && i == 1)
		for (; i < session->count; i++)
			session->quarters[i].schema =
				session->quarters[0].schema;
	if (ok && (rest != NULL || i != session->count))
		ok = err_set(err, ERR_USAGE,
			"--schema names one schema, or one for each KSR");
	free(names);
	return ok;
}

/* The schemas and the marks of a family's members. */
static bool mark_members(struct session *session, struct err *err)
{
	for (size_t i = 0; i < session->count; i++) {
		const struct config_member *member =
			&session->family->members[i];
		struct quarter *quarter = &session->quarters[i];

		quarter->mark = member->mark;
		quarter->title = family_title(session->family, i, err);
		if (quarter->title == NULL ||
			!inputs_schema(&session->inputs, member->schema,
				&quarter->schema, err))
			return false;
	}
	return true;
}

static bool choose_schemas(struct session *session, struct err *err)
{
	if (session->family != NULL)
		return mark_members(session, err);
	return split_schemas(session, err);
}

/* The quarter of this run that quarter i follows; NULL: it is the first. */
static const struct quarter *quarter_before(
	const struct session *session, size_t i)
{
	size_t before = i > 0 ? i - 1 : CONFIG_PREVIOUS;

	if (session->family != NULL)
		before = session->family->members[i].before;
	return before == CONFIG_PREVIOUS ? NULL : &session->quarters[before];
}

/*
 * The response before quarter i: the file, or what was just made.  Before that
 * is made, it is as planned; and before that the request that it will answer
 * says all but the KSKs and the signatures.
 */
static void set_previous(struct session *session, size_t i)
{
	struct quarter *quarter = &session->quarters[i];
	const struct quarter *before = quarter_before(session, i);

	assert(session->quarters != NULL && i < session->count);
	if (before != NULL) {
		quarter->previous_mark = before->mark;
		const struct ksr *planned = quarter_planned(before);
		bool made = before->read_back != NULL;

		quarter->previous_is_planned = !made && planned != NULL;
		quarter->previous_is_request = !made && planned == NULL;
		quarter->previous = before->request->ksr;
		if (made || planned != NULL)
			quarter->previous = made ? before->read_back : planned;
		quarter->previous_name = "to the request before";
		quarter->previous_made_here = true;
		quarter->previous_sha256 = before->sha256;
	} else if (session->inputs.has_previous) {
		quarter->previous = session->inputs.previous.ksr;
		quarter->previous_name = session->inputs.previous.path;
		quarter->previous_sha256 = session->inputs.previous.sha256;
		if (quarter->previous == NULL)
			quarter->previous_reason =
				&session->inputs.previous.reason;
	}
}

static struct quarter_run run_of(const struct session *session)
{
	return (struct quarter_run){.config = session->inputs.config,
		.xml_schema = session->inputs.xml_schema,
		.cache = session->inputs.cache,
		.tokens = session->tokens,
		.log = session->log,
		.no_previous = no_previous,
		.force = force,
		.asked = session->asked,
		.sizes = sizes};
}

/* All that can be seen of any request without the HSM. */
static bool check_requests(struct session *session, struct err *err)
{
	const struct quarter_run run = run_of(session);

	for (size_t i = 0; i < session->count; i++) {
		set_previous(session, i);
		if (!stop_check(err) || !quarter_check_request(&run,
						&session->quarters[i], err))
			return several ? err_prefix(err, "%s",
						 session->requests[i].path)
				       : false;
	}
	return stop_check(err);
}

/* A keys_wanted: did it sign the previous response, as that says? */
static bool is_signer(const void *context, const char *label)
{
	const struct session *session = context;
	const struct ksr *previous = session->inputs.previous.ksr;

	for (size_t b = 0; previous != NULL && b < previous->bundle_count;
		b++) {
		const struct ksr_bundle *bundle = &previous->bundles[b];

		for (size_t s = 0; s < bundle->signature_count; s++)
			if (strcmp(bundle->signatures[s].identifier, label) ==
				0)
				return true;
	}
	return false;
}

static bool open_hsm(struct session *session, struct err *err)
{
	const struct keys_open_options wanted = {.hsm = hsm_name,
		.login = true,
		.by_label = true,
		.also = is_signer,
		.context = session,
		.show = true};

	return keys_open(session->inputs.config, &wanted, session->log,
		       &session->tokens, err) &&
	       stop_check(err);
}

static bool do_quarter(struct session *session, size_t i, struct err *err)
{
	const struct quarter_run run = run_of(session);
	struct quarter *quarter = &session->quarters[i];

	/* Once more where the response before is there only now. */
	set_previous(session, i);
	if (quarter->previous_made_here &&
		!quarter_check_request(&run, quarter, err))
		return false;
	return stop_check(err) && quarter_check_keys(&run, quarter, err) &&
	       quarter_show(&run, quarter, err) &&
	       quarter_confirm(&run, quarter, err) &&
	       quarter_sign(&run, quarter, err) && stop_check(err);
}

/* The keys and the plans of all quarters, before the first question. */
static bool look_ahead(struct session *session, struct err *err)
{
	const struct quarter_run run = run_of(session);

	for (size_t i = 0; session->count > 1 && i < session->count; i++) {
		struct quarter *quarter = &session->quarters[i];

		set_previous(session, i);
		if (!stop_check(err))
			return false;
		if (quarter->previous_made_here) {
			if (!quarter_check_ahead(&run, quarter, err))
				return false;
		} else if (!quarter_check_keys(&run, quarter, err) ||
			   (quarter->report.failed &&
				   !quarter_show(&run, quarter, err))) {
			return false;
		}
	}
	return true;
}

/* One question, when all that is to be signed was shown. */
static bool ask_for_all(struct session *session, struct err *err)
{
	const struct quarter_run run = run_of(session);

	if (session->inputs.has_previous)
		table_hash(session->log, "last SKR",
			session->inputs.previous.sha256);
	for (size_t i = 0; i < session->count; i++) {
		set_previous(session, i);
		if (!stop_check(err) ||
			!quarter_preview(&run, &session->quarters[i], err))
			return false;
	}
	if (!ask_yes(session->log, "Is all of this correct", force, err))
		return false;
	session->asked = true;
	return true;
}

static bool write_one(struct session *session, struct err *err)
{
	const struct output_item item = {
		.name = session->target, .bytes = &session->quarters[0].bytes};
	const char *kept;

	if (!output_file(&item, &session->written, err))
		return false;
	kept = output_kept(session->written);
	if (kept != NULL)
		log_warn(session->log, "the existing %s is kept as %s",
			session->target, kept);
	return true;
}

/* A name that was given: of a file in the folder or on a drive, not hidden. */
static char *given_name(const char *name, struct err *err)
{
	if (!text_is_name(name, strlen(name)) || strchr(name, '/') != NULL ||
		name[0] == '.') {
		err_set(err, ERR_USAGE,
			"--output-names: \"%.80s\" is not the name of a file",
			name);
		return NULL;
	}
	if (!fat_check_name(name, err)) {
		err->kind = ERR_USAGE;
		err_prefix(err, "--output-names");
		return NULL;
	}
	return text_copy(name, err);
}

/* One name for each request, from --output-names. */
static bool split_names(struct session *session, struct err *err)
{
	char *list = text_copy(output_names, err), *rest = list;
	bool ok = list != NULL;
	size_t i = 0;

	for (; ok && rest != NULL && i < session->count; i++) {
		session->names[i] = given_name(strsep(&rest, ","), err);
		ok = session->names[i] != NULL;
	}
	if (ok && (rest != NULL || i != session->count))
		ok = err_set(err, ERR_USAGE,
			"--output-names has one name for each KSR");
	free(list);
	return ok;
}

/* What --chain or --family will write, known before anything is signed. */
static bool name_responses(struct session *session, struct err *err)
{
	if (!several)
		return true;
	if (output_names != NULL && !split_names(session, err))
		return false;
	for (size_t i = 0; i < session->count; i++) {
		if (session->names[i] == NULL)
			session->names[i] = family_file(
				session->family != NULL
					? session->family->members[i].name
					: NULL,
				session->requests[i].path, err);
		if (session->names[i] == NULL)
			return false;
		session->items[i].name = session->names[i];
		session->items[i].bytes = &session->quarters[i].bytes;
	}
	return output_check_folder(
		output_folder, session->items, session->count, err);
}

static bool write_several(struct session *session, struct err *err)
{
	if (!output_directory(output_folder, session->items, session->count,
		    &session->written, err))
		return false;
	for (size_t i = 0; i < session->count; i++)
		log_say(session->log, "Generated new SKR in %s/%s%s%s",
			output_folder, session->names[i],
			session->family != NULL ? ": " : "",
			session->family != NULL ? session->quarters[i].title
						: "");
	return true;
}

static void show_response(struct session *session, size_t i)
{
	const struct quarter *quarter = &session->quarters[i];

	if (quarter->title != NULL) {
		log_say(session->log, "%s", "");
		log_say(session->log, "%s", quarter->title);
	}
	table_show(session->log, quarter->read_back, quarter->mark);
	log_say(session->log, "%s", "");
	table_hash(session->log, "SKR", quarter->sha256);
	/* Where a page ends between title and hash, too. */
	if (quarter->mark != NULL)
		log_say(session->log, "%s has this hash", quarter->mark);
	if (log_skr)
		log_copy(session->log, LOG_LEVEL_INFO,
			(const char *)quarter->bytes.data, quarter->bytes.len);
}

static bool write_results(struct session *session, struct err *err)
{
	if (!log_ok(session->log, err))
		return false;
	if (several ? !write_several(session, err) : !write_one(session, err))
		return false;
	if (!several)
		log_say(session->log, "Generated new SKR in %s",
			session->target);
	for (size_t i = 0; i < session->count; i++)
		show_response(session, i);
	return true;
}

static bool prepare(struct session *session, const struct option_result *given,
	struct err *err)
{
	const struct inputs_options wanted = {.config = config_file,
		.previous_skr = previous_skr,
		.no_previous = no_previous};
	const char *paths[CHAIN_MAX] = {NULL};
	size_t count = 0;
	const struct document *previous = &session->inputs.previous;

	if (!inputs_read(&wanted, session->log, &session->inputs, err) ||
		!choose_files(session, given, paths, &count, err) ||
		!check_target(session, paths[0], err) ||
		!read_requests(session, paths, count, err) ||
		!choose_schemas(session, err) || !name_responses(session, err))
		return false;
	if (log_previous_skr)
		log_copy(session->log, LOG_LEVEL_INFO,
			(const char *)previous->bytes.data,
			previous->bytes.len);
	return true;
}

static bool sign_all(struct session *session, const struct option_result *given,
	struct err *err)
{
	if (!prepare(session, given, err) || !check_requests(session, err) ||
		!open_hsm(session, err))
		return false;
	if (ask_once ? !ask_for_all(session, err) : !look_ahead(session, err))
		return false;
	for (size_t i = 0; i < session->count; i++)
		if (!do_quarter(session, i, err))
			return false;
	return write_results(session, err);
}

/* What was written is taken back, where something failed after all. */
static void take_back(struct session *session, struct err *err)
{
	struct err undo = ERR_EMPTY;

	if (session->written == NULL)
		return;
	if (output_undo(session->written, &undo))
		log_write(session->log, LOG_LEVEL_WARNING,
			"what was written is taken back");
	else
		err_prefix(err, "%s", undo.text);
	output_free(session->written);
	session->written = NULL;
}

/*
 * The end of the log, which is part of the result.  "done" is its last line,
 * written when the HSM is closed and the screen has taken everything: after
 * it only the log itself can fail.
 */
static bool finish(struct session *session, bool ok, struct err *err)
{
	struct err log_err = ERR_EMPTY;

	token_set_close(session->tokens);
	session->tokens = NULL;
	ok = ok && stop_check(err) && log_ok(session->log, err);
	if (!ok) {
		take_back(session, err);
		log_write(session->log, LOG_LEVEL_ERROR, "%s (exit status %d)",
			err->text, (int)err->kind);
	} else {
		log_write(session->log, LOG_LEVEL_INFO, "done");
	}
	if (!log_ok(session->log, &log_err) && ok) {
		*err = log_err;
		ok = false;
		take_back(session, err);
	}
	(void)log_close(session->log, &log_err);
	return ok;
}

static bool check_options(struct err *err)
{
	if (chain && family_name != NULL)
		return err_set(err, ERR_USAGE,
			"--chain and --family exclude each other");
	if (several != (output_folder != NULL))
		return err_set(err, ERR_USAGE,
			chain || family_name == NULL
				? "--chain and --output-dir go together"
				: "--family and --output-dir go together");
	if (output_names != NULL && !chain)
		return err_set(
			err, ERR_USAGE, "--output-names goes with --chain");
	if (schema_names != NULL && family_name != NULL)
		return err_set(err, ERR_USAGE,
			"--schema and --family exclude each other: the family has the schemas");
	if (ask_once && !several)
		return err_set(err, ERR_USAGE,
			"--ask-once goes with --chain or --family");
	return true;
}

static bool run(const struct option_result *given, struct err *err)
{
	const struct log_settings settings = {.program = program.name,
		.folder = log_folder,
		.debug = debug,
		.syslog = to_syslog};
	struct session session = {0};
	bool ok;

	several = chain || family_name != NULL;
	if (!check_options(err))
		return false;
	stop_catch();
	waiting_start("ksrsigner");
	if (!log_open(&settings, &session.log, err))
		return false;
	ok = log_start(session.log, given->argc, given->argv, err) &&
	     sign_all(&session, given, err);
	ok = finish(&session, ok, err);
	session_clear(&session);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
