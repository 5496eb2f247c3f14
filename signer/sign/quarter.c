/* SPDX-License-Identifier: ISC */
#include "signer/sign/quarter.h"

#include "lib/base/buf.h"
#include "lib/base/time.h"
#include "lib/cli/ask.h"
#include "lib/dns/algorithm.h"
#include "lib/hash/sha256.h"
#include "signer/sign/plan.h"
#include "signer/sign/sign.h"
#include "signer/sign/table.h"

#include <stdlib.h>
#include <string.h>

void quarter_clear(struct quarter *quarter)
{
	ksk_set_clear(&quarter->ksks);
	ksk_set_clear(&quarter->previous_ksks);
	ksr_free(quarter->planned);
	ksr_free(quarter->response);
	ksr_free(quarter->read_back);
	buf_free(&quarter->bytes);
	free(quarter->title);
	report_clear(&quarter->report);
	quarter->planned = NULL;
	quarter->response = NULL;
	quarter->read_back = NULL;
}

struct check_context quarter_context(
	const struct quarter_run *run, const struct quarter *quarter)
{
	const struct document *request = quarter->request;

	return (struct check_context){
		.config = run->config,
		.now = time_now(),
		.cache = run->cache,
		.request = request->ksr,
		.request_err = request->ksr == NULL ? &request->reason : NULL,
		.previous = quarter->previous,
		.previous_err = quarter->previous_reason,
		.previous_made_here = quarter->previous_made_here,
		.previous_is_request = quarter->previous_is_request,
		.previous_is_planned = quarter->previous_is_planned,
		.no_previous = run->no_previous,
		.schema = quarter->schema,
		.ksks = &quarter->ksks,
		.previous_ksks = &quarter->previous_ksks,
		.response = quarter->response,
		.written = &quarter->bytes,
		.read_back = quarter->read_back,
	};
}

bool quarter_passed(const struct report *report, struct err *err)
{
	struct buf names = BUF_EMPTY;

	if (!report->failed)
		return true;
	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].result == CHECK_FAIL)
			buf_format(&names, "%s%s", names.len > 0 ? ", " : "",
				report->findings[i].name);
	err_set(err, ERR_REFUSED, "refused by %s", buf_string(&names));
	buf_free(&names);
	return false;
}

/* Run a phase and append its findings. */
static bool run_phase(const struct quarter_run *run, struct quarter *quarter,
	enum check_phase phase, struct err *err)
{
	struct check_context context = quarter_context(run, quarter);

	return checks_run(&context, phase, &quarter->report, err);
}

/* After a refusal: what there is to see. */
static void show_refused(const struct quarter_run *run, struct quarter *quarter)
{
	struct err ignored = ERR_EMPTY;

	if (quarter->previous != NULL && !quarter->previous_is_request) {
		log_say(run->log, "last SKR %s:", quarter->previous_name);
		table_show(run->log, quarter->previous, NULL);
	}
	if (quarter->request->ksr != NULL) {
		log_say(run->log, "KSR %s:", quarter->request->path);
		table_show(run->log, quarter->request->ksr, quarter->mark);
	}
	for (int phase = CHECK_KEYS; phase < CHECK_PHASES; phase++)
		(void)checks_skip((enum check_phase)phase,
			"refused before the HSM was opened", &quarter->report,
			&ignored);
	report_sort(&quarter->report);
	table_findings(run->log, &quarter->report, 0);
}

bool quarter_check_request(
	const struct quarter_run *run, struct quarter *quarter, struct err *err)
{
	report_clear(&quarter->report);
	if (!run_phase(run, quarter, CHECK_REQUEST, err))
		return false;
	if (quarter_passed(&quarter->report, err))
		return true;
	show_refused(run, quarter);
	return false;
}

static bool has_passed(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->findings[i].name, name) == 0)
			return report->findings[i].result == CHECK_PASS;
	return false;
}

static bool check_previous(
	const struct quarter_run *run, struct quarter *quarter, struct err *err)
{
	if (quarter->previous == NULL) {
		log_warn(run->log, "no previous SKR: %s", run->no_previous);
		return true;
	}
	if (!run->config->request_policy.check_chain_keys_in_hsm)
		return true;
	return sign_find_previous(run->tokens, run->config, quarter->previous,
		&quarter->previous_ksks, err);
}

static void show_previous(
	const struct quarter_run *run, const struct quarter *quarter)
{
	if (quarter->previous == NULL)
		return;
	log_say(run->log, "Validating last SKR with HSM...");
	table_show(run->log, quarter->previous, quarter->previous_mark);
	if (has_passed(&quarter->report, "KSR-CHAIN-KEYS-HSM"))
		log_say(run->log, "...VALIDATED.");
	else if (!quarter->report.failed)
		log_say(run->log,
			"...not validated (check_chain_keys_in_hsm is false).");
	log_say(run->log, "%s", "");
}

/* Without every key there is no response to be planned. */
static bool check_plan(
	const struct quarter_run *run, struct quarter *quarter, struct err *err)
{
	for (size_t i = 0; i < quarter->ksks.count; i++)
		if (quarter->ksks.keys[i].token_key == NULL)
			return checks_skip(CHECK_PLAN,
				"a key is missing or not to be used",
				&quarter->report, err);
	return plan_response(run->config, quarter->schema, &quarter->ksks,
		       quarter->request->ksr, &quarter->response, err) &&
	       run_phase(run, quarter, CHECK_PLAN, err);
}

bool quarter_check_keys(
	const struct quarter_run *run, struct quarter *quarter, struct err *err)
{
	if (quarter->keys_checked)
		return true;
	quarter->keys_checked = true;
	if (!sign_find_keys(run->tokens, run->config, quarter->schema,
		    quarter->request->ksr->bundle_count, &quarter->ksks, err) ||
		!check_previous(run, quarter, err) ||
		!run_phase(run, quarter, CHECK_KEYS, err) ||
		!check_plan(run, quarter, err))
		return false;
	if (quarter->report.failed &&
		!checks_skip(CHECK_RESPONSE, "refused before it was signed",
			&quarter->report, err))
		return false;
	report_sort(&quarter->report);
	return true;
}

bool quarter_show(const struct quarter_run *run, const struct quarter *quarter,
	struct err *err)
{
	const struct ksr *shown = quarter->response != NULL
					  ? quarter->response
					  : quarter->request->ksr;

	if (quarter->title != NULL) {
		log_say(run->log, "%s", "");
		log_say(run->log, "%s", quarter->title);
	}
	show_previous(run, quarter);
	log_say(run->log, "Validate and Process KSR %s...",
		quarter->request->path);
	table_show(run->log, shown, quarter->mark);
	if (quarter->response != NULL &&
		(run->sizes || quarter->mark != NULL ||
			config_schema_is_roll(quarter->schema)))
		table_sizes(run->log, quarter->response, &quarter->ksks,
			run->sizes, quarter->mark);
	table_findings(run->log, &quarter->report, 0);
	if (!quarter_passed(&quarter->report, err))
		return false;
	log_say(run->log, "...PASSED.");
	log_say(run->log, "%s", "");
	return true;
}

const struct ksr *quarter_planned(const struct quarter *quarter)
{
	return quarter->planned != NULL ? quarter->planned : quarter->response;
}

/* Is what would be made safe after what is planned before it? */
static bool preview_plan(const struct quarter_run *run,
	const struct quarter *quarter, struct quarter *scratch, struct err *err)
{
	if (!plan_response(run->config, quarter->schema, &scratch->ksks,
		    quarter->request->ksr, &scratch->response, err))
		return false;
	return !quarter->previous_is_planned ||
	       run_phase(run, scratch, CHECK_PLAN, err);
}

/* For the quarter that follows. */
static void keep_plan(struct quarter *quarter, struct quarter *scratch)
{
	ksr_free(quarter->planned);
	quarter->planned = scratch->response;
	scratch->response = NULL;
}

/* The keys of a quarter that continues what this run has yet to make. */
static bool preview_keys(const struct quarter_run *run,
	const struct quarter *quarter, struct quarter *scratch, struct err *err)
{
	*scratch = (struct quarter){.request = quarter->request,
		.schema = quarter->schema,
		.previous = quarter->previous,
		.previous_made_here = quarter->previous_made_here,
		.previous_is_request = quarter->previous_is_request,
		.previous_is_planned = quarter->previous_is_planned};
	if (!sign_find_keys(run->tokens, run->config, quarter->schema,
		    quarter->request->ksr->bundle_count, &scratch->ksks, err) ||
		!run_phase(run, scratch, CHECK_KEYS, err))
		return false;
	return scratch->report.failed ||
	       preview_plan(run, quarter, scratch, err);
}

/* What is shown of it, and what was found where it is refused. */
static bool show_preview(const struct quarter_run *run,
	const struct quarter *quarter, const struct ksr *planned,
	const struct report *report, struct err *err)
{
	if (quarter->title != NULL)
		log_say(run->log, "%s", quarter->title);
	log_say(run->log,
		"KSR %s, to be signed with schema %s:", quarter->request->path,
		quarter->schema->name);
	table_show(run->log, planned != NULL ? planned : quarter->request->ksr,
		quarter->mark);
	table_hash(run->log, "KSR", quarter->request->sha256);
	if (report->failed)
		table_findings(run->log, report, 0);
	log_say(run->log, "%s", "");
	return log_ok(run->log, err) && quarter_passed(report, err);
}

bool quarter_check_ahead(
	const struct quarter_run *run, struct quarter *quarter, struct err *err)
{
	struct quarter scratch = {0};
	bool ok = preview_keys(run, quarter, &scratch, err);

	if (ok && scratch.report.failed)
		ok = show_preview(
			run, quarter, scratch.response, &scratch.report, err);
	keep_plan(quarter, &scratch);
	quarter_clear(&scratch);
	return ok;
}

bool quarter_preview(
	const struct quarter_run *run, struct quarter *quarter, struct err *err)
{
	struct quarter scratch = {0};
	const struct quarter *seen = quarter;
	bool ok;

	if (quarter->previous_made_here) {
		ok = preview_keys(run, quarter, &scratch, err);
		seen = &scratch;
	} else {
		ok = quarter_check_keys(run, quarter, err);
	}
	ok = ok &&
	     show_preview(run, quarter, seen->response, &seen->report, err);
	if (quarter->previous_made_here)
		keep_plan(quarter, &scratch);
	quarter_clear(&scratch);
	return ok;
}

bool quarter_confirm(const struct quarter_run *run,
	const struct quarter *quarter, struct err *err)
{
	if (quarter->previous_sha256 != NULL)
		table_hash(run->log, "last SKR", quarter->previous_sha256);
	table_hash(run->log, "KSR", quarter->request->sha256);
	if (!log_ok(run->log, err))
		return false;
	if (run->asked) {
		log_say(run->log, "Is this correct: asked for all before");
		return true;
	}
	return ask_yes(run->log, "Is this correct", run->force, err);
}

/* For --debug: who signed what. */
static void record_signatures(
	const struct quarter_run *run, const struct ksr *response)
{
	for (size_t b = 0; b < response->bundle_count; b++) {
		const struct ksr_bundle *bundle = &response->bundles[b];

		for (size_t s = 0; s < bundle->signature_count; s++)
			log_write(run->log, LOG_LEVEL_DEBUG,
				"bundle %s signed by %s, tag %05u, %s",
				bundle->id, bundle->signatures[s].identifier,
				bundle->signatures[s].key_tag,
				algorithm_name(
					bundle->signatures[s].algorithm));
	}
}

bool quarter_sign(
	const struct quarter_run *run, struct quarter *quarter, struct err *err)
{
	size_t before = quarter->report.count;

	if (!log_ok(run->log, err) ||
		!sign_response(
			&quarter->ksks, run->cache, quarter->response, err) ||
		!ksr_write(quarter->response, &quarter->bytes, err) ||
		!ksr_read(run->xml_schema, quarter->bytes.data,
			quarter->bytes.len, KSR_RESPONSE, &quarter->read_back,
			err) ||
		!sha256_of(quarter->bytes.data, quarter->bytes.len,
			quarter->sha256, err) ||
		!run_phase(run, quarter, CHECK_RESPONSE, err))
		return false;
	record_signatures(run, quarter->response);
	table_findings(run->log, &quarter->report, before);
	return quarter_passed(&quarter->report, err);
}
