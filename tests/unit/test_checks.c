/* SPDX-License-Identifier: ISC */
/*
 * Shows: each check of the catalogue passes a sound quarter and fails one in
 * which the thing it guards is wrong, and its setting switches it off.
 * Matters: a check that cannot fail guards nothing.
 */
#include "sample.h"

#include "lib/base/array.h"
#include "lib/base/file.h"
#include "signer/checks/catalogue.h"
#include "signer/sign/table.h"

#include <unistd.h>

/* The finding of one check. */
static enum check_result result_of(
	const struct sample *s, const char *name, char *text, size_t size)
{
	struct report report = REPORT_EMPTY;
	enum check_result result = CHECK_SKIP;
	struct err err = ERR_EMPTY;
	bool found = false;

	for (int phase = 0; phase < CHECK_PHASES; phase++)
		assert_true(checks_run(
			&s->context, (enum check_phase)phase, &report, &err));
	for (size_t i = 0; i < report.count; i++) {
		if (strcmp(report.findings[i].name, name) != 0)
			continue;
		found = true;
		result = report.findings[i].result;
		text[0] = '\0';
		if (report.findings[i].count > 0)
			snprintf(text, size, "%s",
				report.findings[i].lines[0].text);
	}
	if (!found)
		fail_msg("no check %s", name);
	report_clear(&report);
	return result;
}

/* Settings are const where checks see them; tests own the configuration. */
static struct config_request_policy *policy(struct sample *s)
{
	return &s->config->request_policy;
}

static void replace(char **text, const char *by)
{
	free(*text);
	*text = strdup(by);
}

static struct ksr_bundle *first(struct ksr *ksr)
{
	return &ksr->bundles[0];
}

static struct ksr_bundle *last(struct ksr *ksr)
{
	return &ksr->bundles[ksr->bundle_count - 1];
}

static void drop_last_bundle(struct ksr *ksr)
{
	ksr_bundle_clear(last(ksr));
	ksr->bundle_count--;
}

static void drop_signature(struct ksr_bundle *bundle)
{
	ksr_signature_clear(&bundle->signatures[--bundle->signature_count]);
}

/* One breakage each; s is whole again before the next. */
static struct err unreadable = {
	.kind = ERR_INPUT, .text = "line 1: not well-formed XML"};

static void request_unreadable(struct sample *s)
{
	s->context.request = NULL;
	s->context.request_err = &unreadable;
}
static void previous_unreadable(struct sample *s)
{
	s->context.previous = NULL;
	s->context.previous_err = &unreadable;
}
static void domain_other(struct sample *s)
{
	replace(&s->request->domain, "example.");
}
static void signers_name_other(struct sample *s)
{
	replace(&s->request->bundles[3].signatures[0].signers_name, "x.");
}
static void signers_name_configured_other(struct sample *s)
{
	s->config->ksk_policy.signers_name = strdup("example.");
}
static void id_empty(struct sample *s)
{
	replace(&s->request->id, "");
}
static void id_replayed(struct sample *s)
{
	replace(&s->request->id, s->previous->id);
}
static void serial_negative(struct sample *s)
{
	s->request->serial = -1;
}
static void previous_domain_other(struct sample *s)
{
	replace(&s->previous->domain, "example.");
}
static void bundle_id_twice(struct sample *s)
{
	replace(&s->request->bundles[5].id, s->request->bundles[2].id);
}
static void bundle_id_of_previous(struct sample *s)
{
	replace(&s->request->bundles[5].id, s->previous->bundles[2].id);
}
static void bundle_ends_before_it_begins(struct sample *s)
{
	first(s->request)->expiration = first(s->request)->inception;
}
static void bundles_begin_together(struct sample *s)
{
	s->request->bundles[1].inception = first(s->request)->inception;
}
static void bundle_within_another(struct sample *s)
{
	s->request->bundles[1].expiration = first(s->request)->expiration;
}
static void key_swapped(struct sample *s)
{
	replace(&last(s->request)->keys[0].identifier, "zsk9");
	replace(&last(s->request)->keys[1].identifier, "zsk9");
}
static void protocol_2(struct sample *s)
{
	first(s->request)->keys[0].dnskey.protocol = 2;
}
static void flags_257(struct sample *s)
{
	first(s->request)->keys[0].dnskey.flags = 257;
}
static void tag_wrong(struct sample *s)
{
	first(s->request)->keys[0].tag ^= 1;
}
static void stated_size_other(struct sample *s)
{
	s->request->zsk.algorithms[0].size = 2048;
}
static void stated_exponent_other(struct sample *s)
{
	s->request->zsk.algorithms[0].exponent = 3;
}
static void key_malformed(struct sample *s)
{
	first(s->request)->keys[0].dnskey.public_key.len = 2;
}
static void ttl_3600(struct sample *s)
{
	s->request->bundles[4].keys[0].ttl = 3600;
}
static void dns_ttl_3600(struct sample *s)
{
	policy(s)->dns_ttl = 3600;
}
static void request_signature_missing(struct sample *s)
{
	drop_signature(first(s->request));
}
static void request_signature_flipped(struct sample *s)
{
	s->request->bundles[4].signatures[0].signature.data[7] ^= 1;
}
static void request_signature_of_stranger(struct sample *s)
{
	replace(&s->request->bundles[4].signatures[0].identifier, "zsk0");
}
static void request_covers_other(struct sample *s)
{
	replace(&s->request->bundles[4].signatures[0].type_covered, "SOA");
}
static void request_labels_1(struct sample *s)
{
	s->request->bundles[4].signatures[0].labels = 1;
}
static void request_original_ttl_other(struct sample *s)
{
	s->request->bundles[4].signatures[0].original_ttl = 1;
}
static void request_key_tag_other(struct sample *s)
{
	s->request->bundles[4].signatures[0].key_tag ^= 1;
}
static void request_algorithm_other(struct sample *s)
{
	s->request->bundles[4].signatures[0].algorithm = 10;
}
static void request_window_turned(struct sample *s)
{
	struct ksr_signature *sig = &s->request->bundles[4].signatures[0];

	sig->inception = sig->expiration;
}
static void request_bundle_dropped(struct sample *s)
{
	drop_last_bundle(s->request);
}
static void cycle_short(struct sample *s)
{
	last(s->request)->inception -= 2 * TIME_DAY;
}
static void keys_per_bundle_other(struct sample *s)
{
	policy(s)->num_keys_per_bundle.numbers[3] = 2;
}
static void keys_in_all_other(struct sample *s)
{
	policy(s)->num_different_keys_in_all_bundles = 2;
}
static void stated_deprecated(struct sample *s)
{
	s->request->zsk.algorithms[0].algorithm = 5;
}
static void stated_unknown(struct sample *s)
{
	s->request->zsk.algorithms[0].algorithm = 99;
}
static void stated_ecdsa(struct sample *s)
{
	s->request->zsk.algorithms[0] =
		(struct ksr_algorithm){13, KSR_ECDSA, 256, 0};
}
static void stated_eddsa(struct sample *s)
{
	s->request->zsk.algorithms[0] =
		(struct ksr_algorithm){15, KSR_EDDSA, 256, 0};
}
static void stated_ecdsa_not_approved(struct sample *s)
{
	stated_ecdsa(s);
	policy(s)->enable_unsupported_ecdsa = true;
}
static void stated_family_wrong(struct sample *s)
{
	s->request->zsk.algorithms[0].family = KSR_ECDSA;
}
static void key_deprecated(struct sample *s)
{
	first(s->request)->keys[0].dnskey.algorithm = 7;
}
static void size_not_approved(struct sample *s)
{
	policy(s)->rsa_approved_key_sizes.numbers[0] = 2048;
}
static void exponent_not_approved(struct sample *s)
{
	policy(s)->rsa_approved_exponents.numbers[0] = 3;
}
static void overlap_short(struct sample *s)
{
	s->request->zsk.min_validity_overlap = 12 * TIME_DAY;
}
static void overlap_long(struct sample *s)
{
	s->request->zsk.max_validity_overlap = 10 * TIME_DAY;
}
static void gap(struct sample *s)
{
	s->request->bundles[4].expiration -= 15 * TIME_DAY;
}
static void validity_short(struct sample *s)
{
	s->request->bundles[4].expiration -= 1;
}
static void validity_long(struct sample *s)
{
	s->request->bundles[4].expiration += 1;
}
static void validity_over_ours(struct sample *s)
{
	s->config->ksk_policy.max_signature_validity = 20 * TIME_DAY;
}
static void clock_behind(struct sample *s)
{
	s->context.now -= 100 * TIME_DAY;
}
static void clock_ahead(struct sample *s)
{
	s->context.now += 52 * TIME_DAY;
}
static void interval_short(struct sample *s)
{
	policy(s)->min_bundle_interval = 11 * TIME_DAY;
}
static void interval_long(struct sample *s)
{
	s->request->bundles[8].inception += 2 * TIME_DAY;
}
static void previous_bundle_dropped(struct sample *s)
{
	drop_last_bundle(s->previous);
}
static void previous_signature_flipped(struct sample *s)
{
	s->previous->bundles[4].signatures[0].signature.data[7] ^= 1;
}
/* The fields that no signature covers, one by one. */
static void previous_begins_later(struct sample *s)
{
	last(s->previous)->inception += TIME_DAY;
}
static void previous_ends_later(struct sample *s)
{
	s->previous->bundles[3].expiration += TIME_DAY;
}
static void previous_all_later(struct sample *s)
{
	for (size_t b = 0; b < s->previous->bundle_count; b++) {
		s->previous->bundles[b].inception += 30 * TIME_DAY;
		s->previous->bundles[b].expiration += 30 * TIME_DAY;
	}
}
static void other_tag(struct ksr_bundle *bundle, bool zsk)
{
	for (size_t k = 0; k < bundle->key_count; k++)
		if (ksr_key_is_zsk(&bundle->keys[k]) == zsk)
			bundle->keys[k].tag ^= 1;
}
static void previous_key_tag_other(struct sample *s)
{
	other_tag(&s->previous->bundles[4], false);
}
static void previous_zsk_tag_other(struct sample *s)
{
	other_tag(first(s->previous), true);
}
static void previous_ttl_other(struct sample *s)
{
	s->previous->bundles[4].keys[0].ttl = 1;
}
static void previous_signature_ttl_other(struct sample *s)
{
	s->previous->bundles[4].signatures[0].ttl = 1;
}
/* Moved as a whole, its signatures' times too: two do not meet any more. */
static void previous_gap(struct sample *s)
{
	for (size_t b = 5; b < s->previous->bundle_count; b++)
		s->previous->bundles[b].inception += 12 * TIME_DAY;
}
static void previous_bundle_twice(struct sample *s)
{
	struct ksr_bundle *two = &s->previous->bundles[4];

	two[1].inception = two[0].inception;
	two[1].expiration = two[0].expiration;
}
static void previous_bundle_id_twice(struct sample *s)
{
	replace(&s->previous->bundles[5].id, s->previous->bundles[4].id);
}
/* A true signature by a key that may not make it. */
static void sign_by_zsk(struct sample *s, struct ksr_bundle *bundle)
{
	for (size_t k = 0; k < bundle->key_count; k++)
		if (ksr_key_is_zsk(&bundle->keys[k])) {
			const char *name = bundle->keys[k].identifier;

			sample_sign(bundle, name, s->zsks[name[3] - '0'],
				DNSKEY_FLAGS_ZSK);
			return;
		}
}
static void previous_signed_by_a_zsk_alone(struct sample *s)
{
	drop_signature(&s->previous->bundles[4]);
	sign_by_zsk(s, &s->previous->bundles[4]);
}
static void previous_signed_by_a_zsk_too(struct sample *s)
{
	sign_by_zsk(s, &s->previous->bundles[4]);
}
/* All of it true, but the one signer says that it is not to be followed. */
static void sign_revoked(struct sample *s, struct ksr_bundle *bundle)
{
	drop_signature(bundle);
	for (size_t k = 0; k < bundle->key_count; k++)
		if (!ksr_key_is_zsk(&bundle->keys[k])) {
			bundle->keys[k].dnskey.flags = DNSKEY_FLAGS_KSK_REVOKED;
			bundle->keys[k].tag =
				dnskey_tag(&bundle->keys[k].dnskey);
		}
	sample_sign(bundle, "K1", s->ksk, DNSKEY_FLAGS_KSK_REVOKED);
}
static void previous_signed_revoked_alone(struct sample *s)
{
	sign_revoked(s, &s->previous->bundles[4]);
}
static void response_signed_revoked_alone(struct sample *s)
{
	sign_revoked(s, &s->read_back->bundles[4]);
}
static void previous_ksk_unusable(struct sample *s)
{
	struct err err = ERR_EMPTY;

	ksk_set_reason(&s->previous_ksks.keys[0], "two are there", &err);
}
static void previous_earlier_bundle_of_a_stranger(struct sample *s)
{
	struct ksr_bundle *bundle = &s->previous->bundles[2];

	for (size_t k = 0; k < bundle->key_count; k++)
		if (!ksr_key_is_zsk(&bundle->keys[k])) {
			bundle->keys[k].dnskey.public_key.data[9] ^= 1;
			bundle->signatures[0].key_tag =
				dnskey_tag(&bundle->keys[k].dnskey);
		}
}
static void identifiers_swapped(struct sample *s)
{
	struct ksr_key *keys = first(s->request)->keys;
	char *first_name = keys[0].identifier;

	keys[0].identifier = keys[1].identifier;
	keys[1].identifier = first_name;
}
static void identifier_of_an_older_key(struct sample *s)
{
	replace(&last(s->request)->keys[1].identifier, "zsk0");
	replace(&last(s->request)->keys[0].identifier, "zsk0");
}
static void identifier_of_the_old_ksk(struct sample *s)
{
	replace(&s->request->bundles[4].keys[0].identifier, "K1");
}
static void overlap_under_ours(struct sample *s)
{
	s->config->ksk_policy.min_validity_overlap = 12 * TIME_DAY;
}
static void overlap_over_ours(struct sample *s)
{
	s->config->ksk_policy.max_validity_overlap = 10 * TIME_DAY;
}
static void validity_under_ours(struct sample *s)
{
	s->config->ksk_policy.min_signature_validity = 22 * TIME_DAY;
	s->config->ksk_policy.max_signature_validity = 22 * TIME_DAY;
}
static void ksk_unusable(struct sample *s)
{
	struct err err = ERR_EMPTY;

	ksk_set_reason(&s->ksks.keys[0], "it has no private half", &err);
}
static void ksk_of_two_labels(struct sample *s)
{
	/* The array of keys moves as it grows. */
	struct dnskey same = s->ksks.keys[0].dnskey;
	struct err err = ERR_EMPTY;

	assert_true(ksk_set_add(&s->ksks, "K2", &s->config->keys[0],
		SAMPLE_TOKEN_KEY, &same, &err));
}
static void response_publishes_another_algorithm(struct sample *s)
{
	struct ksr_bundle *bundle = &s->response->bundles[4];
	struct err err = ERR_EMPTY;
	struct ksr_key *key = array_grow(
		&bundle->keys, &bundle->key_count, sizeof(*key), &err);

	key->identifier = strdup("K2");
	key->ttl = 172800;
	key->dnskey.flags = DNSKEY_FLAGS_KSK;
	key->dnskey.protocol = 3;
	key->dnskey.algorithm = 13;
	buf_text(&key->dnskey.public_key, "sixty-four bytes");
	key->tag = dnskey_tag(&key->dnskey);
}
static void previous_keys_more(struct sample *s)
{
	sample_add_key(s, last(s->previous), 3);
}
static void request_keys_other(struct sample *s)
{
	first(s->request)->keys[0].dnskey.public_key.data[9] ^= 1;
}
static void chain_gap(struct sample *s)
{
	last(s->previous)->expiration -= 3 * TIME_DAY;
}
static void chain_gap_in_our_policy(struct sample *s)
{
	s->request->zsk.min_validity_overlap = 0;
	chain_gap(s);
}
static void previous_ksk_absent(struct sample *s)
{
	s->previous_ksks.keys[0].token_key = NULL;
}
static void previous_ksk_other(struct sample *s)
{
	s->previous_ksks.keys[0].dnskey.public_key.data[9] ^= 1;
}
static void previous_ksk_signature_flipped(struct sample *s)
{
	last(s->previous)->signatures[0].signature.data[7] ^= 1;
}
static void ds_other(struct sample *s)
{
	s->config->keys[0].has_ds_sha256 = true;
}
static void ksk_tag_other(struct sample *s)
{
	s->config->keys[0].has_key_tag = true;
	s->config->keys[0].key_tag = dnskey_tag(&s->ksks.keys[0].dnskey) ^ 1;
}
static void ksk_algorithm_other(struct sample *s)
{
	s->config->keys[0].algorithm = 10;
}
static void ksk_size_other(struct sample *s)
{
	s->config->keys[0].rsa_size = 2048;
}
static void ksk_exponent_other(struct sample *s)
{
	s->config->keys[0].rsa_exponent = 3;
}
static void ksk_absent(struct sample *s)
{
	s->ksks.keys[0].token_key = NULL;
}
static void ksk_too_early(struct sample *s)
{
	s->config->keys[0].valid_from = SAMPLE_START + 1;
}
static void ksk_too_late(struct sample *s)
{
	s->config->keys[0].valid_until = last(s->request)->expiration - 1;
}
static void slots_missing(struct sample *s)
{
	static struct config_schema shorter;

	shorter = s->config->schemas[0];
	shorter.slot_count--;
	s->context.schema = &shorter;
}
static void clash(struct sample *s)
{
	struct dnskey *zsk = &s->request->bundles[4].keys[0].dnskey;

	/* The RDATA is the same but for the flags: 256 becomes 257. */
	zsk->public_key.len = s->ksks.keys[0].dnskey.public_key.len;
	memcpy(zsk->public_key.data, s->ksks.keys[0].dnskey.public_key.data,
		zsk->public_key.len);
	zsk->flags = DNSKEY_FLAGS_KSK;
}
static void identifier_is_a_label(struct sample *s)
{
	struct config_key *ksk = &s->config->keys[0];

	free(ksk->label);
	ksk->label = strdup(s->request->bundles[4].keys[0].identifier);
	assert_non_null(ksk->label);
}
static void clash_when_revoked(struct sample *s)
{
	clash(s);
	s->request->bundles[4].keys[0].dnskey.flags = DNSKEY_FLAGS_KSK_REVOKED;
}
static void response_algorithms_differ(struct sample *s)
{
	s->response->bundles[4].signatures[0].algorithm = 10;
}
static void signer_not_published(struct sample *s)
{
	struct ksr_bundle *bundle = last(s->previous);

	for (size_t k = 0; k < bundle->key_count; k++)
		if (!ksr_key_is_zsk(&bundle->keys[k]))
			bundle->keys[k].dnskey.public_key.data[9] ^= 1;
}
/* That it is revoked at once does not make up for it. */
static void signer_revoked_not_published(struct sample *s)
{
	struct ksr_bundle *bundle = first(s->response);

	signer_not_published(s);
	for (size_t k = 0; k < bundle->key_count; k++) {
		struct ksr_key *key = &bundle->keys[k];

		if (ksr_key_is_zsk(key))
			continue;
		key->dnskey.flags = DNSKEY_FLAGS_KSK_REVOKED;
		bundle->signatures[0].key_tag = dnskey_tag(&key->dnskey);
	}
}
/* As if another key had signed before: the same, but for one byte. */
static void signer_new_in_bundle_2(struct sample *s)
{
	struct ksr_bundle *bundle = first(s->response);

	for (size_t k = 0; k < bundle->key_count; k++)
		if (!ksr_key_is_zsk(&bundle->keys[k])) {
			bundle->keys[k].dnskey.public_key.data[9] ^= 1;
			bundle->signatures[0].key_tag =
				dnskey_tag(&bundle->keys[k].dnskey);
		}
}
static void drop_ksk(struct ksr_bundle *bundle)
{
	for (size_t k = 0; k < bundle->key_count; k++)
		if (!ksr_key_is_zsk(&bundle->keys[k]))
			bundle->keys[k].dnskey.public_key.data[9] ^= 1;
}
static void old_signer_gone(struct sample *s)
{
	drop_ksk(first(s->response));
}
static void new_signer_gone(struct sample *s)
{
	drop_ksk(last(s->response));
}
static void response_signature_flipped(struct sample *s)
{
	s->read_back->bundles[4].signatures[0].signature.data[7] ^= 1;
}
static void response_key_added(struct sample *s)
{
	sample_add_key(s, &s->read_back->bundles[4], 3);
}
static void response_key_lost(struct sample *s)
{
	ksr_key_clear(&s->read_back->bundles[4]
			.keys[--s->read_back->bundles[4].key_count]);
}
static void response_id_other(struct sample *s)
{
	replace(&s->read_back->id, "other");
}
static void response_bundle_id_other(struct sample *s)
{
	replace(&s->read_back->bundles[4].id, "other");
}
static void response_time_other(struct sample *s)
{
	s->read_back->bundles[4].expiration++;
}
static void response_ttl_other(struct sample *s)
{
	s->read_back->bundles[4].keys[0].ttl = 1;
}
static void response_bundle_lost(struct sample *s)
{
	drop_last_bundle(s->read_back);
}
static void response_signature_lost(struct sample *s)
{
	drop_signature(&s->read_back->bundles[4]);
}
static void written_too_long(struct sample *s)
{
	policy(s)->max_file_size = (uint32_t)s->written.len - 1;
}
static void written_other(struct sample *s)
{
	s->written.data[s->written.len - 3] ^= 1;
}

static const struct {
	const char *check;
	void (*breaks)(struct sample *);
} failing[] = {
	{"KSR-FILE", request_unreadable},
	{"KSR-DOMAIN", domain_other},
	{"KSR-DOMAIN", signers_name_other},
	{"KSR-DOMAIN", signers_name_configured_other},
	{"KSR-ID", id_empty},
	{"KSR-ID", id_replayed},
	{"KSR-SERIAL", serial_negative},
	{"KSR-SERIAL", previous_domain_other},
	{"KSR-BUNDLE-UNIQUE", bundle_id_twice},
	{"KSR-BUNDLE-UNIQUE", bundle_id_of_previous},
	{"KSR-BUNDLE-ORDER", bundle_ends_before_it_begins},
	{"KSR-BUNDLE-ORDER", bundles_begin_together},
	{"KSR-BUNDLE-ORDER", bundle_within_another},
	{"KSR-BUNDLE-KEYS", key_swapped},
	{"KSR-BUNDLE-KEYS", protocol_2},
	{"KSR-BUNDLE-KEYS", flags_257},
	{"KSR-BUNDLE-KEYS", tag_wrong},
	{"KSR-BUNDLE-KEYS", stated_size_other},
	{"KSR-BUNDLE-KEYS", stated_exponent_other},
	{"KSR-BUNDLE-KEYS", key_malformed},
	{"KSR-BUNDLE-KEYS", identifier_is_a_label},
	{"KSR-BUNDLE-KEYS", ttl_3600},
	{"KSR-BUNDLE-KEYS", dns_ttl_3600},
	{"KSR-BUNDLE-POP", request_signature_missing},
	{"KSR-BUNDLE-POP", request_signature_flipped},
	{"KSR-BUNDLE-POP", request_signature_of_stranger},
	{"KSR-BUNDLE-POP", request_covers_other},
	{"KSR-BUNDLE-POP", request_labels_1},
	{"KSR-BUNDLE-POP", request_original_ttl_other},
	{"KSR-BUNDLE-POP", request_key_tag_other},
	{"KSR-BUNDLE-POP", request_algorithm_other},
	{"KSR-BUNDLE-POP", request_window_turned},
	{"KSR-BUNDLE-COUNT", request_bundle_dropped},
	{"KSR-BUNDLE-CYCLE-DURATION", cycle_short},
	{"KSR-POLICY-KEYS", keys_per_bundle_other},
	{"KSR-POLICY-KEYS", keys_in_all_other},
	{"KSR-POLICY-KEYS", request_bundle_dropped},
	{"KSR-POLICY-ALG", stated_deprecated},
	{"KSR-POLICY-ALG", stated_unknown},
	{"KSR-POLICY-ALG", stated_ecdsa},
	{"KSR-POLICY-ALG", stated_eddsa},
	{"KSR-POLICY-ALG", stated_ecdsa_not_approved},
	{"KSR-POLICY-ALG", stated_family_wrong},
	{"KSR-POLICY-ALG", key_deprecated},
	{"KSR-POLICY-ALG", size_not_approved},
	{"KSR-POLICY-ALG", exponent_not_approved},
	{"KSR-POLICY-SIG-OVERLAP", overlap_short},
	{"KSR-POLICY-SIG-OVERLAP", overlap_long},
	{"KSR-POLICY-SIG-OVERLAP", gap},
	{"KSR-POLICY-SIG-OVERLAP", overlap_under_ours},
	{"KSR-POLICY-SIG-OVERLAP", overlap_over_ours},
	{"KSR-POLICY-SIG-VALIDITY", validity_short},
	{"KSR-POLICY-SIG-VALIDITY", validity_long},
	{"KSR-POLICY-SIG-VALIDITY", validity_over_ours},
	{"KSR-POLICY-SIG-VALIDITY", validity_under_ours},
	{"KSR-POLICY-SIG-HORIZON", clock_behind},
	{"KSR-POLICY-SIG-HORIZON", clock_ahead},
	{"KSR-POLICY-BUNDLE-INTERVALS", interval_short},
	{"KSR-POLICY-BUNDLE-INTERVALS", interval_long},
	{"SKR-FILE", previous_unreadable},
	{"SKR-BUNDLE-COUNT", previous_bundle_dropped},
	{"SKR-SIGNATURES", previous_signature_flipped},
	{"SKR-SIGNATURES", previous_begins_later},
	{"SKR-SIGNATURES", previous_ends_later},
	{"SKR-SIGNATURES", previous_all_later},
	{"SKR-SIGNATURES", previous_key_tag_other},
	{"SKR-SIGNATURES", previous_zsk_tag_other},
	{"SKR-SIGNATURES", previous_ttl_other},
	{"SKR-SIGNATURES", previous_signature_ttl_other},
	{"SKR-SIGNATURES", previous_gap},
	{"SKR-SIGNATURES", previous_bundle_twice},
	{"SKR-SIGNATURES", previous_bundle_id_twice},
	{"SKR-SIGNATURES", previous_signed_by_a_zsk_alone},
	{"SKR-SIGNATURES", previous_signed_by_a_zsk_too},
	{"SKR-SIGNATURES", previous_signed_revoked_alone},
	{"KSR-CHAIN-KEYS", identifiers_swapped},
	{"KSR-CHAIN-KEYS", identifier_of_an_older_key},
	{"KSR-CHAIN-KEYS", identifier_of_the_old_ksk},
	{"KSR-CHAIN-KEYS", previous_keys_more},
	{"KSR-CHAIN-KEYS", request_keys_other},
	{"KSR-CHAIN-KEYS-HSM", previous_ksk_absent},
	{"KSR-CHAIN-KEYS-HSM", previous_ksk_other},
	{"KSR-CHAIN-KEYS-HSM", previous_ksk_signature_flipped},
	{"KSR-CHAIN-KEYS-HSM", previous_ksk_unusable},
	{"KSR-CHAIN-KEYS-HSM", previous_earlier_bundle_of_a_stranger},
	{"KSR-CHAIN-OVERLAP", chain_gap},
	{"KSR-CHAIN-OVERLAP", chain_gap_in_our_policy},
	{"KSK-IDENTITY", ds_other},
	{"KSK-IDENTITY", ksk_tag_other},
	{"KSK-IDENTITY", ksk_algorithm_other},
	{"KSK-IDENTITY", ksk_size_other},
	{"KSK-IDENTITY", ksk_exponent_other},
	{"KSK-IDENTITY", ksk_absent},
	{"KSK-IDENTITY", ksk_unusable},
	{"KSK-IDENTITY", ksk_of_two_labels},
	{"KSK-PERIOD", ksk_too_early},
	{"KSK-PERIOD", ksk_too_late},
	{"KSK-PERIOD", slots_missing},
	{"KSK-TAG-CLASH", clash},
	{"KSK-TAG-CLASH", clash_when_revoked},
	{"SKR-ALGORITHMS", response_algorithms_differ},
	{"SKR-ALGORITHMS", response_publishes_another_algorithm},
	{"SKR-POLICY-PUBLISH-SAFETY", signer_not_published},
	{"SKR-POLICY-PUBLISH-SAFETY", signer_revoked_not_published},
	{"SKR-POLICY-PUBLISH-SAFETY", signer_new_in_bundle_2},
	{"SKR-POLICY-RETIRE-SAFETY", old_signer_gone},
	{"SKR-POLICY-RETIRE-SAFETY", new_signer_gone},
	{"SKR-VERIFY", response_signature_flipped},
	{"SKR-VERIFY", response_signed_revoked_alone},
	{"SKR-VERIFY", response_key_added},
	{"SKR-VERIFY", response_key_lost},
	{"SKR-VERIFY", response_id_other},
	{"SKR-VERIFY", response_bundle_id_other},
	{"SKR-VERIFY", response_time_other},
	{"SKR-VERIFY", response_ttl_other},
	{"SKR-VERIFY", response_bundle_lost},
	{"SKR-VERIFY", response_signature_lost},
	{"SKR-VERIFY", written_other},
	{"SKR-VERIFY", written_too_long},
};

#define FAILING_COUNT (sizeof(failing) / sizeof(failing[0]))

static void sound_quarter_passes_all(void **state)
{
	struct sample *s = sample_new();

	(void)state;
	for (const struct check *check = check_table; check->name != NULL;
		check++) {
		char text[300] = "";

		if (result_of(s, check->name, text, sizeof(text)) != CHECK_PASS)
			fail_msg("%s does not pass: %s", check->name, text);
	}
	sample_free(s);
}

static void broken_thing_fails_its_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAILING_COUNT; i++) {
		struct sample *s = sample_new();
		char text[300] = "";

		failing[i].breaks(s);
		if (result_of(s, failing[i].check, text, sizeof(text)) !=
			CHECK_FAIL)
			fail_msg("%zu: %s does not fail (%s)", i,
				failing[i].check, text);
		if (text[0] == '\0')
			fail_msg("%zu: %s does not say why", i,
				failing[i].check);
		sample_free(s);
	}
}

static void every_check_can_fail(void **state)
{
	(void)state;
	for (const struct check *check = check_table; check->name != NULL;
		check++) {
		bool covered = false;

		for (size_t i = 0; i < FAILING_COUNT; i++)
			covered |= strcmp(failing[i].check, check->name) == 0;
		if (!covered)
			fail_msg("nothing here fails %s", check->name);
	}
}

static void setting_false_skips_and_is_named(void **state)
{
	struct sample *s = sample_new();

	(void)state;
	for (const struct check *check = check_table; check->name != NULL;
		check++) {
		bool *setting;
		char text[300] = "";

		if (check->setting == NULL)
			continue;
		setting = (bool *)((char *)s->config + check->setting_offset);
		assert_true(*setting);
		*setting = false;
		assert_int_equal(result_of(s, check->name, text, sizeof(text)),
			CHECK_SKIP);
		assert_non_null(strstr(text, check->setting));
		*setting = true;
	}
	sample_free(s);
}

/* The part of a check that a setting switches off. */
static void partial_setting_passes(void **state)
{
	static const struct {
		const char *check;
		void (*breaks)(struct sample *);
		size_t setting;
	} cases[] = {
		{"KSR-BUNDLE-KEYS", stated_size_other,
			offsetof(struct config_request_policy,
				keys_match_zsk_policy)},
		{"KSR-BUNDLE-KEYS", stated_exponent_other,
			offsetof(struct config_request_policy,
				rsa_exponent_match_zsk_policy)},
		{"KSR-POLICY-ALG", size_not_approved,
			offsetof(struct config_request_policy,
				signature_algorithms_match_zsk_policy)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample *s = sample_new();
		char text[300] = "";

		cases[i].breaks(s);
		*(bool *)((char *)policy(s) + cases[i].setting) = false;
		assert_int_equal(
			result_of(s, cases[i].check, text, sizeof(text)),
			CHECK_PASS);
		assert_non_null(strstr(text, "is false"));
		sample_free(s);
	}
}

static void without_previous_chain_is_skipped(void **state)
{
	struct sample *s = sample_new();
	char text[300] = "";

	(void)state;
	s->context.previous = NULL;
	s->context.no_previous = "first of all";
	for (const struct check *check = check_table; check->name != NULL;
		check++) {
		enum check_result result =
			result_of(s, check->name, text, sizeof(text));

		if (check->needs_previous ||
			strcmp(check->name, "SKR-FILE") == 0) {
			assert_int_equal(result, CHECK_SKIP);
			assert_non_null(strstr(text, "first of all"));
		} else {
			assert_int_equal(result, CHECK_PASS);
		}
	}
	sample_free(s);
}

static void reordered_bundles_warn(void **state)
{
	struct sample *s = sample_new();
	char text[300] = "";

	(void)state;
	s->request->reordered = true;
	assert_int_equal(result_of(s, "KSR-BUNDLE-ORDER", text, sizeof(text)),
		CHECK_PASS);
	assert_non_null(strstr(text, "another order"));
	sample_free(s);
}

static void gap_between_bundles_warns(void **state)
{
	struct sample *s = sample_new();
	char text[300] = "";

	(void)state;
	for (size_t b = 4; b < s->request->bundle_count; b++) {
		s->request->bundles[b].inception += 20 * TIME_DAY;
		s->request->bundles[b].expiration += 20 * TIME_DAY;
	}
	assert_int_equal(result_of(s, "KSR-BUNDLE-ORDER", text, sizeof(text)),
		CHECK_PASS);
	assert_non_null(strstr(text, "no request can follow the response"));
	sample_free(s);
}

static void revoked_key_may_leave(void **state)
{
	struct sample *s = sample_new();
	char text[300] = "";

	(void)state;
	/* In all bundles but the last it is there revoked. */
	drop_ksk(last(s->response));
	for (size_t b = 0; b < 8; b++) {
		struct ksr_bundle *bundle = &s->response->bundles[b];

		for (size_t k = 0; k < bundle->key_count; k++)
			if (!ksr_key_is_zsk(&bundle->keys[k]))
				bundle->keys[k].dnskey.flags =
					DNSKEY_FLAGS_KSK_REVOKED;
	}
	assert_int_equal(
		result_of(s, "SKR-POLICY-RETIRE-SAFETY", text, sizeof(text)),
		CHECK_PASS);
	sample_free(s);
}

/* Others of which this is the revoked tag. */
static void clear_revoke_bit(struct dnskey *dnskey)
{
	uint8_t *at = dnskey->public_key.data + 21;

	while ((*at & 0x80) == 0)
		at += 2;
	*at &= 0x7f;
}

static void give_another_tag(struct dnskey *dnskey)
{
	dnskey->public_key.data[30] ^= 0x10;
}

/* A second key in slot 5, published beside the first. */
static void publish_beside(struct sample *s, struct config_key *config,
	void change(struct dnskey *))
{
	struct config_names *list = &s->config->schemas[0].slots[4].publish;
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct err err = ERR_EMPTY;
	char **name;

	assert_true(dnskey_copy(&s->ksks.keys[0].dnskey, &dnskey, &err));
	change(&dnskey);
	assert_true(ksk_set_add(
		&s->ksks, "K2", config, SAMPLE_TOKEN_KEY, &dnskey, &err));
	name = array_grow(&list->names, &list->count, sizeof(*name), &err);
	*name = strdup(config->name);
	dnskey_free(&dnskey);
}

static void two_keys_of_one_tag_warn(void **state)
{
	static const struct {
		void (*change)(struct dnskey *dnskey);
		const char *says;
	} cases[] = {
		{sample_exchange_words, "keys K1 and K2 have the same tag"},
		{sample_set_revoke_bit,
			"keys K1 (when revoked) and K2 have the same tag"},
		{clear_revoke_bit,
			"keys K1 and K2 (when revoked) have the same tag"},
		{give_another_tag, NULL},
	};
	static char name_of_second[] = "second";
	static struct config_key second = {.name = name_of_second};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample *s = sample_new();
		char text[300] = "";

		publish_beside(s, &second, cases[i].change);
		assert_int_equal(
			result_of(s, "KSK-TAG-CLASH", text, sizeof(text)),
			CHECK_PASS);
		if (cases[i].says == NULL)
			assert_string_equal(text, "");
		else if (strstr(text, cases[i].says) == NULL)
			fail_msg("%zu: \"%s\"", i, text);
		sample_free(s);
	}
}

static void previous_made_here_has_the_requests_count(void **state)
{
	struct sample *s = sample_new();
	char text[300] = "";

	(void)state;
	s->config->response_policy.num_bundles = 6;
	assert_int_equal(result_of(s, "SKR-BUNDLE-COUNT", text, sizeof(text)),
		CHECK_FAIL);
	s->context.previous_made_here = true;
	assert_int_equal(result_of(s, "SKR-BUNDLE-COUNT", text, sizeof(text)),
		CHECK_PASS);
	s->config->request_policy.num_bundles = 6;
	assert_int_equal(result_of(s, "SKR-BUNDLE-COUNT", text, sizeof(text)),
		CHECK_FAIL);
	sample_free(s);
}

static void many_failures_are_counted(void **state)
{
	struct sample *s = sample_new();
	struct report report = REPORT_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t b = 0; b < SAMPLE_BUNDLES; b++)
		for (size_t k = 0; k < s->request->bundles[b].key_count; k++)
			s->request->bundles[b].keys[k].ttl = 1;
	assert_true(checks_run(&s->context, CHECK_REQUEST, &report, &err));
	assert_true(report.failed);
	for (size_t i = 0; i < report.count; i++)
		if (strcmp(report.findings[i].name, "KSR-BUNDLE-KEYS") == 0) {
			assert_int_equal(
				report.findings[i].count, CHECK_LINES_MAX);
			assert_int_equal(report.findings[i].more, 1);
		}
	report_clear(&report);
	sample_free(s);
}

/* What table_findings() writes of a finding that has twelve warnings. */
static void tell_warnings(bool fails, struct buf *out)
{
	char folder[] = "/tmp/test_checks.XXXXXX";
	struct log_settings settings = {.program = "prog", .folder = folder};
	struct log *log = NULL;
	struct err err = ERR_EMPTY;
	struct finding finding = {
		.name = "SOME-CHECK", .result = CHECK_PASS, .nomem = &err};
	struct report report = {.findings = &finding, .count = 1};

	assert_non_null(mkdtemp(folder));
	assert_true(log_open(&settings, &log, &err));
	for (int i = 0; i < 12; i++)
		finding_warn(&finding, "number %d", i);
	if (fails)
		finding_fail(&finding, "the reason");
	finding_note(&finding, "of no consequence");
	table_findings(log, &report, 0);
	assert_true(file_read(log_path(log), 100000, out, &err));
	assert_int_equal(unlink(log_path(log)), 0);
	assert_true(log_close(log, &err));
	assert_int_equal(rmdir(folder), 0);
	for (size_t i = 0; i < finding.count; i++)
		free(finding.lines[i].text);
	free(finding.lines);
}

/* Ten lines are kept: a warning beyond is none the less one, and a reason is
 * told whatever came before it. */
static void lines_beyond_ten_are_what_they_were(void **state)
{
	struct buf passed = BUF_EMPTY, failed = BUF_EMPTY;

	(void)state;
	tell_warnings(false, &passed);
	assert_non_null(strstr(buf_string(&passed), "PASS SOME-CHECK"));
	assert_non_null(strstr(
		buf_string(&passed), "[WARNING] SOME-CHECK: and 2 more\n"));
	assert_null(strstr(buf_string(&passed), "[ERROR]"));
	tell_warnings(true, &failed);
	assert_non_null(strstr(buf_string(&failed), "FAIL SOME-CHECK"));
	assert_non_null(strstr(
		buf_string(&failed), "[ERROR] SOME-CHECK: the reason\n"));
	buf_free(&passed);
	buf_free(&failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_quarter_passes_all),
		cmocka_unit_test(broken_thing_fails_its_check),
		cmocka_unit_test(every_check_can_fail),
		cmocka_unit_test(setting_false_skips_and_is_named),
		cmocka_unit_test(partial_setting_passes),
		cmocka_unit_test(without_previous_chain_is_skipped),
		cmocka_unit_test(reordered_bundles_warn),
		cmocka_unit_test(gap_between_bundles_warns),
		cmocka_unit_test(revoked_key_may_leave),
		cmocka_unit_test(two_keys_of_one_tag_warn),
		cmocka_unit_test(previous_made_here_has_the_requests_count),
		cmocka_unit_test(many_failures_are_counted),
		cmocka_unit_test(lines_beyond_ten_are_what_they_were),
	};

	return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
