/* SPDX-License-Identifier: ISC */
/*
 * Fuzz entry for the second opinion: request, response, previous response and
 * log, with a NUL between two (none is in a document), and every question
 * that needs no configuration.  Only a request and a response that are those
 * of each other may pass all.
 */
#include "document.h"
#include "fuzz.h"
#include "lib/base/buf.h"
#include "lib/hash/sha256.h"
#include "postcheck/second.h"

#define PARTS 4

/* Cut at NULs; the last part has the rest. */
static void cut(const uint8_t *data, size_t size, struct buf parts[PARTS])
{
	for (size_t i = 0; i < PARTS; i++) {
		const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
		size_t len = end != NULL && i + 1 < PARTS ? (size_t)(end - data)
							  : size;

		parts[i] = (struct buf){.data = (uint8_t *)data, .len = len};
		data += len < size ? len + 1 : len;
		size -= len < size ? len + 1 : len;
	}
}

static void ask_all(const struct second *second)
{
	struct buf zone = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	for (const struct second_question *q = second_table; q->name != NULL;
		q++) {
		struct verdict verdict = {0};

		assert(second_ask(second, q, &verdict, &err));
		assert(verdict.result != VERDICT_FAIL || verdict.count > 0);
		assert(verdict.result != VERDICT_SKIP ||
			verdict.reason != NULL);
		verdict_clear(&verdict);
	}
	for (size_t b = 0; b < second->response->bundle_count; b++)
		if (!second_zone(second->response,
			    &second->response->bundles[b], &zone, &err))
			fuzz_expect_reason(&err);
	buf_free(&zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t hash[SHA256_LEN];
	struct buf parts[PARTS];
	struct err err = ERR_EMPTY;
	struct ksr *request, *response, *previous;

	cut(data, size, parts);
	request = document_take(parts[0].data, parts[0].len, KSR_REQUEST, &err);
	response =
		document_take(parts[1].data, parts[1].len, KSR_RESPONSE, &err);
	previous =
		document_take(parts[2].data, parts[2].len, KSR_RESPONSE, &err);
	if (request != NULL && response != NULL) {
		struct second second = {.request = request,
			.response = response,
			.previous = previous,
			.no_previous = "there is none",
			.log = &parts[3],
			.request_hash = hash,
			.response_hash = hash,
			.previous_hash = hash};

		if (second_prepare(&second, &err))
			ask_all(&second);
		second_clear(&second);
	}
	ksr_free(request);
	ksr_free(response);
	ksr_free(previous);
	return 0;
}
