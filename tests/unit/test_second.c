/* SPDX-License-Identifier: ISC */
/*
 * Shows that each question of the second opinion can say no: a quarter that is
 * right passes all, and one thing broken in it fails the question that asks for
 * it; that what was read begins no line of what is printed, and no record of a
 * zone file; and that a trust anchor's flags count.
 */
#include "sample.h"

#include "lib/base/base64.h"
#include "postcheck/anchor.h"
#include "postcheck/say.h"
#include "postcheck/second.h"

static const uint8_t no_hash[32];

static struct second second_of(struct sample *s)
{
	return (struct second){.request = s->request,
		.response = s->response,
		.previous = s->previous,
		.config = s->config,
		.schema = &s->config->schemas[0],
		.request_hash = no_hash,
		.response_hash = no_hash,
		.previous_hash = no_hash,
		.config_hash = no_hash};
}

/* The names of all questions that fail, each with a blank before it. */
static void ask_all(struct second *second, struct buf *failed)
{
	struct err err = ERR_EMPTY;

	if (!second_prepare(second, &err))
		fail_msg("%s", err.text);
	for (const struct second_question *q = second_table; q->name != NULL;
		q++) {
		struct verdict verdict = {0};

		assert_true(second_ask(second, q, &verdict, &err));
		assert_true(verdict.result != VERDICT_FAIL ||
			    verdict.line_count > 0);
		if (verdict.result == VERDICT_FAIL)
			buf_format(failed, " %s", q->name);
		verdict_clear(&verdict);
	}
	second_clear(second);
}

static void expect_failures(struct sample *s, const char *names)
{
	struct second second = second_of(s);
	struct buf failed = BUF_EMPTY;

	ask_all(&second, &failed);
	assert_string_equal(buf_string(&failed), names);
	buf_free(&failed);
}

static void quarter_that_is_right_passes_all(void **state)
{
	struct sample *s = sample_new();

	(void)state;
	expect_failures(s, "");
	sample_free(s);
}

/* One thing of the previous response. */
struct breakage {
	void (*apply)(struct ksr *previous);
	const char *failed;
};

static void move_last(struct ksr *previous)
{
	struct ksr_bundle *last = &previous->bundles[SAMPLE_BUNDLES - 1];

	last->expiration += TIME_DAY;
}

static void end_first(struct ksr *previous)
{
	previous->bundles[2].expiration = previous->bundles[2].inception;
}

static void lie_about_tag(struct ksr *previous)
{
	previous->bundles[3].keys[0].tag ^= 1;
}

static void lie_about_ttl(struct ksr *previous)
{
	previous->bundles[3].keys[0].ttl--;
}

static void lie_about_signature_ttl(struct ksr *previous)
{
	previous->bundles[4].signatures[0].ttl++;
}

static void cover_another_type(struct ksr *previous)
{
	strcpy(previous->bundles[4].signatures[0].type_covered, "SOA");
}

static void name_twice(struct ksr *previous)
{
	struct ksr_bundle *bundle = &previous->bundles[0];

	assert_true(bundle->key_count > 1);
	free(bundle->keys[0].identifier);
	bundle->keys[0].identifier = strdup(bundle->keys[1].identifier);
}

static void repeat_id(struct ksr *previous)
{
	free(previous->bundles[1].id);
	previous->bundles[1].id = strdup(previous->bundles[0].id);
}

static void break_first_signature(struct ksr *previous)
{
	previous->bundles[0].signatures[0].signature.data[9] ^= 1;
}

static const struct breakage breakages[] = {
	{move_last, " POST-PREVIOUS"},
	{end_first, " POST-PREVIOUS"},
	{lie_about_tag, " POST-PREVIOUS"},
	{lie_about_ttl, " POST-PREVIOUS"},
	{lie_about_signature_ttl, " POST-PREVIOUS"},
	{cover_another_type, " POST-PREVIOUS"},
	{repeat_id, " POST-PREVIOUS"},
	{break_first_signature, " POST-PREVIOUS POST-CHAIN"},
};

static void what_no_signature_covers_is_not_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(breakages) / sizeof(*breakages); i++) {
		struct sample *s = sample_new();

		breakages[i].apply(s->previous);
		expect_failures(s, breakages[i].failed);
		sample_free(s);
	}
}

static void one_name_of_two_keys_is_seen(void **state)
{
	struct sample *s = sample_new();
	struct second second = second_of(s);
	struct buf failed = BUF_EMPTY;

	(void)state;
	name_twice(s->previous);
	ask_all(&second, &failed);
	assert_non_null(strstr(buf_string(&failed), " POST-PREVIOUS"));
	buf_free(&failed);
	sample_free(s);
}

/* A configuration that knows another key by that label. */
static void previous_response_of_strangers_is_seen(void **state)
{
	struct sample *s = sample_new();

	(void)state;
	s->config->keys[0].has_ds_sha256 = true;
	/* Nothing hangs on a known key, so nothing counts as published. */
	expect_failures(s,
		" POST-KSK-SCHEMA POST-KSK-IDENTITY POST-CHAIN POST-PUBLISH-SAFETY");
	sample_free(s);
}

static void stated_bounds_are_kept(void **state)
{
	struct sample *s = sample_new();

	(void)state;
	s->config->ksk_policy.min_signature_validity++;
	s->response->ksk.min_signature_validity++;
	expect_failures(s, " POST-STATED");
	s->config->request_policy.signature_validity_match_zsk_policy = false;
	expect_failures(s, "");
	sample_free(s);
}

/* Where both programs had the request's word alone, it could say anything. */
static void stated_overlap_is_kept_where_two_responses_meet(void **state)
{
	struct sample *s = sample_new();

	(void)state;
	s->request->zsk.min_validity_overlap = 0;
	s->response->zsk.min_validity_overlap = 0;
	s->config->ksk_policy.min_validity_overlap = 30 * TIME_DAY;
	s->response->ksk.min_validity_overlap = 30 * TIME_DAY;
	s->config->ksk_policy.max_validity_overlap = 40 * TIME_DAY;
	s->response->ksk.max_validity_overlap = 40 * TIME_DAY;
	expect_failures(s, " POST-STATED POST-CHAIN");
	s->config->request_policy.check_bundle_overlap = false;
	expect_failures(s, " POST-CHAIN");
	s->config->request_policy.check_chain_overlap = false;
	expect_failures(s, "");
	sample_free(s);
}

/* What was asked for, and yet no request could follow it. */
static void bundle_within_another_is_seen(void **state)
{
	struct sample *s = sample_new();

	(void)state;
	s->config->request_policy.signature_validity_match_zsk_policy = false;
	s->config->request_policy.check_bundle_overlap = false;
	s->request->bundles[1].expiration = s->request->bundles[0].expiration;
	s->response->bundles[1].expiration = s->request->bundles[0].expiration;
	expect_failures(s, " POST-BUNDLES POST-SIGNATURE-FIELDS");
	sample_free(s);
}

static void expect_lines(
	const char *text, const char *mark, size_t width, const char *lines)
{
	struct buf out = BUF_EMPTY;

	say_lines(&out, text, mark, width);
	assert_string_equal(buf_string(&out), lines);
	buf_free(&out);
}

static void lines_begin_with_our_words(void **state)
{
	(void)state;
	expect_lines("", "", 80, "\n");
	expect_lines("a\nPASS", "", 80, "a\\x0aPASS\n");
	expect_lines("a\nPASS", "; ", 0, "; a\\x0aPASS\n");
	expect_lines("    bundle xxxxxxxxxxxxxx PASS", "", 26,
		"    bundle xxxxxxxxxxxxxx\n        PASS\n");
	/* A word that is longer is cut, not left to the terminal. */
	expect_lines("xxxxxxxxxxxxxxxxxxxxPASSy", "", 20,
		"xxxxxxxxxxxxxxxxxxxx\n        PASSy\n");
	expect_lines("xxxxxxxxxxxxxxxxxxPASSy", "; ", 20,
		"; xxxxxxxxxxxxxxxxxx\n;         PASSy\n");
	/* Too narrow to fold anything. */
	expect_lines("x PASS", "", 4, "x PASS\n");
}

static void zone_has_no_record_that_a_text_made(void **state)
{
	struct sample *s = sample_new();
	struct ksr_bundle *bundle = &s->response->bundles[0];
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	free(bundle->id);
	bundle->id = strdup("x\n. 1 IN DNSKEY 257 3 8 AAAA");
	assert_true(second_zone(s->response, bundle, &text, &err));
	assert_null(strstr(buf_string(&text), "\n. 1 IN"));
	assert_int_equal(
		strncmp(buf_string(&text), "; bundle x\\x0a. 1 IN", 18), 0);
	free(bundle->signatures[0].signers_name);
	bundle->signatures[0].signers_name = strdup(".\n. 1 IN A 1.2.3.4");
	buf_clear(&text);
	assert_false(second_zone(s->response, bundle, &text, &err));
	assert_int_equal(err.kind, ERR_REFUSED);
	free(bundle->signatures[0].signers_name);
	bundle->signatures[0].signers_name = strdup(".");
	strcpy(bundle->signatures[0].type_covered, "SOA");
	assert_false(second_zone(s->response, bundle, &text, &err));
	buf_free(&text);
	sample_free(s);
}

/* Of the key and its DS, as a file would have them. */
static void anchor_of(const struct dnskey *dnskey, const char *flags,
	struct second_anchor **out)
{
	struct buf xml = BUF_EMPTY, owner = BUF_EMPTY;
	uint8_t digest[CRYPTO_DIGEST_MAX];
	struct err err = ERR_EMPTY;
	size_t len;

	buf_u8(&owner, 0);
	assert_true(crypto_ds(dnskey, &owner, 2, digest, &len, &err));
	buf_format(&xml,
		"<TrustAnchor id='a'><Zone>.</Zone><KeyDigest id='k' validFrom='2010-01-01T00:00:00Z'><KeyTag>%u</KeyTag><Algorithm>%u</Algorithm><DigestType>2</DigestType><Digest>",
		dnskey_tag(dnskey), dnskey->algorithm);
	for (size_t i = 0; i < len; i++)
		buf_format(&xml, "%02X", digest[i]);
	buf_text(&xml, "</Digest>");
	if (flags != NULL) {
		buf_text(&xml, "<PublicKey>");
		base64_encode(
			&xml, dnskey->public_key.data, dnskey->public_key.len);
		buf_format(&xml, "</PublicKey><Flags>%s</Flags>", flags);
	}
	buf_text(&xml, "</KeyDigest></TrustAnchor>");
	if (!second_anchor_read(&xml, out, &err))
		fail_msg("%s", err.text);
	buf_free(&xml);
	buf_free(&owner);
}

static void anchor_vouches_only_with_flags_257(void **state)
{
	static const struct {
		const char *flags;
		bool vouches;
	} cases[] = {{NULL, true}, {"257", true}, {"385", false}, {"0", false},
		{"256", false}, {"65535", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sample *s = sample_new();
		struct second second = second_of(s);
		struct second_anchor *anchor = NULL;
		struct buf failed = BUF_EMPTY;

		anchor_of(&s->ksks.keys[0].dnskey, cases[i].flags, &anchor);
		second.anchor = anchor;
		ask_all(&second, &failed);
		assert_string_equal(buf_string(&failed),
			cases[i].vouches
				? ""
				: " POST-ANCHOR POST-CHAIN POST-PUBLISH-SAFETY");
		buf_free(&failed);
		second_anchor_free(anchor);
		sample_free(s);
	}
}

/* One more configured key, of which nothing but its label is stated. */
static void add_configured(struct sample *s, const char *label)
{
	struct err err = ERR_EMPTY;
	struct config_key *key = array_grow(
		&s->config->keys, &s->config->key_count, sizeof(*key), &err);

	assert_non_null(key);
	key->name = strdup(label);
	key->description = strdup("");
	key->label = strdup(label);
	key->algorithm = 8;
	key->valid_until = CONFIG_TIME_NEVER;
}

/*
 * The previous response's last bundle, signed by a key that calls itself
 * what a configured key is called, and publishes the real one.
 */
static void forge_last(struct sample *s, const char *label)
{
	struct ksr_bundle *last = &s->previous->bundles[SAMPLE_BUNDLES - 1];
	struct crypto_key *stranger = NULL;
	struct err err = ERR_EMPTY;
	struct ksr_key *key;

	assert_true(crypto_key_generate(8, 1024, &stranger, &err));
	while (last->signature_count > 0)
		ksr_signature_clear(&last->signatures[--last->signature_count]);
	key = array_grow(&last->keys, &last->key_count, sizeof(*key), &err);
	key->identifier = strdup(label);
	key->ttl = 172800;
	assert_true(crypto_key_dnskey(
		stranger, DNSKEY_FLAGS_KSK, &key->dnskey, &err));
	key->tag = dnskey_tag(&key->dnskey);
	assert_true(ksr_sort(s->previous, &err));
	sample_sign(last, label, stranger, DNSKEY_FLAGS_KSK);
	crypto_key_free(stranger);
}

/* How many parts of a question were not looked at. */
static size_t count_unlooked(struct second *second, const char *name)
{
	struct err err = ERR_EMPTY;
	size_t count = 0;

	assert_true(second_prepare(second, &err));
	for (const struct second_question *q = second_table; q->name != NULL;
		q++) {
		struct verdict verdict = {0};

		if (strcmp(q->name, name) != 0)
			continue;
		assert_true(second_ask(second, q, &verdict, &err));
		count = verdict.unlooked;
		verdict_clear(&verdict);
	}
	second_clear(second);
	return count;
}

static void label_of_a_last_signer_is_not_believed(void **state)
{
	struct sample *s = sample_new();
	struct second second = second_of(s);
	struct second_anchor *anchor = NULL;
	struct buf failed = BUF_EMPTY;

	(void)state;
	add_configured(s, "K0");
	forge_last(s, "K0");
	s->config->request_policy.check_keys_retire_safety = false;
	/* Without an anchor the label must do, and that is said. */
	assert_int_equal(count_unlooked(&second, "POST-CHAIN"), 1);
	expect_failures(s, "");
	anchor_of(&s->ksks.keys[0].dnskey, NULL, &anchor);
	second.anchor = anchor;
	ask_all(&second, &failed);
	assert_string_equal(
		buf_string(&failed), " POST-CHAIN POST-PUBLISH-SAFETY");
	buf_free(&failed);
	second_anchor_free(anchor);
	sample_free(s);
}

/* Does POST-KSK-FORM note that two keys have one tag? */
static bool notes_same_tag(struct sample *s, void change(struct dnskey *),
	uint16_t flags, uint16_t other_flags)
{
	struct second second = second_of(s);
	struct ksr_bundle *bundle = &s->response->bundles[3];
	struct verdict verdict = {0};
	struct err err = ERR_EMPTY;
	struct ksr_key *first, *key;
	bool noted = false;

	key = array_grow(&bundle->keys, &bundle->key_count, sizeof(*key), &err);
	key->identifier = strdup("K2");
	assert_true(dnskey_copy(&s->ksks.keys[0].dnskey, &key->dnskey, &err));
	if (change != NULL)
		change(&key->dnskey);
	key->dnskey.flags = other_flags;
	first = bundle->keys;
	while ((first->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
		first++;
	first->dnskey.flags = flags;
	assert_true(second_prepare(&second, &err));
	second_ksk_form(&second, &verdict);
	for (size_t i = 0; i < verdict.line_count; i++)
		noted |= strstr(verdict.lines[i], "have one tag") != NULL &&
			 !verdict.is_reason[i];
	verdict_clear(&verdict);
	second_clear(&second);
	return noted;
}

static void two_keys_of_one_tag_are_told(void **state)
{
	static const struct {
		void (*change)(struct dnskey *dnskey);
		uint16_t flags, other_flags;
		bool noted;
	} cases[] = {
		{sample_exchange_words, DNSKEY_FLAGS_KSK, DNSKEY_FLAGS_KSK,
			true},
		{sample_exchange_words, DNSKEY_FLAGS_KSK_REVOKED,
			DNSKEY_FLAGS_KSK_REVOKED, true},
		/* K2 has the tag that K1 would have, or has, revoked. */
		{sample_set_revoke_bit, DNSKEY_FLAGS_KSK, DNSKEY_FLAGS_KSK,
			true},
		{sample_set_revoke_bit, DNSKEY_FLAGS_KSK_REVOKED,
			DNSKEY_FLAGS_KSK, true},
		/* One key in both forms is no pair. */
		{NULL, DNSKEY_FLAGS_KSK, DNSKEY_FLAGS_KSK_REVOKED, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sample *s = sample_new();

		if (notes_same_tag(s, cases[i].change, cases[i].flags,
			    cases[i].other_flags) != cases[i].noted)
			fail_msg("case %zu", i);
		sample_free(s);
	}
}

static void verdict_keeps_ten_lines_and_counts_all(void **state)
{
	struct verdict verdict = {0};

	(void)state;
	for (int i = 0; i < 12; i++)
		verdict_unlooked(&verdict, "part %d", i);
	assert_int_equal(verdict.result, VERDICT_PASS);
	assert_int_equal(verdict.unlooked, 12);
	assert_int_equal(verdict.line_count, VERDICT_LINES_MAX);
	assert_string_equal(verdict.lines[9], "not looked at: part 9");
	verdict_fail(&verdict, "no");
	assert_int_equal(verdict.result, VERDICT_FAIL);
	assert_int_equal(verdict.count, 13);
	/* A reason is told, whatever was noted before it. */
	assert_string_equal(verdict.lines[9], "no");
	for (int i = 0; i < 12; i++)
		verdict_fail(&verdict, "no, %d", i);
	assert_string_equal(verdict.lines[0], "no");
	assert_string_equal(verdict.lines[9], "no, 8");
	verdict_clear(&verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quarter_that_is_right_passes_all),
		cmocka_unit_test(what_no_signature_covers_is_not_believed),
		cmocka_unit_test(one_name_of_two_keys_is_seen),
		cmocka_unit_test(previous_response_of_strangers_is_seen),
		cmocka_unit_test(stated_bounds_are_kept),
		cmocka_unit_test(bundle_within_another_is_seen),
		cmocka_unit_test(
			stated_overlap_is_kept_where_two_responses_meet),
		cmocka_unit_test(lines_begin_with_our_words),
		cmocka_unit_test(zone_has_no_record_that_a_text_made),
		cmocka_unit_test(anchor_vouches_only_with_flags_257),
		cmocka_unit_test(label_of_a_last_signer_is_not_believed),
		cmocka_unit_test(two_keys_of_one_tag_are_told),
		cmocka_unit_test(verdict_keeps_ten_lines_and_counts_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
