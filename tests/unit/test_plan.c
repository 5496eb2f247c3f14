/* SPDX-License-Identifier: ISC */
/*
 * Shows: a planned response is the request's keys plus exactly what the slot
 * of the schema says, in each combination of publish, revoke and sign; too few
 * slots and unknown names are refused.  Matters: the plan is what is signed.
 */
#include "lib/base/array.h"
#include "sample.h"

static const char slots_yaml[] =
	"keys:\n"
	"  a: {label: A, algorithm: RSASHA256, valid_from: "
	"'2010-01-01T00:00:00'}\n"
	"  b: {label: B, algorithm: ED25519, valid_from: "
	"'2010-01-01T00:00:00'}\n"
	"schemas:\n"
	"  all:\n"
	"    1: {publish: a, sign: a}\n"
	"    2: {publish: [a, b], sign: a}\n"
	"    3: {publish: [b, a], sign: [a, b]}\n"
	"    4: {publish: b, revoke: a, sign: [a, b]}\n"
	"    5: {publish: b, sign: [a, b]}\n"
	"    6: {publish: b, sign: b}\n"
	"    7: {publish: b, sign: b}\n"
	"    8: {publish: b, sign: b}\n"
	"    9: {publish: b, sign: b}\n"
	"  short:\n"
	"    1: {publish: a, sign: a}\n";

/* Flags of each key in the bundle; 0: not there. */
static const struct {
	uint16_t a, b;
	bool a_signs, b_signs;
} expected[SAMPLE_BUNDLES] = {
	{257, 0, true, false},
	{257, 257, true, false},
	{257, 257, true, true},
	{385, 257, true, true},
	{257, 257, true, true}, /* a signing key is always in the set */
	{0, 257, false, true},
	{0, 257, false, true},
	{0, 257, false, true},
	{0, 257, false, true},
};

struct planned {
	struct sample *sample;
	struct config *config;
	struct ksk_set ksks;
};

static void add_ksk(
	struct planned *p, const struct crypto_key *key, size_t place)
{
	const struct config_key *config = &p->config->keys[place];
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct err err = ERR_EMPTY;

	assert_true(crypto_key_dnskey(key, DNSKEY_FLAGS_KSK, &dnskey, &err));
	assert_true(ksk_set_add(&p->ksks, config->label, config,
		SAMPLE_TOKEN_KEY, &dnskey, &err));
	dnskey_free(&dnskey);
}

static int setup(void **state)
{
	struct planned *p = calloc(1, sizeof(*p));
	struct crypto_key *ed = NULL;
	struct err err = ERR_EMPTY;

	p->sample = sample_new();
	assert_true(config_parse("slots", (const uint8_t *)slots_yaml,
		strlen(slots_yaml), &p->config, &err));
	assert_true(crypto_key_generate(15, 0, &ed, &err));
	add_ksk(p, p->sample->ksk, 0);
	add_ksk(p, ed, 1);
	crypto_key_free(ed);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct planned *p = *state;

	ksk_set_clear(&p->ksks);
	config_free(p->config);
	sample_free(p->sample);
	free(p);
	return 0;
}

static uint16_t flags_of(const struct ksr_bundle *bundle, const char *label)
{
	const struct ksr_key *key = ksr_key_by_identifier(bundle, label);

	return key != NULL ? key->dnskey.flags : 0;
}

static bool has_signature(const struct ksr_bundle *bundle, const char *label)
{
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (strcmp(bundle->signatures[s].identifier, label) == 0)
			return ksr_signature_key(
				       bundle, &bundle->signatures[s]) != NULL;
	return false;
}

static void plan_follows_slots(void **state)
{
	struct planned *p = *state;
	struct ksr *plan = NULL;
	struct err err = ERR_EMPTY;

	assert_true(plan_response(p->config, config_schema(p->config, "all"),
		&p->ksks, p->sample->request, &plan, &err));
	assert_int_equal(plan->bundle_count, SAMPLE_BUNDLES);
	for (size_t b = 0; b < SAMPLE_BUNDLES; b++) {
		const struct ksr_bundle *asked =
			&p->sample->request->bundles[b];
		const struct ksr_bundle *bundle = &plan->bundles[b];
		size_t ksks = (size_t)(expected[b].a != 0) +
			      (size_t)(expected[b].b != 0);
		size_t signers = (size_t)expected[b].a_signs +
				 (size_t)expected[b].b_signs;

		assert_int_equal(flags_of(bundle, "A"), expected[b].a);
		assert_int_equal(flags_of(bundle, "B"), expected[b].b);
		assert_int_equal(bundle->key_count, asked->key_count + ksks);
		assert_int_equal(bundle->signature_count, signers);
		assert_int_equal(
			has_signature(bundle, "A"), expected[b].a_signs);
		assert_int_equal(
			has_signature(bundle, "B"), expected[b].b_signs);
		for (size_t k = 0; k < asked->key_count; k++)
			assert_true(
				ksr_bundle_has(bundle, &asked->keys[k].dnskey));
		for (size_t k = 1; k < bundle->key_count; k++)
			assert_true(dnskey_compare(&bundle->keys[k - 1].dnskey,
					    &bundle->keys[k].dnskey) < 0);
		for (size_t k = 0; k < bundle->key_count; k++)
			assert_int_equal(bundle->keys[k].tag,
				dnskey_tag(&bundle->keys[k].dnskey));
	}
	ksr_free(plan);
}

static void plan_describes_each_kind_of_ksk(void **state)
{
	struct planned *p = *state;
	struct ksr *plan = NULL;
	struct err err = ERR_EMPTY;

	assert_true(plan_response(p->config, config_schema(p->config, "all"),
		&p->ksks, p->sample->request, &plan, &err));
	assert_int_equal(plan->ksk.algorithm_count, 2);
	assert_int_equal(plan->ksk.algorithms[0].algorithm, 8);
	assert_int_equal(plan->ksk.algorithms[0].size, 1024);
	assert_int_equal(plan->ksk.algorithms[0].exponent, 65537);
	assert_int_equal(plan->ksk.algorithms[1].algorithm, 15);
	assert_int_equal(plan->ksk.algorithms[1].family, KSR_EDDSA);
	assert_int_equal(plan->ksk.algorithms[1].size, 256);
	ksr_free(plan);
}

static void plan_same_key_twice_is_one_record(void **state)
{
	struct planned *p = *state;
	struct ksr_bundle *bundle = &p->sample->request->bundles[0];
	size_t before = bundle->key_count;
	struct ksr *plan = NULL;
	struct err err = ERR_EMPTY;
	struct ksr_key *again = array_grow(
		&bundle->keys, &bundle->key_count, sizeof(*again), &err);

	assert_true(ksr_key_copy(&bundle->keys[0], again, &err));
	assert_true(plan_response(p->config, config_schema(p->config, "all"),
		&p->ksks, p->sample->request, &plan, &err));
	assert_int_equal(plan->bundles[0].key_count, before + 1);
	ksr_free(plan);
	ksr_key_clear(&bundle->keys[--bundle->key_count]);
}

static void plan_bad_schema_refused(void **state)
{
	struct planned *p = *state;
	struct ksk_set none = KSK_SET_EMPTY;
	struct ksr *plan = NULL;
	struct err err = ERR_EMPTY;

	assert_false(plan_response(p->config, config_schema(p->config, "short"),
		&p->ksks, p->sample->request, &plan, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "1 slots"));
	assert_false(plan_response(p->config, config_schema(p->config, "all"),
		&none, p->sample->request, &plan, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_follows_slots),
		cmocka_unit_test(plan_describes_each_kind_of_ksk),
		cmocka_unit_test(plan_same_key_twice_is_one_record),
		cmocka_unit_test(plan_bad_schema_refused),
	};

	return cmocka_run_group_tests_name("plan", tests, setup, teardown);
}
