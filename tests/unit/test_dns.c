/* SPDX-License-Identifier: ISC */
/*
 * Shows: names, key tags, key sizes, DS digests and the order of keys are
 * those of the RFCs, for every algorithm.  Matters: a tag or DS that is off by
 * one byte is another key to the rest of the world.
 */
#include "unit.h"

#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/hex.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"
#include "lib/dns/dnskey.h"
#include "lib/dns/ds.h"
#include "lib/dns/name.h"
#include "lib/dns/rrsig.h"

static struct dnskey make_key(
	uint16_t flags, uint8_t algorithm, const char *base64)
{
	struct dnskey key = {
		.flags = flags, .protocol = 3, .algorithm = algorithm};
	struct err err = ERR_EMPTY;

	assert_true(base64_decode(base64, &key.public_key, &err));
	return key;
}

static void name_good_wired(void **state)
{
	static const struct {
		const char *text;
		const char *wire;
		size_t len;
		uint8_t labels;
	} cases[] = {{".", "", 1, 0}, {"example.", "\7example", 9, 1},
		{"EXAMPLE", "\7example", 9, 1},
		{"a.b-c.D_e.", "\1a\3b-c\3d_e", 11, 3},
		/* RFC 2317 */
		{"0/25.a.", "\0040/25\1a", 8, 2}};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf wire = BUF_EMPTY;
		uint8_t labels = 99;

		assert_true(name_wire(cases[i].text, &wire, &err));
		assert_int_equal(wire.len, cases[i].len);
		assert_memory_equal(wire.data, cases[i].wire, wire.len);
		assert_true(name_labels(cases[i].text, &labels, &err));
		assert_int_equal(labels, cases[i].labels);
		buf_free(&wire);
	}
	assert_true(name_equal("Example", "example."));
	assert_false(name_equal("example.", "."));
}

static void name_bad_refused(void **state)
{
	static const char *const bad[] = {"", "..", ".a", "a..b", "a b", "a\n",
		"\\046", "a\\b", "\xc3\xa4",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."};
	struct buf wire = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(name_wire(bad[i], &wire, &err));
	assert_int_equal(wire.len, 0);
	assert_false(name_equal("..", ".."));
	buf_free(&wire);
}

/* The examples of RFC 6605 §6 and RFC 8080 §6: key, tag, DS (SHA-256). */
static const struct {
	uint8_t algorithm;
	const char *key;
	uint16_t tag;
	const char *owner;
	const char *ds;
} rfc_keys[] = {
	{13, "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
		55648, "example.net.",
		"b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17"},
	{15, "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", 3613,
		"example.com.",
		"3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b"},
	{16, "3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA",
		9713, "example.com.",
		"6ccf18d5bc5d7fc2fceb1d59d17321402f2aa8d368048db93dd811f5cb2b19c7"},
};

static void dnskey_rfc_examples_tagged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rfc_keys) / sizeof(rfc_keys[0]); i++) {
		struct dnskey key =
			make_key(257, rfc_keys[i].algorithm, rfc_keys[i].key);

		assert_int_equal(dnskey_tag(&key), rfc_keys[i].tag);
		dnskey_free(&key);
	}
}

static void ds_rfc_examples_digested(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rfc_keys) / sizeof(rfc_keys[0]); i++) {
		struct dnskey key =
			make_key(257, rfc_keys[i].algorithm, rfc_keys[i].key);
		struct buf owner = BUF_EMPTY, text = BUF_EMPTY;
		uint8_t digest[CRYPTO_DIGEST_MAX];
		struct err err = ERR_EMPTY;
		size_t len = 0;

		assert_true(name_wire(rfc_keys[i].owner, &owner, &err));
		assert_true(
			crypto_ds(&key, &owner, DS_SHA256, digest, &len, &err));
		hex_encode(&text, digest, len);
		assert_string_equal(buf_string(&text), rfc_keys[i].ds);
		buf_free(&text);
		buf_free(&owner);
		dnskey_free(&key);
	}
}

static void dnskey_revoke_changes_tag_by_128(void **state)
{
	struct dnskey key =
		make_key(257, rfc_keys[0].algorithm, rfc_keys[0].key);
	uint16_t before = dnskey_tag(&key);

	(void)state;
	key.flags = DNSKEY_FLAGS_KSK_REVOKED;
	assert_int_equal(dnskey_tag(&key), before + 128);
	dnskey_free(&key);
}

static void dnskey_rsa_fields_read(void **state)
{
	/* exponent 65537, modulus c5 .. 01, 16 bits */
	struct dnskey key = make_key(256, 8, "AwEAAcUB");
	struct err err = ERR_EMPTY;
	struct dnskey_rsa rsa;
	unsigned bits = 0;

	(void)state;
	assert_true(dnskey_rsa(&key, &rsa, &err));
	assert_int_equal(rsa.exponent_value, 65537);
	assert_int_equal(rsa.modulus_len, 2);
	assert_true(dnskey_size(&key, &bits, &err));
	assert_int_equal(bits, 16);
	dnskey_free(&key);
}

static void dnskey_malformed_refused(void **state)
{
	static const struct {
		uint8_t algorithm;
		const char *key;
	} bad[] = {{8, ""}, {8, "AwEAAQ=="}, {8, "BAABAAHFAQ=="},
		{8, "AwEAAQDFAQ=="}, {8, "AwEAAcUC"}, {8, "AAADAQABxQE="},
		{13, "AAAA"}, {15, "AAAA"}, {5, "AwEAAcUB"}, {99, "AwEAAcUB"}};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dnskey key = make_key(257, bad[i].algorithm, bad[i].key);
		unsigned bits = 7;

		assert_false(dnskey_size(&key, &bits, &err));
		assert_int_equal(bits, 7);
		dnskey_free(&key);
	}
}

static void rrsig_order_and_duplicates_do_not_matter(void **state)
{
	struct dnskey a = make_key(256, 15, rfc_keys[1].key);
	struct dnskey b = make_key(257, 15, rfc_keys[1].key);
	const struct dnskey *one[] = {&a, &b}, *two[] = {&b, &a, &b};
	struct rrsig sig = {.type_covered = DNSKEY_TYPE, .algorithm = 15};
	struct buf owner = BUF_EMPTY, data1 = BUF_EMPTY, data2 = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_true(name_wire(".", &owner, &err));
	assert_true(name_wire(".", &sig.signer, &err));
	assert_true(rrsig_signed_data(&sig, &owner, one, 2, &data1, &err));
	assert_true(rrsig_signed_data(&sig, &owner, two, 3, &data2, &err));
	assert_true(buf_equal(&data1, &data2));
	assert_int_equal(data1.len, 18 + 1 + 2 * (1 + 10 + 4 + 32));
	buf_free(&data1);
	buf_free(&data2);
	buf_free(&owner);
	rrsig_free(&sig);
	dnskey_free(&a);
	dnskey_free(&b);
}

static void algorithm_table_consistent(void **state)
{
	static const uint8_t supported[] = {8, 10, 13, 14, 15, 16};
	static const uint8_t deprecated[] = {1, 3, 5, 6, 7, 12};

	(void)state;
	for (size_t i = 0; i < sizeof(supported); i++) {
		const struct algorithm *alg = algorithm_by_number(supported[i]);

		assert_true(algorithm_is_supported(alg));
		assert_false(algorithm_is_deprecated(supported[i]));
		assert_ptr_equal(algorithm_by_name(alg->name), alg);
	}
	for (size_t i = 0; i < sizeof(deprecated); i++)
		assert_true(algorithm_is_deprecated(deprecated[i]));
	assert_null(algorithm_by_number(99));
	assert_null(algorithm_by_number(264)); /* 8 when cut to a byte */
	assert_string_equal(algorithm_name(2), "unknown");
}

/* The bytes of RFC 4034 appendix A.1.1, written down once more. */
static const uint8_t mldsa44[] = {
	11, 0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x11};

/* What a number means that is anybody's is only known where it was asked for.
 */
static void algorithm_of_an_experiment_is_known_in_one(void **state)
{
	const struct algorithm *alg;

	(void)state;
	assert_null(algorithm_by_number(254));
	assert_null(algorithm_by_name("EXPERIMENT-MLDSA44"));
	assert_string_equal(algorithm_name(254), "unknown");
	experiment_set(true);
	alg = algorithm_by_number(254);
	assert_true(algorithm_is_supported(alg));
	assert_ptr_equal(algorithm_by_name("EXPERIMENT-MLDSA44"), alg);
	assert_int_equal(algorithm_prefix(alg), sizeof(mldsa44));
	assert_memory_equal(alg->oid, mldsa44, sizeof(mldsa44));
	assert_int_equal(algorithm_prefix(algorithm_by_number(8)), 0);
	assert_null(algorithm_by_number(253));
	assert_null(algorithm_by_number(99));
	experiment_set(false);
	assert_null(algorithm_by_number(254));
}

/* A key of 254 is one only behind its identifier, and with all its bytes. */
static void dnskey_of_an_experiment_begins_with_its_identifier(void **state)
{
	static const struct {
		size_t len, spoilt; /* no byte: SIZE_MAX */
		const char *message;
	} cases[] = {
		{1324, SIZE_MAX, NULL},
		{1324, 1323, NULL}, /* no part of the identifier */
		{1324, 0, "does not begin with the algorithm's identifier"},
		{1324, 1, "does not begin with the algorithm's identifier"},
		{1324, 11, "does not begin with the algorithm's identifier"},
		{1323, SIZE_MAX, "public key of 1323 bytes, expected 1324"},
		{1325, SIZE_MAX, "public key of 1325 bytes, expected 1324"},
		{1312, SIZE_MAX, "public key of 1312 bytes, expected 1324"},
		{11, SIZE_MAX, "public key of 11 bytes, expected 1324"},
	};
	uint8_t bytes[1325] = {0};

	(void)state;
	memcpy(bytes, mldsa44, sizeof(mldsa44));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dnskey key = {.flags = 256,
			.protocol = 3,
			.algorithm = 254,
			.public_key = {.data = bytes, .len = cases[i].len}};
		struct err err = ERR_EMPTY;
		unsigned bits = 0;

		if (cases[i].spoilt != SIZE_MAX)
			bytes[cases[i].spoilt] ^= 1;
		assert_false(dnskey_size(&key, &bits, &err));
		assert_string_equal(
			err.text, "unsupported algorithm 254 (unknown)");
		experiment_set(true);
		err = (struct err)ERR_EMPTY;
		assert_int_equal(dnskey_size(&key, &bits, &err),
			cases[i].message == NULL);
		if (cases[i].message == NULL)
			assert_int_equal(bits, 8 * 1312);
		else
			assert_non_null(strstr(err.text, cases[i].message));
		experiment_set(false);
		if (cases[i].spoilt != SIZE_MAX)
			bytes[cases[i].spoilt] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_good_wired),
		cmocka_unit_test(name_bad_refused),
		cmocka_unit_test(dnskey_rfc_examples_tagged),
		cmocka_unit_test(ds_rfc_examples_digested),
		cmocka_unit_test(dnskey_revoke_changes_tag_by_128),
		cmocka_unit_test(dnskey_rsa_fields_read),
		cmocka_unit_test(dnskey_malformed_refused),
		cmocka_unit_test(rrsig_order_and_duplicates_do_not_matter),
		cmocka_unit_test(algorithm_table_consistent),
		cmocka_unit_test(algorithm_of_an_experiment_is_known_in_one),
		cmocka_unit_test(
			dnskey_of_an_experiment_begins_with_its_identifier),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
