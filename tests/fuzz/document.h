/* SPDX-License-Identifier: ISC */
/* Requests and responses as the fuzz entries for them look at them. */
#ifndef FUZZ_DOCUMENT_H
#define FUZZ_DOCUMENT_H

#include "lib/ksr/ksr.h"

/*
 * Read hostile bytes.  A document that is taken must come back the same when
 * it was written in canonical layout; NULL where it is refused with a reason
 * in err.  The caller frees it.
 */
struct ksr *document_take(
	const uint8_t *data, size_t size, enum ksr_kind kind, struct err *err);

/*
 * Every check of the first phase with every setting on; both may be NULL.
 * Only the report is looked at: each finding that fails has its line.
 */
void document_check(const struct ksr *request, const struct err *request_err,
	const struct ksr *previous, const struct err *previous_err);

#endif
