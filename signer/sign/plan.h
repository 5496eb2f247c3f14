/* SPDX-License-Identifier: ISC */
/* The response to a request before it is signed: all but the signatures. */
#ifndef SIGNER_SIGN_PLAN_H
#define SIGNER_SIGN_PLAN_H

#include "lib/ksr/ksr.h"
#include "signer/keyset/ksk.h"

/*
 * Each bundle gets the request's keys and those of the schema's slot, once
 * each, with the TTL of ksk_policy; and one entry for each signature, complete
 * but for its bytes; one of a key that signs only has no key beside it, and
 * stands behind the others.  ksks must hold every key the schema names.  On
 * success *out is new, in canonical order, and the caller frees it. Errors:
 * ERR_USAGE where the schema has too few slots.
 */
bool plan_response(const struct config *config,
	const struct config_schema *schema, const struct ksk_set *ksks,
	const struct ksr *request, struct ksr **out, struct err *err);

#endif
