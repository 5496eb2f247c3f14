/* SPDX-License-Identifier: ISC */
/*
 * Fuzz entry for requests: read, written and read again, then every check
 * that runs before the HSM is opened.
 */
#include "document.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_EMPTY;
	struct ksr *request = document_take(data, size, KSR_REQUEST, &err);

	/* The reason for a NULL stands in err. */
	document_check(request, request == NULL ? &err : NULL, NULL, NULL);
	ksr_free(request);
	return 0;
}
