/* SPDX-License-Identifier: ISC */
/*
 * Shows: for every algorithm a generated key signs, the signature verifies,
 * and any change of data, signature or key is refused.  Matters: this is the
 * one place that says whether a signature is good.
 */
#include "unit.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"
#include "lib/hash/sha256.h"

static const uint8_t algorithms[] = {8, 10, 13, 14, 15, 16};

static void key_sign_verifies(void **state)
{
	struct crypto_cache *cache = NULL;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_true(crypto_cache_new(&cache, &err));
	for (size_t i = 0; i < sizeof(algorithms); i++) {
		struct buf data = BUF_EMPTY, sig = BUF_EMPTY;
		struct dnskey pub = DNSKEY_EMPTY;
		struct crypto_key *key = NULL;

		buf_text(&data, "what is signed");
		assert_true(
			crypto_key_generate(algorithms[i], 1024, &key, &err));
		assert_true(crypto_key_dnskey(key, 257, &pub, &err));
		assert_true(crypto_key_sign(key, &data, &sig, &err));
		assert_true(crypto_verify(NULL, &pub, &data, &sig, &err));
		assert_true(crypto_verify(cache, &pub, &data, &sig, &err));
		assert_true(crypto_verify(cache, &pub, &data, &sig, &err));
		data.data[3] ^= 1;
		assert_false(crypto_verify(cache, &pub, &data, &sig, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		data.data[3] ^= 1;
		sig.data[5] ^= 1;
		assert_false(crypto_verify(cache, &pub, &data, &sig, &err));
		sig.data[5] ^= 1;
		sig.len--;
		assert_false(crypto_verify(cache, &pub, &data, &sig, &err));
		sig.len++;
		pub.public_key.data[9] ^= 1;
		assert_false(crypto_verify(cache, &pub, &data, &sig, &err));
		crypto_key_free(key);
		dnskey_free(&pub);
		buf_free(&data);
		buf_free(&sig);
	}
	crypto_cache_free(cache);
}

static void key_write_reads_back(void **state)
{
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(algorithms); i++) {
		struct dnskey pub = DNSKEY_EMPTY, again = DNSKEY_EMPTY;
		struct crypto_key *key = NULL, *copy = NULL;
		struct buf der = BUF_EMPTY;

		assert_true(
			crypto_key_generate(algorithms[i], 1024, &key, &err));
		assert_true(crypto_key_write(key, &der, &err));
		assert_true(crypto_key_read(algorithms[i], &der, &copy, &err));
		assert_true(crypto_key_dnskey(key, 256, &pub, &err));
		assert_true(crypto_key_dnskey(copy, 256, &again, &err));
		assert_int_equal(dnskey_compare(&pub, &again), 0);
		crypto_key_free(key);
		crypto_key_free(copy);
		/* Not a key of another family. */
		copy = NULL;
		assert_false(crypto_key_read(
			algorithms[i] == 15 ? 13 : 15, &der, &copy, &err));
		assert_null(copy);
		dnskey_free(&pub);
		dnskey_free(&again);
		buf_free(&der);
	}
}

static void key_bad_parameters_refused(void **state)
{
	struct crypto_key *key = NULL;
	struct buf junk = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_false(crypto_key_generate(8, 512, &key, &err));
	assert_false(crypto_key_generate(8, 8192, &key, &err));
	assert_false(crypto_key_generate(5, 2048, &key, &err));
	buf_text(&junk, "not a key");
	assert_false(crypto_key_read(8, &junk, &key, &err));
	assert_null(key);
	buf_free(&junk);
}

static void verify_point_off_curve_refused(void **state)
{
	struct dnskey key = {.flags = 257, .protocol = 3, .algorithm = 13};
	struct buf data = BUF_EMPTY, sig = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	for (int i = 0; i < 64; i++) {
		buf_u8(&key.public_key, (uint8_t)i);
		buf_u8(&sig, 1);
	}
	assert_false(crypto_verify(NULL, &key, &data, &sig, &err));
	dnskey_free(&key);
	buf_free(&sig);
}

static void sha256_pieces_equal_whole(void **state)
{
	/* FIPS 180-2 appendix B.1 */
	static const char expected[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	uint8_t whole[SHA256_LEN], pieces[SHA256_LEN];
	struct sha256 *hash = NULL;
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_true(sha256_of("abc", 3, whole, &err));
	hex_encode(&text, whole, sizeof(whole));
	assert_string_equal(buf_string(&text), expected);
	assert_true(sha256_new(&hash, &err));
	assert_true(sha256_update(hash, "a", 1, &err));
	assert_true(sha256_update(hash, "bc", 2, &err));
	assert_true(sha256_final(hash, pieces, &err));
	assert_memory_equal(whole, pieces, sizeof(whole));
	sha256_free(hash);
	buf_free(&text);
}

static void digest_lengths_by_algorithm(void **state)
{
	static const struct {
		uint8_t algorithm;
		size_t len;
	} cases[] = {{8, 32}, {10, 64}, {13, 32}, {14, 48}};
	uint8_t digest[CRYPTO_DIGEST_MAX];
	struct buf data = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	size_t len = 0;

	(void)state;
	buf_text(&data, "abc");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(crypto_digest(
			cases[i].algorithm, &data, digest, &len, &err));
		assert_int_equal(len, cases[i].len);
	}
	assert_false(crypto_digest(15, &data, digest, &len, &err));
	assert_false(crypto_digest(5, &data, digest, &len, &err));
	buf_free(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_sign_verifies),
		cmocka_unit_test(key_write_reads_back),
		cmocka_unit_test(key_bad_parameters_refused),
		cmocka_unit_test(verify_point_off_curve_refused),
		cmocka_unit_test(sha256_pieces_equal_whole),
		cmocka_unit_test(digest_lengths_by_algorithm),
	};

	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
