/* SPDX-License-Identifier: ISC */
/* The check functions, for the table in check.c and for unit tests. */
#ifndef SIGNER_CHECKS_CATALOGUE_H
#define SIGNER_CHECKS_CATALOGUE_H

#include "signer/checks/check.h"

/* file.c */
check_function check_ksr_file, check_skr_file;
/* header.c */
check_function check_ksr_domain, check_ksr_id, check_ksr_serial;
/* bundles.c */
check_function check_bundle_unique, check_bundle_order, check_bundle_count,
	check_skr_bundle_count;
/* times.c */
check_function check_cycle_duration, check_sig_overlap, check_sig_validity,
	check_sig_horizon, check_bundle_intervals;
/* keys.c */
check_function check_bundle_keys, check_policy_keys;
/* algorithms.c */
check_function check_policy_alg, check_skr_algorithms;
/* signatures.c */
check_function check_bundle_pop, check_skr_signatures;
/* chain.c */
check_function check_chain_keys, check_chain_keys_hsm, check_chain_overlap;
/* ksk.c */
check_function check_ksk_identity, check_ksk_period, check_ksk_tag_clash;
/* safety.c */
check_function check_publish_safety, check_retire_safety;
/* verify.c */
check_function check_skr_verify;

/*
 * signatures.c: does one signature of a bundle verify, with all its fields
 * right, by key (NULL: no key of the bundle is the one it states)?  Adds a
 * line for each thing that is not.
 */
void check_one_signature(const struct check_context *context,
	const struct ksr *ksr, const struct ksr_bundle *bundle,
	const struct ksr_signature *signature, const struct ksr_key *key,
	struct finding *finding);

/* check.c: the slot of bundle b of the response; NULL where there is none. */
const struct config_slot *check_slot(
	const struct check_context *context, size_t b);

/*
 * member.c: is the previous response the member of a family that it must be?
 * False: it need not be one.  Members are told apart by the names of keys.
 */
bool check_previous_member(
	const struct check_context *context, struct finding *finding);

/* bundles.c: no two bundles have one id. */
void check_ids(
	const struct ksr *ksr, const char *where, struct finding *finding);

/* signatures.c: has the bundle a signature by a key that is not revoked? */
bool check_has_lasting_signer(const struct ksr_bundle *bundle);

/*
 * chain.c: which bundles of the previous response count: tied[b] is set where
 * bundle b is signed by a key of the HSM that signed the last one, or by a
 * key that a later bundle so tied has published.  What the others say is
 * anyone's.  tied has room for all and is all false.
 */
bool check_tied(
	const struct check_context *context, bool *tied, struct err *err);

#endif
