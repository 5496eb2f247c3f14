/* SPDX-License-Identifier: ISC */
/*
 * Shows the PKCS#11 door at work on SoftHSM: tokens are found and described,
 * keys of every kind are made, found, turned into DNSKEYs, sign so that
 * OpenSSL agrees, and are destroyed; wrong PINs, unknown labels and
 * unsuitable algorithms are refused.  What a module does on purpose wrong is
 * shown by tests/cli/test_faulty.py.
 */
#include "unit.h"

#include "lib/base/buf.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"
#include "signer/token/token.h"

#include <unistd.h>

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define PIN "1234"

/*
 * Under the sanitizers: SoftHSM 2.6 leaks a few bytes for each Edwards key it
 * loads.  Whole stacks are needed to see that a leak is its own.
 */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_suppressions(void)
{
	return "leak:libsofthsm2.so";
}

struct fixture {
	char folder[64];
	struct config_variable variable;
	struct config_hsm hsm;
	struct token_set *set;
};

/* Run a shell script in the fixture's folder, where its SoftHSM lives. */
static bool choose(const struct token_set *set, const char *label,
	struct token **out, struct err *err)
{
	const struct token_choice choice = {.label = label};

	return token_set_choose(set, &choice, out, err);
}

static void run(const struct fixture *f, const char *script)
{
	char command[1024];

	snprintf(command, sizeof(command),
		"cd '%s' && export SOFTHSM2_CONF=conf && %s", f->folder,
		script);
	assert_int_equal(system(command), 0);
}

static void open_set(struct fixture *f)
{
	struct err err = ERR_EMPTY;

	if (!token_set_open(&f->hsm, 1, &f->set, &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char conf[128];
	struct err err = ERR_EMPTY;
	FILE *out;

	assert_non_null(f);
	if (access(MODULE, R_OK) != 0)
		fail_msg("%s is missing", MODULE);
	strcpy(f->folder, "/tmp/test_token.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(conf, sizeof(conf), "%s/conf", f->folder);
	out = fopen(conf, "w");
	assert_non_null(out);
	fprintf(out, "directories.tokendir = %s\nlog.level = ERROR\n",
		f->folder);
	fclose(out);
	run(f, "softhsm2-util --init-token --free --label unit --pin " PIN
	       " --so-pin 9876 >/dev/null");
	f->variable.name = strdup("SOFTHSM2_CONF");
	f->variable.value = strdup(conf);
	f->hsm.name = strdup("soft");
	f->hsm.module = strdup(MODULE);
	f->hsm.env = (struct config_env){&f->variable, 1};
	assert_true(secret_copy(PIN, strlen(PIN), &f->hsm.pin, &err));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	token_set_close(f->set);
	run(f, "rm -rf \"$PWD\"");
	free(f->variable.name);
	free(f->variable.value);
	free(f->hsm.name);
	free(f->hsm.module);
	secret_free(f->hsm.pin);
	free(f);
	return 0;
}

static void tokens_are_found_and_described(void **state)
{
	struct fixture *f = *state;
	const struct token_info *info = NULL;
	struct token *token = NULL;
	struct err err = ERR_EMPTY;

	open_set(f);
	/* The free slot that SoftHSM always shows is no token. */
	assert_int_equal(token_set_count(f->set), 1);
	assert_true(choose(f->set, "unit", &token, &err));
	assert_true(token_info(token, &info, &err));
	assert_string_equal(info->hsm, "soft");
	assert_string_equal(info->label, "unit");
	assert_string_equal(info->manufacturer, "SoftHSM project");
	assert_string_equal(info->model, "SoftHSM v2");
	assert_int_equal(strlen(info->serial), 16);
	assert_true(info->login_required);
	assert_false(info->logged_in);
	assert_true(token_set_login(f->set, NULL, NULL, &err));
	assert_true(token_info(token, &info, &err));
	assert_true(info->logged_in);
	assert_false(choose(f->set, "other", &token, &err));
}

/* Sign with a key and let OpenSSL verify; wrong data must not verify. */
static void sign_and_verify(
	const struct token_key *key, uint8_t algorithm, bool hash_in_hsm)
{
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct buf data = BUF_EMPTY, signature = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	buf_text(&data, "what is signed");
	if (!token_key_dnskey(key, 257, algorithm, &dnskey, &err) ||
		!token_sign(
			key, algorithm, hash_in_hsm, &data, &signature, &err) ||
		!crypto_verify(NULL, &dnskey, &data, &signature, &err))
		fail_msg("%s: %s", algorithm_name(algorithm), err.text);
	data.data[0] ^= 1;
	assert_false(crypto_verify(NULL, &dnskey, &data, &signature, &err));
	dnskey_free(&dnskey);
	buf_free(&data);
	buf_free(&signature);
}

static const struct kind {
	enum token_key_type type;
	uint32_t bits;
	uint8_t algorithm;
	const char *label;
} kinds[] = {
	{TOKEN_RSA, 2048, ALGORITHM_RSASHA256, "rsa"},
	{TOKEN_P256, 0, ALGORITHM_ECDSAP256SHA256, "p256"},
	{TOKEN_P384, 0, ALGORITHM_ECDSAP384SHA384, "p384"},
	{TOKEN_ED25519, 0, ALGORITHM_ED25519, "ed25519"},
	{TOKEN_ED448, 0, ALGORITHM_ED448, "ed448"},
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void generate_all(struct fixture *f)
{
	struct err err = ERR_EMPTY;

	assert_true(token_set_login(f->set, NULL, NULL, &err));
	for (size_t i = 0; i < KINDS; i++) {
		const struct token_key *key = NULL;

		if (!token_generate(token_set_token(f->set, 0), kinds[i].label,
			    kinds[i].type, kinds[i].bits, false, &key, &err))
			fail_msg("%s: %s", kinds[i].label, err.text);
		assert_int_equal(key->type, kinds[i].type);
		assert_true(key->has_private);
		assert_false(key->extractable);
	}
}

static void keys_of_each_kind_sign(void **state)
{
	struct fixture *f = *state;
	const struct token_key *key = NULL;
	struct token_labels labels = {.count = 0};
	struct err err = ERR_EMPTY;
	size_t nameless = 9;

	open_set(f);
	generate_all(f);
	/* A second opening finds what was made, and nothing remembered. */
	token_set_close(f->set);
	f->set = NULL;
	open_set(f);
	assert_true(token_set_login(f->set, NULL, NULL, &err));
	for (size_t i = 0; i < KINDS; i++) {
		assert_true(token_set_find(f->set, kinds[i].label, &key, &err));
		assert_non_null(key);
		sign_and_verify(key, kinds[i].algorithm, false);
	}
	assert_true(token_set_find(f->set, "rsa", &key, &err));
	assert_int_equal(key->bits, 2048);
	assert_int_equal(key->exponent, 65537);
	sign_and_verify(key, ALGORITHM_RSASHA256, true);
	sign_and_verify(key, ALGORITHM_RSASHA512, false);
	sign_and_verify(key, ALGORITHM_RSASHA512, true);
	assert_true(token_labels(
		token_set_token(f->set, 0), &labels, &nameless, &err));
	assert_int_equal(labels.count, KINDS);
	assert_string_equal(buf_string(&labels.list[0]), "ed25519");
	assert_string_equal(buf_string(&labels.list[4]), "rsa");
	assert_int_equal(nameless, 0);
	token_labels_free(&labels);
}

static void missing_mechanism_is_named(void **state)
{
	struct fixture *f = *state;
	const struct token_key *key = NULL;
	struct buf data = BUF_EMPTY, out = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	open_set(f);
	assert_true(token_set_login(f->set, NULL, NULL, &err));
	assert_true(token_generate(token_set_token(f->set, 0), "k", TOKEN_P256,
		0, false, &key, &err));
	buf_text(&data, "x");
	/* SoftHSM 2.6 has no ECDSA that makes the digest too. */
	assert_false(token_sign(
		key, ALGORITHM_ECDSAP256SHA256, true, &data, &out, &err));
	assert_int_equal(err.kind, ERR_HSM);
	assert_true(err.about_key);
	assert_non_null(strstr(err.text, "CKM_ECDSA_SHA256"));
	assert_false(
		token_sign(key, ALGORITHM_RSASHA256, false, &data, &out, &err));
	assert_non_null(
		strstr(err.text, "k is a key of P-256, not for RSASHA256"));
	assert_int_equal(out.len, 0);
	buf_free(&data);
	buf_free(&out);
}

static void absent_label_is_no_error(void **state)
{
	struct fixture *f = *state;
	static const struct token_key none;
	const struct token_key *key = &none;
	struct err err = ERR_EMPTY;

	open_set(f);
	assert_true(token_set_find(f->set, "nothing", &key, &err));
	assert_null(key);
}

static void label_in_use_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct token_key *key = NULL;
	struct token *token;
	struct err err = ERR_EMPTY;

	open_set(f);
	token = token_set_token(f->set, 0);
	assert_true(token_login(token, NULL, NULL, &err));
	assert_true(
		token_generate(token, "k", TOKEN_P256, 0, false, &key, &err));
	assert_false(
		token_generate(token, "k", TOKEN_P256, 0, false, &key, &err));
	assert_non_null(strstr(err.text, "a key labelled k already"));
	assert_false(
		token_generate(token, "r", TOKEN_RSA, 1024, false, &key, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_true(token_find(token, "k", &key, &err));
	assert_true(token_destroy(key, &err));
	assert_true(token_find(token, "k", &key, &err));
	assert_null(key);
}

/* Two keys of one label, as a careless import makes them. */
static void duplicate_label_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct token_key *key = NULL;
	struct err err = ERR_EMPTY;

	run(f, "for i in 1 2; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.pem 2>/dev/null && softhsm2-util --import k.pem --token unit --label twice --id 0$i --force --pin " PIN
	       " >/dev/null; done");
	open_set(f);
	assert_true(token_set_login(f->set, NULL, NULL, &err));
	assert_false(token_set_find(f->set, "twice", &key, &err));
	assert_int_equal(err.kind, ERR_HSM);
	assert_true(err.about_key);
	assert_non_null(strstr(err.text, "two public keys are labelled twice"));
}

/*
 * From the first token to the second, and the copy signs.  RSA and ECDSA only:
 * SoftHSM 2.6 does not wrap Edwards keys (CKR_KEY_NOT_WRAPPABLE).
 */
static void restored_key_signs(void **state)
{
	struct fixture *f = *state;
	const struct token_key *transport = NULL;
	struct dnskey public_half = DNSKEY_EMPTY;
	struct token *from = NULL, *to = NULL;
	struct err err = ERR_EMPTY;

	run(f, "softhsm2-util --init-token --free --label second --pin " PIN
	       " --so-pin 9876 >/dev/null");
	open_set(f);
	assert_int_equal(token_set_count(f->set), 2);
	assert_true(token_set_login(f->set, NULL, NULL, &err));
	assert_true(choose(f->set, "unit", &from, &err));
	assert_true(choose(f->set, "second", &to, &err));
	if (!token_generate_transport(to, "transport", &transport, &err))
		fail_msg("%s", err.text);
	assert_false(transport->extractable);
	assert_true(token_key_dnskey(
		transport, 0, ALGORITHM_RSASHA256, &public_half, &err));
	for (size_t i = 0; i < 3; i++) {
		const struct token_key *key = NULL, *copy = NULL;
		struct token_wrapped wrapped = {.key = BUF_EMPTY};

		if (!token_generate(from, kinds[i].label, kinds[i].type,
			    kinds[i].bits, true, &key, &err) ||
			!token_wrap(key, &public_half, &wrapped, &err) ||
			!token_unwrap(
				transport, &wrapped, key, false, &copy, &err))
			fail_msg("%s: %s", kinds[i].label, err.text);
		assert_ptr_equal(copy->token, to);
		assert_false(copy->extractable);
		assert_true(buf_equal(&copy->public_key, &key->public_key));
		sign_and_verify(copy, kinds[i].algorithm, false);
		/* Both slots have it now: one key, and it is found. */
		assert_true(token_set_find(f->set, kinds[i].label, &key, &err));
		assert_ptr_equal(key->token, token_set_token(f->set, 0));
		/* The label is taken, and the copy may not go further. */
		assert_false(token_unwrap(
			transport, &wrapped, key, false, &key, &err));
		assert_false(token_wrap(copy, &public_half, &wrapped, &err));
		assert_non_null(strstr(err.text, "never leaves its token"));
		token_wrapped_free(&wrapped);
	}
	dnskey_free(&public_half);
}

static void damaged_backup_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	const struct token_key *transport = NULL, *key = NULL, *copy = NULL;
	struct token_wrapped wrapped = {.key = BUF_EMPTY};
	struct dnskey public_half = DNSKEY_EMPTY;
	struct token *token;
	struct err err = ERR_EMPTY;

	open_set(f);
	token = token_set_token(f->set, 0);
	assert_true(token_login(token, NULL, NULL, &err));
	assert_true(
		token_generate_transport(token, "transport", &transport, &err));
	assert_true(
		token_generate(token, "k", TOKEN_P256, 0, true, &key, &err));
	assert_true(token_key_dnskey(
		transport, 0, ALGORITHM_RSASHA256, &public_half, &err));
	assert_true(token_wrap(key, &public_half, &wrapped, &err));
	assert_true(token_destroy(key, &err));
	wrapped.key.data[20] ^= 1;
	struct token_key like = {.label = (char *)"k", .type = TOKEN_P256};
	assert_false(
		token_unwrap(transport, &wrapped, &like, false, &copy, &err));
	assert_int_equal(err.kind, ERR_HSM);
	assert_true(token_find(token, "k", &copy, &err));
	assert_null(copy);
	token_wrapped_free(&wrapped);
	dnskey_free(&public_half);
}

static bool answer_wrong(void *context, const struct token_info *info,
	enum token_user user, struct secret **pin, struct err *err)
{
	assert_int_equal(user, TOKEN_USER);
	assert_string_equal(info->label, "unit");
	++*(int *)context;
	return secret_copy("wrong", 5, pin, err);
}

static void wrong_pin_is_tried_once(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_EMPTY;
	int asked = 0;

	secret_free(f->hsm.pin);
	f->hsm.pin = NULL;
	open_set(f);
	assert_false(token_set_login(f->set, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "no PIN is configured"));
	assert_false(token_set_login(f->set, answer_wrong, &asked, &err));
	assert_int_equal(asked, 1);
	assert_int_equal(err.kind, ERR_HSM);
	assert_non_null(strstr(err.text, "CKR_PIN_INCORRECT"));
}

static void changed_pin_opens(void **state)
{
	struct fixture *f = *state;
	struct token *token;
	struct secret *next = NULL, *officer = NULL;
	struct err err = ERR_EMPTY;

	assert_true(secret_copy("567890", 6, &next, &err));
	assert_true(secret_copy("9876", 4, &officer, &err));
	open_set(f);
	token = token_set_token(f->set, 0);
	assert_true(token_login(token, NULL, NULL, &err));
	assert_true(token_change_pin(token, f->hsm.pin, next, &err));
	token_set_close(f->set);
	f->set = NULL;
	open_set(f);
	token = token_set_token(f->set, 0);
	assert_false(token_login(token, NULL, NULL, &err));
	/* The security officer gives the old one back. */
	if (!token_reset_pin(token, officer, f->hsm.pin, &err))
		fail_msg("%s", err.text);
	token_set_close(f->set);
	f->set = NULL;
	open_set(f);
	assert_true(token_set_login(f->set, NULL, NULL, &err));
	secret_free(next);
	secret_free(officer);
}

static void bad_modules_are_refused(void **state)
{
	struct fixture *f = *state;
	struct config_hsm twice[2];
	struct err err = ERR_EMPTY;
	static const struct {
		const char *path, *message;
	} cases[] = {
		{"/nonexistent.so", "cannot load module"},
		{"libsofthsm2.so", "hsm.soft.module is not a path"},
		{"983451", "hsm.soft.module is not a path"},
		{"/lib/x86_64-linux-gnu/libm.so.6", "not a PKCS#11 module"},
	};

	twice[0] = twice[1] = f->hsm;
	assert_false(token_set_open(twice, 2, &f->set, &err));
	assert_non_null(strstr(err.text, "one process can start it once"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		twice[0].module = (char *)cases[i].path;
		assert_false(token_set_open(twice, 1, &f->set, &err));
		assert_int_equal(err.kind, ERR_HSM);
		assert_non_null(strstr(err.text, cases[i].message));
	}
	assert_false(token_set_open(NULL, 0, &f->set, &err));
	assert_int_equal(err.kind, ERR_USAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tokens_are_found_and_described),
		TEST(keys_of_each_kind_sign),
		TEST(missing_mechanism_is_named),
		TEST(absent_label_is_no_error),
		TEST(label_in_use_is_refused),
		TEST(duplicate_label_is_refused),
		TEST(restored_key_signs),
		TEST(damaged_backup_leaves_nothing),
		TEST(wrong_pin_is_tried_once),
		TEST(changed_pin_opens),
		TEST(bad_modules_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
