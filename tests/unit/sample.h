/* SPDX-License-Identifier: ISC */
/*
 * A whole quarter in memory, as the root zone has it: a previous response, a
 * request chained to it, keys in software in place of an HSM, and the response,
 * planned and signed.  Everything is right; tests break one thing each.
 */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "unit.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/config/config.h"
#include "lib/crypto/crypto.h"
#include "lib/ksr/ksr.h"
#include "signer/checks/check.h"
#include "signer/keyset/ksk.h"
#include "signer/sign/plan.h"

#define SAMPLE_BUNDLES 9
#define SAMPLE_ZSKS 4
#define SAMPLE_START INT64_C(1270080000) /* 2010-04-01T00:00:00 */

struct sample {
	struct config *config;
	struct xml_schema *xml_schema;
	struct crypto_cache *cache;
	struct crypto_key *zsks[SAMPLE_ZSKS]; /* of a pool, never freed */
	struct crypto_key *ksk;
	struct ksk_set ksks;
	struct ksk_set previous_ksks;
	struct ksr *previous;
	struct ksr *request;
	struct ksr *response;
	struct ksr *read_back;
	struct buf written;
	struct check_context context;
};

/* RSA with 1024 bits throughout: it is quick. */
static const char sample_yaml[] =
	"keys:\n"
	"  ksk: {label: K1, algorithm: RSASHA256, rsa_size: 1024,\n"
	"    rsa_exponent: 65537, valid_from: '2010-01-01T00:00:00',\n"
	"    valid_until: '2011-01-01T00:00:00'}\n"
	"request_policy:\n"
	"  rsa_approved_key_sizes: [1024]\n"
	"ksk_policy: {publish_safety: P10D, retire_safety: P10D,\n"
	"  max_signature_validity: P21D, min_signature_validity: P21D,\n"
	"  max_validity_overlap: P12D, min_validity_overlap: P9D, ttl: 172800}\n"
	"schemas:\n"
	"  normal:\n"; /* and the slots, see below */

static inline void sample_config(struct sample *s)
{
	struct buf yaml = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	buf_text(&yaml, sample_yaml);
	for (int i = 1; i <= SAMPLE_BUNDLES; i++)
		buf_format(&yaml, "    %d: {publish: ksk, sign: ksk}\n", i);
	if (!config_parse("sample", yaml.data, yaml.len, &s->config, &err))
		fail_msg("%s", err.text);
	buf_free(&yaml);
}

static inline void sample_add_key(
	struct sample *s, struct ksr_bundle *bundle, size_t zsk)
{
	struct err err = ERR_EMPTY;
	struct ksr_key *key = array_grow(
		&bundle->keys, &bundle->key_count, sizeof(*key), &err);
	char name[16];

	snprintf(name, sizeof(name), "zsk%zu", zsk);
	key->identifier = strdup(name);
	key->ttl = 172800;
	assert_true(crypto_key_dnskey(
		s->zsks[zsk], DNSKEY_FLAGS_ZSK, &key->dnskey, &err));
	key->tag = dnskey_tag(&key->dnskey);
}

/* Sign the bundle with a key that is in it. */
static inline void sample_sign(struct ksr_bundle *bundle,
	const char *identifier, const struct crypto_key *key, uint16_t flags)
{
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct buf data = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	struct ksr_signature *sig = array_grow(&bundle->signatures,
		&bundle->signature_count, sizeof(*sig), &err);

	assert_true(crypto_key_dnskey(key, flags, &dnskey, &err));
	sig->identifier = strdup(identifier);
	sig->ttl = sig->original_ttl = 172800;
	sig->type_covered = strdup("DNSKEY");
	sig->algorithm = dnskey.algorithm;
	sig->inception = bundle->inception;
	sig->expiration = bundle->expiration;
	sig->key_tag = dnskey_tag(&dnskey);
	sig->signers_name = strdup(".");
	assert_true(ksr_signed_data(bundle, sig, ".", &data, &err));
	assert_true(crypto_key_sign(key, &data, &sig->signature, &err));
	buf_free(&data);
	dnskey_free(&dnskey);
}

/* Put the signatures into the places that a plan left for them. */
static inline void sample_sign_plan(struct sample *s, struct ksr *response)
{
	struct err err = ERR_EMPTY;

	for (size_t b = 0; b < response->bundle_count; b++) {
		struct ksr_bundle *bundle = &response->bundles[b];

		for (size_t i = 0; i < bundle->signature_count; i++) {
			struct ksr_signature *sig = &bundle->signatures[i];
			struct buf data = BUF_EMPTY;

			assert_true(
				ksr_signed_data(bundle, sig, ".", &data, &err));
			assert_true(crypto_key_sign(
				s->ksk, &data, &sig->signature, &err));
			buf_free(&data);
		}
	}
}

/* A request from start on; its ZSKs are first, first + 1 and first + 2. */
static inline struct ksr *sample_request(
	struct sample *s, const char *id, int64_t start, size_t first)
{
	static const struct ksr_algorithm stated = {8, KSR_RSA, 1024, 65537};
	struct ksr *ksr = calloc(1, sizeof(*ksr));
	struct err err = ERR_EMPTY;

	ksr->kind = KSR_REQUEST;
	ksr->id = strdup(id);
	ksr->domain = strdup(".");
	ksr->serial = 1;
	ksr->zsk = (struct ksr_policy){.publish_safety = 10 * TIME_DAY,
		.retire_safety = 10 * TIME_DAY,
		.max_signature_validity = 21 * TIME_DAY,
		.min_signature_validity = 21 * TIME_DAY,
		.max_validity_overlap = 12 * TIME_DAY,
		.min_validity_overlap = 9 * TIME_DAY};
	*(struct ksr_algorithm *)array_grow(&ksr->zsk.algorithms,
		&ksr->zsk.algorithm_count, sizeof(stated), &err) = stated;
	for (size_t b = 0; b < SAMPLE_BUNDLES; b++) {
		struct ksr_bundle *bundle = array_grow(&ksr->bundles,
			&ksr->bundle_count, sizeof(*bundle), &err);
		char name[40];

		snprintf(name, sizeof(name), "%s-%zu", id, b + 1);
		bundle->id = strdup(name);
		bundle->inception = start + (int64_t)b * 10 * TIME_DAY;
		bundle->expiration = bundle->inception + 21 * TIME_DAY;
		if (b == 0)
			sample_add_key(s, bundle, first);
		sample_add_key(s, bundle, first + 1);
		if (b == SAMPLE_BUNDLES - 1)
			sample_add_key(s, bundle, first + 2);
	}
	assert_true(ksr_sort(ksr, &err));
	for (size_t b = 0; b < SAMPLE_BUNDLES; b++)
		for (size_t k = 0; k < ksr->bundles[b].key_count; k++) {
			const char *name = ksr->bundles[b].keys[k].identifier;

			sample_sign(&ksr->bundles[b], name,
				s->zsks[name[3] - '0'], DNSKEY_FLAGS_ZSK);
		}
	assert_true(ksr_sort(ksr, &err));
	return ksr;
}

/* Any non-NULL pointer: the checks only ask whether the HSM has the key. */
#define SAMPLE_TOKEN_KEY ((const struct token_key *)(const void *)"")

static inline void sample_ksks(struct sample *s)
{
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct err err = ERR_EMPTY;

	assert_true(crypto_key_dnskey(s->ksk, DNSKEY_FLAGS_KSK, &dnskey, &err));
	assert_true(ksk_set_add(&s->ksks, "K1", &s->config->keys[0],
		SAMPLE_TOKEN_KEY, &dnskey, &err));
	assert_true(ksk_set_add(&s->previous_ksks, "K1", NULL, SAMPLE_TOKEN_KEY,
		&dnskey, &err));
	dnskey_free(&dnskey);
}

static inline void sample_respond(
	struct sample *s, const struct ksr *request, struct ksr **out)
{
	struct err err = ERR_EMPTY;

	assert_true(plan_response(s->config, &s->config->schemas[0], &s->ksks,
		request, out, &err));
	sample_sign_plan(s, *out);
}

/* The tag of a key, by what it is in a sample. */
static inline uint16_t sample_tag(const struct crypto_key *key, uint16_t flags)
{
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct err err = ERR_EMPTY;
	uint16_t tag;

	assert_true(crypto_key_dnskey(key, flags, &dnskey, &err));
	tag = dnskey_tag(&dnskey);
	dnskey_free(&dnskey);
	return tag;
}

/* A key whose tag is none of those there; one in 14,000 pools had one twice. */
static inline struct crypto_key *sample_key(
	uint16_t flags, const uint16_t *tags, size_t count)
{
	struct crypto_key *key = NULL;
	struct err err = ERR_EMPTY;

	while (key == NULL) {
		uint16_t tag, revoked;

		assert_true(crypto_key_generate(8, 1024, &key, &err));
		tag = sample_tag(key, flags);
		revoked = sample_tag(key, flags | DNSKEY_FLAG_REVOKE);
		for (size_t i = 0; i < count && key != NULL; i++)
			if (tags[i] == tag || tags[i] == revoked) {
				crypto_key_free(key);
				key = NULL;
			}
	}
	return key;
}

/* Made once for all samples of a program: making them is what takes time. */
static inline void sample_keys(struct sample *s)
{
	static struct crypto_key *pool[SAMPLE_ZSKS + 1];
	uint16_t tags[SAMPLE_ZSKS + 1];

	for (size_t i = 0; i <= SAMPLE_ZSKS; i++) {
		uint16_t flags =
			i < SAMPLE_ZSKS ? DNSKEY_FLAGS_ZSK : DNSKEY_FLAGS_KSK;

		if (pool[i] == NULL)
			pool[i] = sample_key(flags, tags, i);
		tags[i] = sample_tag(pool[i], flags);
	}
	memcpy(s->zsks, pool, sizeof(s->zsks));
	s->ksk = pool[SAMPLE_ZSKS];
}

static inline struct sample *sample_new(void)
{
	struct sample *s = calloc(1, sizeof(*s));
	struct ksr *before = NULL;
	struct err err = ERR_EMPTY;

	sample_config(s);
	assert_true(xml_schema_new(&s->xml_schema, &err));
	assert_true(crypto_cache_new(&s->cache, &err));
	sample_keys(s);
	sample_ksks(s);
	before = sample_request(s, "q1", SAMPLE_START - 90 * TIME_DAY, 0);
	sample_respond(s, before, &s->previous);
	ksr_free(before);
	s->request = sample_request(s, "q2", SAMPLE_START, 1);
	sample_respond(s, s->request, &s->response);
	assert_true(ksr_write(s->response, &s->written, &err));
	assert_true(ksr_read(s->xml_schema, s->written.data, s->written.len,
		KSR_RESPONSE, &s->read_back, &err));
	s->context = (struct check_context){.config = s->config,
		.now = SAMPLE_START - 30 * TIME_DAY,
		.cache = s->cache,
		.request = s->request,
		.previous = s->previous,
		.schema = &s->config->schemas[0],
		.ksks = &s->ksks,
		.previous_ksks = &s->previous_ksks,
		.response = s->response,
		.written = &s->written,
		.read_back = s->read_back};
	return s;
}

static inline void sample_free(struct sample *s)
{
	ksr_free(s->previous);
	ksr_free(s->request);
	ksr_free(s->response);
	ksr_free(s->read_back);
	buf_free(&s->written);
	ksk_set_clear(&s->ksks);
	ksk_set_clear(&s->previous_ksks);
	crypto_cache_free(s->cache);
	xml_schema_free(s->xml_schema);
	config_free(s->config);
	free(s);
}

/* Other bytes of the same tag: two words of the modulus change places. */
static inline void sample_exchange_words(struct dnskey *dnskey)
{
	uint8_t *at = dnskey->public_key.data + 20, word[2];

	memcpy(word, at, 2);
	memcpy(at, at + 40, 2);
	memcpy(at + 40, word, 2);
}

/* Others whose tag is that of the key when it is revoked. */
static inline void sample_set_revoke_bit(struct dnskey *dnskey)
{
	uint8_t *at = dnskey->public_key.data + 21;

	while ((*at & 0x80) != 0)
		at += 2;
	*at |= 0x80;
}

#endif
