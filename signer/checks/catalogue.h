/* SPDX-License-Identifier: ISC */
/* The check functions, for the table in check.c and for unit tests. */
#ifndef CHECKS_CATALOGUE_H
#define CHECKS_CATALOGUE_H

#include "checks/check.h"

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
 * right?  Adds a line for each thing that is not.
 */
void check_one_signature(const struct check_context *context,
	const struct ksr *ksr, const struct ksr_bundle *bundle,
	const struct ksr_signature *signature, struct finding *finding);

#endif
