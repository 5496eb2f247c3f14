/* SPDX-License-Identifier: ISC */
#include "signer/checks/check.h"

#include "lib/base/array.h"
#include "signer/checks/catalogue.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_SETTING(name)                                                  \
	#name, offsetof(struct config, request_policy.name)
#define RESPONSE_SETTING(name)                                                 \
	#name, offsetof(struct config, response_policy.name)
#define ALWAYS NULL, 0

const struct check check_table[] = {
	{"KSR-FILE", CHECK_REQUEST, false, check_ksr_file, ALWAYS},
	{"KSR-DOMAIN", CHECK_REQUEST, false, check_ksr_domain, ALWAYS},
	{"KSR-ID", CHECK_REQUEST, false, check_ksr_id, ALWAYS},
	{"KSR-SERIAL", CHECK_REQUEST, false, check_ksr_serial, ALWAYS},
	{"KSR-BUNDLE-UNIQUE", CHECK_REQUEST, false, check_bundle_unique,
		ALWAYS},
	{"KSR-BUNDLE-ORDER", CHECK_REQUEST, false, check_bundle_order, ALWAYS},
	{"KSR-BUNDLE-KEYS", CHECK_REQUEST, false, check_bundle_keys, ALWAYS},
	{"KSR-BUNDLE-POP", CHECK_REQUEST, false, check_bundle_pop,
		REQUEST_SETTING(validate_signatures)},
	{"KSR-BUNDLE-COUNT", CHECK_REQUEST, false, check_bundle_count, ALWAYS},
	{"KSR-BUNDLE-CYCLE-DURATION", CHECK_REQUEST, false,
		check_cycle_duration, REQUEST_SETTING(check_cycle_length)},
	{"KSR-POLICY-KEYS", CHECK_REQUEST, false, check_policy_keys,
		REQUEST_SETTING(check_keys_match_ksk_operator_policy)},
	{"KSR-POLICY-ALG", CHECK_REQUEST, false, check_policy_alg, ALWAYS},
	{"KSR-POLICY-SIG-OVERLAP", CHECK_REQUEST, false, check_sig_overlap,
		REQUEST_SETTING(check_bundle_overlap)},
	{"KSR-POLICY-SIG-VALIDITY", CHECK_REQUEST, false, check_sig_validity,
		REQUEST_SETTING(signature_validity_match_zsk_policy)},
	{"KSR-POLICY-SIG-HORIZON", CHECK_REQUEST, false, check_sig_horizon,
		REQUEST_SETTING(signature_check_expire_horizon)},
	{"KSR-POLICY-BUNDLE-INTERVALS", CHECK_REQUEST, false,
		check_bundle_intervals,
		REQUEST_SETTING(check_bundle_intervals)},
	{"SKR-FILE", CHECK_REQUEST, false, check_skr_file, ALWAYS},
	{"SKR-BUNDLE-COUNT", CHECK_REQUEST, true, check_skr_bundle_count,
		ALWAYS},
	{"SKR-SIGNATURES", CHECK_REQUEST, true, check_skr_signatures,
		RESPONSE_SETTING(validate_signatures)},
	{"KSR-CHAIN-KEYS", CHECK_REQUEST, true, check_chain_keys,
		REQUEST_SETTING(check_chain_keys)},
	{"KSR-CHAIN-KEYS-HSM", CHECK_KEYS, true, check_chain_keys_hsm,
		REQUEST_SETTING(check_chain_keys_in_hsm)},
	{"KSR-CHAIN-OVERLAP", CHECK_REQUEST, true, check_chain_overlap,
		REQUEST_SETTING(check_chain_overlap)},
	{"KSK-IDENTITY", CHECK_KEYS, false, check_ksk_identity, ALWAYS},
	{"KSK-PERIOD", CHECK_REQUEST, false, check_ksk_period, ALWAYS},
	{"KSK-TAG-CLASH", CHECK_KEYS, false, check_ksk_tag_clash, ALWAYS},
	{"SKR-ALGORITHMS", CHECK_PLAN, false, check_skr_algorithms, ALWAYS},
	{"SKR-POLICY-PUBLISH-SAFETY", CHECK_PLAN, false, check_publish_safety,
		REQUEST_SETTING(check_keys_publish_safety)},
	{"SKR-POLICY-RETIRE-SAFETY", CHECK_PLAN, false, check_retire_safety,
		REQUEST_SETTING(check_keys_retire_safety)},
	{"SKR-VERIFY", CHECK_RESPONSE, false, check_skr_verify, ALWAYS},
	{0},
};

static void add_line(struct finding *finding, enum check_line_kind kind,
	const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

static struct check_line *move_to_end(struct finding *finding, size_t i)
{
	struct check_line *last = &finding->lines[finding->count - 1];
	struct check_line moved = finding->lines[i];

	memmove(&finding->lines[i], &finding->lines[i + 1],
		(size_t)(last - &finding->lines[i]) * sizeof(moved));
	*last = moved;
	return last;
}

/*
 * The place of one line more, at the end.  Where all are taken, the last one
 * that is no reason leaves its own to a reason: a FAIL says why.  NULL: none.
 */
static struct check_line *take_place(
	struct finding *finding, enum check_line_kind kind)
{
	if (finding->count < CHECK_LINES_MAX)
		return array_grow(&finding->lines, &finding->count,
			sizeof(*finding->lines), finding->nomem);
	finding->more += kind != CHECK_LINE_NOTE; /* one is shown of those */
	for (size_t i = finding->count; kind == CHECK_LINE_FAIL && i-- > 0;)
		if (finding->lines[i].kind != CHECK_LINE_FAIL)
			return move_to_end(finding, i);
	return NULL;
}

static void add_line(struct finding *finding, enum check_line_kind kind,
	const char *fmt, va_list ap)
{
	struct check_line *line = take_place(finding, kind);
	char *text = NULL;

	if (line == NULL)
		return;
	free(line->text);
	if (vasprintf(&text, fmt, ap) < 0) {
		err_nomem(finding->nomem);
		text = NULL;
	}
	line->kind = kind;
	line->text = text;
}

void finding_fail(struct finding *finding, const char *fmt, ...)
{
	va_list ap;

	finding->result = CHECK_FAIL;
	va_start(ap, fmt);
	add_line(finding, CHECK_LINE_FAIL, fmt, ap);
	va_end(ap);
}

void finding_warn(struct finding *finding, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(finding, CHECK_LINE_WARNING, fmt, ap);
	va_end(ap);
}

void finding_note(struct finding *finding, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(finding, CHECK_LINE_NOTE, fmt, ap);
	va_end(ap);
}

const struct config_slot *check_slot(
	const struct check_context *context, size_t b)
{
	const struct config_schema *schema = context->schema;

	return schema != NULL && b < schema->slot_count ? &schema->slots[b]
							: NULL;
}

static bool is_switched_off(
	const struct check *check, const struct config *config)
{
	const char *base = (const char *)config;
	bool on;

	if (check->setting == NULL)
		return false;
	memcpy(&on, base + check->setting_offset, sizeof(on));
	return !on;
}

/* Is what the check looks at there?  If not, the finding says so. */
static bool has_subject(const struct check *check,
	const struct check_context *context, struct finding *finding)
{
	bool reads =
		check->run == check_ksr_file || check->run == check_skr_file;

	if (reads)
		return true;
	if (context->request == NULL)
		finding_note(finding, "the request cannot be read");
	else if ((context->previous_is_request ||
			 context->previous_is_planned) &&
		 (check->run == check_skr_signatures ||
			 check->run == check_chain_keys_hsm))
		finding_note(finding, "the response before is not made yet");
	else if (check->needs_previous && context->previous_err != NULL)
		finding_note(finding, "the previous response cannot be read");
	else if (check->needs_previous && context->previous == NULL)
		finding_note(finding, "no previous response: %s",
			context->no_previous != NULL ? context->no_previous
						     : "none given");
	else
		return true;
	return false;
}

static void run_check(const struct check *check,
	const struct check_context *context, struct finding *finding)
{
	if (is_switched_off(check, context->config)) {
		finding->result = CHECK_SKIP;
		finding_note(finding, "%s is false", check->setting);
	} else if (!has_subject(check, context, finding)) {
		finding->result = CHECK_SKIP;
	} else {
		check->run(context, finding);
	}
}

static struct finding *finding_new(const struct check *check,
	struct report *report, struct err *nomem, struct err *err)
{
	struct finding *finding = array_grow(
		&report->findings, &report->count, sizeof(*finding), err);

	if (finding != NULL) {
		finding->name = check->name;
		finding->result = CHECK_PASS;
		finding->nomem = nomem;
	}
	return finding;
}

/* Run the checks of a phase, or without a context skip them for a reason. */
static bool run_or_skip(const struct check_context *context,
	enum check_phase phase, const char *reason, struct report *report,
	struct err *err)
{
	struct err nomem = ERR_EMPTY;

	for (const struct check *check = check_table; check->name != NULL;
		check++) {
		struct finding *finding;

		if (check->phase != phase)
			continue;
		finding = finding_new(check, report, &nomem, err);
		if (finding == NULL)
			return false;
		if (context != NULL) {
			run_check(check, context, finding);
		} else {
			finding->result = CHECK_SKIP;
			finding_note(finding, "%s", reason);
		}
		finding->nomem = NULL;
		report->failed |= finding->result == CHECK_FAIL;
	}
	return nomem.kind == ERR_NONE ? true : err_nomem(err);
}

bool checks_run(const struct check_context *context, enum check_phase phase,
	struct report *report, struct err *err)
{
	return run_or_skip(context, phase, NULL, report, err);
}

bool checks_skip(enum check_phase phase, const char *reason,
	struct report *report, struct err *err)
{
	assert(reason != NULL); /* without one the checks would run */
	return run_or_skip(NULL, phase, reason, report, err);
}

static size_t place_in_table(const char *name)
{
	size_t place = 0;

	while (check_table[place].name != NULL &&
		strcmp(check_table[place].name, name) != 0)
		place++;
	return place;
}

static int compare_findings(const void *a, const void *b)
{
	const struct finding *finding_a = a, *finding_b = b;
	size_t place_a = place_in_table(finding_a->name);
	size_t place_b = place_in_table(finding_b->name);

	return (place_a > place_b) - (place_a < place_b);
}

void report_sort(struct report *report)
{
	if (report->count > 1)
		qsort(report->findings, report->count,
			sizeof(*report->findings), compare_findings);
}

void report_clear(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		struct finding *finding = &report->findings[i];

		for (size_t j = 0; j < finding->count; j++)
			free(finding->lines[j].text);
		free(finding->lines);
	}
	free(report->findings);
	*report = (struct report)REPORT_EMPTY;
}

const char *check_result_name(enum check_result result)
{
	static const char *const names[] = {
		[CHECK_PASS] = "PASS",
		[CHECK_FAIL] = "FAIL",
		[CHECK_SKIP] = "SKIP",
	};

	return names[result];
}
