/* SPDX-License-Identifier: ISC */
/*
 * Fuzz entry for the previous response: the bytes up to a NUL, which is in no
 * document; a request may follow it, so that the chain is looked at, too.
 */
#include "document.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct err no_request = {
		.kind = ERR_INPUT, .text = "there is none"};
	const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - data) : size;
	struct err err = ERR_EMPTY, request_err = no_request;
	struct ksr *previous = document_take(data, len, KSR_RESPONSE, &err);
	struct ksr *request = NULL;

	if (end != NULL)
		request = document_take(
			end + 1, size - len - 1, KSR_REQUEST, &request_err);
	document_check(request, request == NULL ? &request_err : NULL, previous,
		previous == NULL ? &err : NULL);
	ksr_free(request);
	ksr_free(previous);
	return 0;
}
