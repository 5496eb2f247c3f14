/* SPDX-License-Identifier: ISC */
/* A request from its keys: bundles, policy, proof of possession. */
#ifndef SIGNER_KSRGEN_REQUEST_H
#define SIGNER_KSRGEN_REQUEST_H

#include "lib/ksr/ksr.h"
#include "signer/ksrgen/zsk.h"

/* More than any ceremony signs, and what a test of speed needs. */
#define REQUEST_BUNDLES_MAX 10000

struct request_settings {
	const char *domain;
	const char *id; /* NULL: derived from all that is asked for */
	int64_t serial;
	int64_t start; /* inception of the first bundle */
	int64_t interval;
	int64_t validity;
	size_t bundles;
	size_t retire_until; /* the last bundle of keys that retire, from 1 */
	size_t next_from;    /* the first one of keys that come */
	uint32_t ttl;
	struct ksr_policy policy; /* but for its algorithms */
};

/* Do the settings make a request?  Errors: ERR_USAGE. */
bool request_check(const struct request_settings *settings, struct err *err);

/*
 * The request, with a signature of every key over each bundle that it stands
 * in; each was verified.  Ids are derived, not random: the same wishes and
 * keys give the same request (but for ECDSA's signatures).  On success *out
 * is new, in canonical order, and the caller frees it.
 * Errors: as request_check(), and those of crypto/.
 */
bool request_make(const struct request_settings *settings,
	const struct zsk_set *keys, struct ksr **out, struct err *err);

#endif
