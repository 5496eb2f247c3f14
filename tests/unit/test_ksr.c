/* SPDX-License-Identifier: ISC */
/*
 * Shows: published responses read and written again are the same bytes; every
 * signature in the reference requests and responses covers the data that the
 * reference vectors say; hostile documents are refused with the line.
 * Matters: what is written here is what the root zone publishes.
 */
#include "unit.h"

#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/crypto/crypto.h"
#include "lib/hash/sha256.h"
#include "lib/ksr/ksr.h"

static struct xml_schema *schema;

static int setup(void **state)
{
	struct err err = ERR_EMPTY;

	(void)state;
	return xml_schema_new(&schema, &err) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	xml_schema_free(schema);
	return 0;
}

static struct ksr *read_path(const char *path, enum ksr_kind kind)
{
	struct buf bytes = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	struct ksr *ksr = NULL;

	assert_true(file_read(path, KSR_SIZE_DEFAULT, &bytes, &err));
	if (!ksr_read(schema, bytes.data, bytes.len, kind, &ksr, &err))
		fail_msg("%s: %s", path, err.text);
	buf_free(&bytes);
	return ksr;
}

static void write_gives_same_bytes(const char *path)
{
	struct ksr *ksr = read_path(path, KSR_RESPONSE);
	struct buf file = BUF_EMPTY, written = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	assert_true(file_read(path, KSR_SIZE_DEFAULT, &file, &err));
	assert_true(ksr_write(ksr, &written, &err));
	assert_string_equal(buf_string(&written), buf_string(&file));
	buf_free(&file);
	buf_free(&written);
	ksr_free(ksr);
}

static void response_published_written_identically(void **state)
{
	(void)state;
	write_gives_same_bytes(DATA("production/skr-root-2017-q1-0.xml"));
	write_gives_same_bytes(DATA("production/skr-root-2017-q2-0.xml"));
	write_gives_same_bytes(DATA("test-quarters/skr-root-2009-q4-2.xml"));
	write_gives_same_bytes(DATA("test-quarters/skr-root-2010-q1-0.xml"));
}

/* One line of vectors/rrsig.tsv, checked where its file is the wanted one. */
static int check_vector(char *line, const char *file, const struct ksr *ksr)
{
	char *fields[11], *rest = line;
	struct buf data = BUF_EMPTY, text = BUF_EMPTY, sig64 = BUF_EMPTY;
	uint8_t hash[SHA256_LEN];
	struct err err = ERR_EMPTY;
	int found = 0;

	for (int i = 0; i < 11; i++)
		fields[i] = strsep(&rest, "\t\n");
	if (fields[10] == NULL || strcmp(fields[0], file) != 0)
		return 0;
	for (size_t b = 0; b < ksr->bundle_count; b++) {
		const struct ksr_bundle *bundle = &ksr->bundles[b];

		if (strcmp(bundle->id, fields[2]) != 0)
			continue;
		for (size_t s = 0; s < bundle->signature_count; s++) {
			const struct ksr_signature *sig =
				&bundle->signatures[s];

			if (strcmp(sig->identifier, fields[3]) != 0)
				continue;
			found++;
			buf_clear(&data);
			buf_clear(&text);
			buf_clear(&sig64);
			assert_true(ksr_signed_data(
				bundle, sig, ksr->domain, &data, &err));
			assert_true(sha256_of(data.data, data.len, hash, &err));
			hex_encode(&text, hash, sizeof(hash));
			assert_string_equal(buf_string(&text), fields[8]);
			base64_encode(&sig64, sig->signature.data,
				sig->signature.len);
			assert_string_equal(buf_string(&sig64), fields[10]);
			assert_non_null(ksr_signature_key(bundle, sig));
			if (!crypto_verify(NULL,
				    &ksr_signature_key(bundle, sig)->dnskey,
				    &data, &sig->signature, &err))
				fail_msg("%s: %s", fields[2], err.text);
		}
	}
	buf_free(&data);
	buf_free(&text);
	buf_free(&sig64);
	return found;
}

static int check_vectors(const char *path, const char *file, enum ksr_kind kind)
{
	FILE *vectors = fopen(DATA("vectors/rrsig.tsv"), "r");
	struct ksr *ksr = read_path(path, kind);
	char line[4096];
	int found = 0;

	assert_non_null(vectors);
	while (fgets(line, sizeof(line), vectors) != NULL)
		found += check_vector(line, file, ksr);
	fclose(vectors);
	ksr_free(ksr);
	return found;
}

static void signed_data_matches_vectors(void **state)
{
	(void)state;
	assert_int_equal(
		check_vectors(DATA("test-quarters/ksr-root-2009-q4-2.xml"),
			"ksr-root-2009-q4-2.xml", KSR_REQUEST),
		7);
	assert_int_equal(
		check_vectors(DATA("test-quarters/skr-root-2009-q4-2.xml"),
			"skr-root-2009-q4-2.xml", KSR_RESPONSE),
		6);
	assert_int_equal(
		check_vectors(DATA("production/ksr-root-2017-q2-0.xml"),
			"ksr-root-2017-q2-0.xml", KSR_REQUEST),
		11);
	assert_int_equal(
		check_vectors(DATA("production/skr-root-2017-q2-0.xml"),
			"skr-root-2017-q2-0.xml", KSR_RESPONSE),
		9);
}

/* A document of our own, with %s where a mutation goes. */
#define REQUEST(head, body)                                                    \
	head "<KSR id=\"i\" domain=\".\" "                                     \
	     "serial=\"1\"><Request><RequestPolicy>"                           \
	     "<ZSK><PublishSafety>P10D</PublishSafety>"                        \
	     "<RetireSafety>P10D</RetireSafety>"                               \
	     "<MaxSignatureValidity>P21D</MaxSignatureValidity>"               \
	     "<MinSignatureValidity>P21D</MinSignatureValidity>"               \
	     "<MaxValidityOverlap>P12D</MaxValidityOverlap>"                   \
	     "<MinValidityOverlap>P9D</MinValidityOverlap>"                    \
	     "<SignatureAlgorithm algorithm=\"15\"><EdDSA size=\"256\"/>"      \
	     "</SignatureAlgorithm></ZSK></RequestPolicy>" body                \
	     "</Request></KSR>"
#define BUNDLE(inception, ttl, key)                                            \
	"<RequestBundle id=\"b" inception "\"><Inception>" inception           \
	"</Inception><Expiration>2010-04-22T00:00:00</Expiration>"             \
	"<Key keyIdentifier=\"k\" keyTag=\"00042\"><TTL>" ttl                  \
	"</TTL><Flags>256</Flags><Protocol>3</Protocol>"                       \
	"<Algorithm>15</Algorithm><PublicKey>" key "</PublicKey></Key>"        \
	"<Signature keyIdentifier=\"k\"><TTL>1</TTL>"                          \
	"<TypeCovered>DNSKEY</TypeCovered><Algorithm>15</Algorithm>"           \
	"<Labels>0</Labels><OriginalTTL>1</OriginalTTL>"                       \
	"<SignatureExpiration>2010-04-22T00:00:00Z</SignatureExpiration>"      \
	"<SignatureInception>2010-04-01T00:00:00+00:00</SignatureInception>"   \
	"<KeyTag>42</KeyTag><SignersName>.</SignersName>"                      \
	"<SignatureData>AAAA</SignatureData></Signature></RequestBundle>"
#define B1 BUNDLE("2010-04-01T00:00:00", "1", "AAAA")

static bool read_text(const char *text, struct ksr **out, struct err *err)
{
	return ksr_read(schema, text, strlen(text), KSR_REQUEST, out, err);
}

static void request_written_otherwise_accepted(void **state)
{
	static const char *const good[] = {
		REQUEST("", B1),
		REQUEST("<?xml version='1.0'?>\r\n", B1),
		REQUEST("<?xml version='1.0' encoding='utf-8' standalone='yes'?>",
			B1),
		REQUEST("\xef\xbb\xbf", B1),
		REQUEST("<!-- <KSR> --><?pi x?>", B1),
		REQUEST("", BUNDLE("2010-04-01T00:00:00", " \n1 ", "AA\n AA")),
		REQUEST("", BUNDLE("2010-04-01T00:00:00", "<![CDATA[1]]>",
				    "A<!-- -->AAA")),
		REQUEST("", BUNDLE("2010-04-01T00:00:00", "&#49;", "AAAA")),
		REQUEST("", " \n" B1 "\n <!-- a --> \n<?b c?>\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct err err = ERR_EMPTY;
		struct ksr *ksr = NULL;

		if (!read_text(good[i], &ksr, &err))
			fail_msg("%zu: %s", i, err.text);
		assert_int_equal(ksr->bundles[0].keys[0].ttl, 1);
		assert_int_equal(ksr->bundles[0].keys[0].tag, 42);
		assert_int_equal(
			ksr->bundles[0].keys[0].dnskey.public_key.len, 3);
		ksr_free(ksr);
	}
}

static void request_hostile_refused(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{"", "empty"},
		{"  \n", "empty"},
		{"KSR", "does not begin"},
		{"<KSR", "not well-formed"},
		{"<KSR/>", "not valid"},
		{"<KSR><a/></KSR><KSR/>", "not well-formed"},
		{REQUEST("<!-- -- -->", B1), "not well-formed"},
		{REQUEST("<!DOCTYPE KSR>", B1), "document type"},
		{REQUEST("<!DOCTYPE KSR [<!ENTITY a 'b'>]>", B1),
			"document type"},
		{REQUEST("<?xml version='1.0' encoding='iso-8859-1'?>", B1),
			"expected UTF-8"},
		{REQUEST("<?xml version='1.0' encoding='utf-16'?>", B1), ""},
		{REQUEST("", ""), "not valid"},
		{REQUEST("", B1 "<x/>"), "not valid"},
		{REQUEST("", B1 " x"), "not valid"},
		{REQUEST("", BUNDLE("2010-04-01T00:00:00", " ", "AAAA")), ""},
		{REQUEST("", BUNDLE("2010-04-01T00:00:00",
				     "1<!-- --> <!-- -->1", "AAAA")),
			""},
		{REQUEST("", BUNDLE("2010-04-01T00:00:00", "x", "AAAA")),
			"line 1"},
		{REQUEST("", BUNDLE("2010-04-01T00:00:00", "+1", "AAAA")), ""},
		{REQUEST("", BUNDLE("2010-04-01T00:00:00", "&a;", "AAAA")),
			"not well-formed"},
		{REQUEST("", BUNDLE("2010-04-01T00:00:00", "1", "A")), ""},
		{REQUEST("", BUNDLE("2010-04-01T00:00:00", "1", "")), ""},
		{REQUEST("", BUNDLE("2010-04-01T00:00:00+02:00", "1", "AAAA")),
			"not a time"},
		{REQUEST("", BUNDLE("2010-04-01 00:00:00", "1", "AAAA")), ""},
		{REQUEST("", BUNDLE("2110-04-01T00:00:00", "1", "AAAA")),
			"2106"},
		{"<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>",
			"nested deeper"},
		{"<k:KSR xmlns:k='x'/>", "not valid"},
		{"<KSR id='\xff'/>", "not well-formed"},
		{"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/passwd'/>",
			"not valid"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_EMPTY;
		struct ksr *ksr = NULL;

		if (read_text(bad[i].text, &ksr, &err))
			fail_msg("accepted: %s", bad[i].text);
		assert_null(ksr);
		assert_int_equal(err.kind, ERR_INPUT);
		if (strstr(err.text, bad[i].says) == NULL)
			fail_msg("%zu: \"%s\" does not say \"%s\"", i, err.text,
				bad[i].says);
	}
}

/* The request, with an attribute more. */
static bool read_with(const char *attribute, struct ksr **out, struct err *err)
{
	static const char text[] = REQUEST("", B1);
	static const char tag[] = "<Request>";
	const char *at = strstr(text, tag);
	struct buf all = BUF_EMPTY;
	bool ok;

	buf_bytes(&all, text, (size_t)(at - text));
	buf_format(&all, "<Request %s>%s", attribute, at + sizeof(tag) - 1);
	ok = read_text(buf_string(&all), out, err);
	buf_free(&all);
	return ok;
}

static void timestamp_good_kept_as_written(void **state)
{
	static const char *const good[] = {"2010-01-01T00:00:00",
		"2010-01-01T00:00:00Z", "2010-01-01T00:00:00.000Z",
		"2010-12-31T23:59:59+00:00"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char attribute[64];
		struct err err = ERR_EMPTY;
		struct ksr *ksr = NULL;

		snprintf(attribute, sizeof(attribute), "timestamp='%s'",
			good[i]);
		if (!read_with(attribute, &ksr, &err))
			fail_msg("%s: %s", good[i], err.text);
		assert_string_equal(ksr->timestamp, good[i]);
		ksr_free(ksr);
	}
}

static void timestamp_bad_refused(void **state)
{
	static const char *const bad[] = {"", " ", "now", "2010-01-01",
		"2010-01-01 00:00:00", "2010-13-01T00:00:00",
		"2010-02-29T00:00:00", "2010-01-01T24:00:00",
		"2010-01-01T00:00:00.5", "2010-01-01T00:00:00+01:00",
		"1969-12-31T23:59:59", "12010-01-01T00:00:00",
		"2010-01-01T00:00:00Z2010-01-01T00:00:00Z"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char attribute[64];
		struct err err = ERR_EMPTY;
		struct ksr *ksr = NULL;

		snprintf(
			attribute, sizeof(attribute), "timestamp='%s'", bad[i]);
		if (read_with(attribute, &ksr, &err))
			fail_msg("accepted: %s", bad[i]);
		assert_null(ksr);
		assert_int_equal(err.kind, ERR_INPUT);
		if (strstr(err.text, "line 1") == NULL ||
			strstr(err.text, "timestamp") == NULL)
			fail_msg("%s: %s", bad[i], err.text);
	}
}

static void request_bundles_sorted_by_inception(void **state)
{
	struct err err = ERR_EMPTY;
	struct ksr *ksr = NULL;

	(void)state;
	assert_true(read_text(
		REQUEST("", BUNDLE("2010-04-11T00:00:00", "1", "AAAA") B1),
		&ksr, &err));
	assert_true(ksr->reordered);
	assert_string_equal(ksr->bundles[0].id, "b2010-04-01T00:00:00");
	ksr_free(ksr);
}

static void response_expected_request_refused(void **state)
{
	static const char text[] = REQUEST("", B1);
	struct err err = ERR_EMPTY;
	struct ksr *ksr = NULL;

	(void)state;
	assert_false(ksr_read(
		schema, text, sizeof(text) - 1, KSR_RESPONSE, &ksr, &err));
	assert_non_null(strstr(err.text, "a request, expected a response"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(response_published_written_identically),
		cmocka_unit_test(signed_data_matches_vectors),
		cmocka_unit_test(request_written_otherwise_accepted),
		cmocka_unit_test(request_hostile_refused),
		cmocka_unit_test(timestamp_good_kept_as_written),
		cmocka_unit_test(timestamp_bad_refused),
		cmocka_unit_test(request_bundles_sorted_by_inception),
		cmocka_unit_test(response_expected_request_refused),
	};

	return cmocka_run_group_tests_name("ksr", tests, setup, teardown);
}
