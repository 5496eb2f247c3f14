/* SPDX-License-Identifier: ISC */
#include "document.h"

#include "fuzz.h"
#include "lib/base/buf.h"
#include "lib/config/config.h"
#include "signer/checks/check.h"

#include <stdlib.h>

/* 2010-01-01T00:00:00, so that findings do not depend on the day. */
#define NOW INT64_C(1262304000)

/* Compiled once a process; the process ends with it. */
static const struct xml_schema *the_schema(void)
{
	static struct xml_schema *schema;
	struct err err = ERR_EMPTY;

	if (schema == NULL && !xml_schema_new(&schema, &err))
		abort();
	return schema;
}

static const struct config *the_config(void)
{
	static const char text[] = "request_policy:\n"
				   "  acceptable_domains: ['.', 'example.']\n";
	static struct config *config;
	struct err err = ERR_EMPTY;

	if (config == NULL && !config_parse("config", (const uint8_t *)text,
				      sizeof(text) - 1, &config, &err))
		abort();
	return config;
}

static void expect_same_again(const struct buf *written, enum ksr_kind kind)
{
	struct buf again = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	struct ksr *ksr = NULL;

	assert(ksr_read(
		the_schema(), written->data, written->len, kind, &ksr, &err));
	assert(ksr_sort(ksr, &err));
	assert(ksr_write(ksr, &again, &err));
	assert(buf_equal(written, &again));
	buf_free(&again);
	ksr_free(ksr);
}

struct ksr *document_take(
	const uint8_t *data, size_t size, enum ksr_kind kind, struct err *err)
{
	struct buf written = BUF_EMPTY;
	struct err write_err = ERR_EMPTY;
	struct ksr *ksr = NULL;

	if (!ksr_read(the_schema(), data, size, kind, &ksr, err)) {
		fuzz_expect_reason(err);
		assert(ksr == NULL && err->kind == ERR_INPUT);
		return NULL;
	}
	assert(ksr->bundle_count > 0 && ksr->kind == kind);
	assert(ksr_sort(ksr, &write_err));
	assert(ksr_write(ksr, &written, &write_err));
	expect_same_again(&written, kind);
	buf_free(&written);
	return ksr;
}

void document_check(const struct ksr *request, const struct err *request_err,
	const struct ksr *previous, const struct err *previous_err)
{
	struct crypto_cache *cache = NULL;
	struct report report = REPORT_EMPTY;
	struct err err = ERR_EMPTY;
	struct check_context context = {.config = the_config(),
		.now = NOW,
		.request = request,
		.request_err = request_err,
		.previous = previous,
		.previous_err = previous_err,
		.no_previous = previous == NULL && previous_err == NULL
				       ? "fuzzing"
				       : NULL};

	assert(crypto_cache_new(&cache, &err));
	context.cache = cache;
	assert(checks_run(&context, CHECK_REQUEST, &report, &err));
	for (size_t i = 0; i < report.count; i++) {
		const struct finding *finding = &report.findings[i];

		assert(finding->count <= CHECK_LINES_MAX);
		if (finding->result == CHECK_FAIL)
			assert(finding->count > 0 && report.failed);
	}
	if (request == NULL)
		assert(report.failed);
	report_clear(&report);
	crypto_cache_free(cache);
}
