/* SPDX-License-Identifier: ISC */
/*
 * Checks a key signing request against the previous response and the policy,
 * shows it, asks, signs in the HSM, proves every signature and publishes the
 * response: the program of the ceremony.
 */
#include "base/file.h"
#include "base/stop.h"
#include "base/text.h"
#include "keys/open.h"
#include "show/log.h"
#include "show/options.h"
#include "show/table.h"
#include "sign/inputs.h"
#include "sign/publish.h"
#include "sign/quarter.h"

#include <stdlib.h>
#include <string.h>

/* More requests than any ceremony signs at once. */
#define CHAIN_MAX 40

static const char *config_file, *schema_names, *previous_skr, *no_previous,
	*hsm_name, *log_folder, *output_folder;
static bool log_ksr, log_skr, log_previous_skr, force, debug, to_syslog, chain;

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
	{"output-dir", 0, OPTION_VALUE, "DIR",
		"new folder for the responses of --chain", &output_folder},
	{"log-dir", 0, OPTION_VALUE, "DIR", "folder of the log (this one)",
		&log_folder},
	{"log-ksr", 0, OPTION_FLAG, NULL, "copy the KSR into the log",
		&log_ksr},
	{"log-skr", 0, OPTION_FLAG, NULL, "copy the SKR into the log",
		&log_skr},
	{"log-previous-skr", 0, OPTION_FLAG, NULL,
		"copy the previous SKR into the log", &log_previous_skr},
	{"force", 0, OPTION_FLAG, NULL, "do not ask", &force},
	{"debug", 0, OPTION_FLAG, NULL, "more in the log", &debug},
	{"syslog", 0, OPTION_FLAG, NULL, "log to syslog, too", &to_syslog},
	{0},
};

static const char *const usage[] = {
	"[options] [KSR [SKR]]",
	"--chain --output-dir DIR [options] KSR ...",
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
	size_t count;           /* of both arrays */
	const char *target;     /* without --chain */
	char *names[CHAIN_MAX]; /* of the responses of --chain */
	struct publish_item items[CHAIN_MAX];
	struct publication *published; /* until the log is closed, too */
};

static void session_clear(struct session *session)
{
	prover_stop(session->inputs.prover);
	token_set_close(session->tokens);
	publication_free(session->published);
	for (size_t i = 0; i < session->count; i++) {
		quarter_clear(&session->quarters[i]);
		document_clear(&session->requests[i]);
		free(session->names[i]);
	}
	free(session->quarters);
	free(session->requests);
	inputs_clear(&session->inputs);
}

/* Which KSRs, and where to. */
static bool choose_files(struct session *session,
	const struct option_result *given, const char **paths, size_t *count,
	struct err *err)
{
	const struct config_filenames *names =
		&session->inputs.config->filenames;

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

	if (chain || !publish_is_input(session->target, inputs, 3))
		return true;
	return err_set(err, ERR_USAGE, "the SKR %s is one of the inputs",
		session->target);
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
			log_write_lines(session->log, LOG_LEVEL_INFO,
				(const char *)request->bytes.data,
				request->bytes.len);
	}
	return true;
}

/* One name for all quarters, or one for each. */
static bool choose_schemas(struct session *session, struct err *err)
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

/* The response before quarter i: the file, or what was just made. */
static void set_previous(struct session *session, size_t i)
{
	struct quarter *quarter = &session->quarters[i];

	if (i > 0) {
		quarter->previous = session->quarters[i - 1].read_back;
		quarter->previous_name = "to the request before";
		quarter->previous_made_here = true;
	} else if (session->inputs.has_previous) {
		quarter->previous = session->inputs.previous.ksr;
		quarter->previous_name = session->inputs.previous.path;
		if (quarter->previous == NULL)
			quarter->previous_reason =
				&session->inputs.previous.reason;
	}
}

static bool do_quarter(struct session *session, size_t i, struct err *err)
{
	struct keys_open_options wanted = {
		.hsm = hsm_name, .login = true, .show = true};
	struct quarter *quarter = &session->quarters[i];
	struct quarter_run run = {.config = session->inputs.config,
		.xml_schema = session->inputs.xml_schema,
		.cache = session->inputs.cache,
		.prover = session->inputs.prover,
		.tokens = session->tokens,
		.log = session->log,
		.no_previous = no_previous,
		.force = force};

	set_previous(session, i);
	if (!quarter_check_request(&run, quarter, err) || !stop_check(err))
		return false;
	/* The HSM's module and the operator meet one thread alone. */
	prover_stop(session->inputs.prover);
	if (session->tokens == NULL &&
		!keys_open(session->inputs.config, &wanted, session->log,
			&session->tokens, err))
		return false;
	run.tokens = session->tokens;
	return stop_check(err) && quarter_check_keys(&run, quarter, err) &&
	       quarter_confirm(&run, quarter, err) &&
	       quarter_sign(&run, quarter, err) && stop_check(err);
}

static bool publish_one(struct session *session, struct err *err)
{
	const struct publish_item item = {
		.name = session->target, .bytes = &session->quarters[0].bytes};
	const char *kept;

	if (!publish_file(&item, &session->published, err))
		return false;
	kept = publication_kept(session->published);
	if (kept != NULL)
		log_warn(session->log, "the existing %s is kept as %s",
			session->target, kept);
	return true;
}

/* skr-... for ksr-...; otherwise skr- before the name.  Owned. */
static char *response_name(const char *request, struct err *err)
{
	const char *slash = strrchr(request, '/');
	const char *name = slash != NULL ? slash + 1 : request;
	struct buf text = BUF_EMPTY;
	char *copy = NULL;

	if (strncmp(name, "ksr", 3) == 0)
		buf_format(&text, "skr%s", name + 3);
	else
		buf_format(&text, "skr-%s", name);
	if (buf_ok(&text, err))
		copy = text_copy(buf_string(&text), err);
	buf_free(&text);
	return copy;
}

/* What --chain will write, known before anything is signed. */
static bool name_responses(struct session *session, struct err *err)
{
	if (!chain)
		return true;
	for (size_t i = 0; i < session->count; i++) {
		session->names[i] =
			response_name(session->requests[i].path, err);
		if (session->names[i] == NULL)
			return false;
		session->items[i].name = session->names[i];
		session->items[i].bytes = &session->quarters[i].bytes;
	}
	return publish_check_folder(
		output_folder, session->items, session->count, err);
}

static bool publish_chain(struct session *session, struct err *err)
{
	if (!publish_folder(output_folder, session->items, session->count,
		    &session->published, err))
		return false;
	for (size_t i = 0; i < session->count; i++)
		log_say(session->log, "Generated new SKR in %s/%s",
			output_folder, session->names[i]);
	return true;
}

static void show_response(struct session *session, size_t i)
{
	const struct quarter *quarter = &session->quarters[i];

	table_show(session->log, quarter->read_back);
	log_say(session->log, "%s", "");
	table_hash(session->log, "SKR", quarter->sha256);
	if (log_skr)
		log_write_lines(session->log, LOG_LEVEL_INFO,
			(const char *)quarter->bytes.data, quarter->bytes.len);
}

static bool publish(struct session *session, struct err *err)
{
	if (!log_ok(session->log, err))
		return false;
	if (chain ? !publish_chain(session, err) : !publish_one(session, err))
		return false;
	if (!chain)
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
		log_write_lines(session->log, LOG_LEVEL_INFO,
			(const char *)previous->bytes.data,
			previous->bytes.len);
	return true;
}

static bool sign_all(struct session *session, const struct option_result *given,
	struct err *err)
{
	if (!prepare(session, given, err))
		return false;
	for (size_t i = 0; i < session->count; i++)
		if (!do_quarter(session, i, err))
			return false;
	return publish(session, err);
}

/*
 * The last lines of the log, which is part of the result: where it cannot be
 * written, what was published is taken back.
 */
static bool finish(struct session *session, bool ok, struct err *err)
{
	struct err log_err = ERR_EMPTY, undo = ERR_EMPTY;

	token_set_close(session->tokens);
	session->tokens = NULL;
	if (!ok)
		log_write(session->log, LOG_LEVEL_ERROR, "%s (exit status %d)",
			err->text, (int)err->kind);
	else
		log_write(session->log, LOG_LEVEL_INFO, "done");
	if (!log_close(session->log, &log_err) && ok) {
		*err = log_err;
		ok = false;
	}
	if (!ok && session->published != NULL &&
		!publication_undo(session->published, &undo))
		err_prefix(err, "%s", undo.text);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	const struct log_settings settings = {.program = program.name,
		.folder = log_folder,
		.debug = debug,
		.syslog = to_syslog};
	struct session session = {0};
	bool ok;

	if (chain != (output_folder != NULL))
		return err_set(
			err, ERR_USAGE, "--chain and --output-dir go together");
	stop_catch();
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
