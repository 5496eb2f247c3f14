/* SPDX-License-Identifier: ISC */
/*
 * The whole policy report on a request, without an HSM: what the zone's
 * maintainer runs before the ceremony.
 */
#include "lib/cli/options.h"
#include "signer/checks/check.h"
#include "signer/sign/inputs.h"
#include "signer/sign/quarter.h"
#include "signer/sign/table.h"

#include <stdlib.h>

static const char *config_file, *previous_skr, *no_previous, *schema_name;

static const struct option_entry options[] = {
	{"config", 'c', OPTION_VALUE, "FILE", "configuration (ksrsigner.yaml)",
		&config_file},
	{"previous-skr", 0, OPTION_VALUE, "FILE", "the response before",
		&previous_skr},
	{"no-previous-skr", 0, OPTION_VALUE, "REASON", "there is none, and why",
		&no_previous},
	{"schema", 's', OPTION_VALUE, "NAME", "schema it is meant for (normal)",
		&schema_name},
	{0},
};

static const char *const usage[] = {
	"[--config FILE] [--previous-skr FILE] [--schema NAME] [KSR]",
	NULL,
};

static const struct option_program program = {
	.name = "ksrcheck",
	.purpose =
		"Check a key signing request against the policy, without an HSM.",
	.usage = usage,
	.options = options,
};

static bool choose_schema(const struct inputs *inputs,
	const struct config_schema **out, struct err *err)
{
	if (schema_name != NULL)
		return inputs_schema(inputs, schema_name, out, err);
	*out = config_schema(inputs->config, "normal");
	return true;
}

static bool report(
	const struct inputs *inputs, struct quarter *quarter, struct err *err)
{
	static const char reason[] = "needs the HSM";
	struct quarter_run run = {.config = inputs->config,
		.xml_schema = inputs->xml_schema,
		.cache = inputs->cache,
		.no_previous = no_previous};
	struct check_context context = quarter_context(&run, quarter);
	const struct document *request = quarter->request;

	if (quarter->previous != NULL) {
		log_say(NULL, "last SKR %s:", inputs->previous.path);
		table_show(NULL, quarter->previous, NULL);
	}
	if (request->ksr != NULL) {
		log_say(NULL, "KSR %s:", request->path);
		table_show(NULL, request->ksr, NULL);
	}
	if (!checks_run(&context, CHECK_REQUEST, &quarter->report, err) ||
		!checks_skip(CHECK_KEYS, reason, &quarter->report, err) ||
		!checks_skip(CHECK_PLAN, reason, &quarter->report, err) ||
		!checks_skip(CHECK_RESPONSE, reason, &quarter->report, err))
		return false;
	report_sort(&quarter->report);
	table_findings(NULL, &quarter->report, 0);
	if (quarter->previous != NULL)
		table_hash(NULL, "last SKR", inputs->previous.sha256);
	if (request->bytes.len > 0)
		table_hash(NULL, "KSR", request->sha256);
	return quarter_passed(&quarter->report, err);
}

static bool check(const char *path, struct inputs *inputs,
	struct document *request, struct err *err)
{
	const struct inputs_options wanted = {.config = config_file,
		.previous_skr = previous_skr,
		.no_previous = no_previous};
	struct quarter quarter = {.request = request};
	bool ok;

	if (!inputs_read(&wanted, NULL, inputs, err))
		return false;
	if (path == NULL)
		path = inputs->config->filenames.input_ksr;
	if (path == NULL)
		return err_set(err, ERR_USAGE, "no KSR is named");
	if (!choose_schema(inputs, &quarter.schema, err) ||
		!inputs_request(inputs, path, NULL, request, err))
		return false;
	quarter.previous = inputs->previous.ksr;
	if (inputs->has_previous && quarter.previous == NULL)
		quarter.previous_reason = &inputs->previous.reason;
	ok = report(inputs, &quarter, err);
	quarter_clear(&quarter);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct document request = DOCUMENT_EMPTY;
	struct inputs inputs = INPUTS_EMPTY;
	bool ok;

	if (given->count > 1)
		return err_set(err, ERR_USAGE, "more than one KSR is named");
	ok = check(given->count > 0 ? given->operands[0] : NULL, &inputs,
		&request, err);
	inputs_clear(&inputs);
	document_clear(&request);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
