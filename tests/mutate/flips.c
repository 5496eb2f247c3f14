/* SPDX-License-Identifier: ISC */
/*
 * flips CONFIG KSR STEP ELEMENT...: flips each single bit of these elements'
 * text, and where the text is base64 or a time, of what it stands for; reads
 * the request and runs every check that needs no HSM, as ksrcheck does.
 * All bits in the first bundle, every STEP-th elsewhere.
 *
 * A flip must be refused, or leave the request what it was.  Whatever else is
 * printed, and the exit status is 1.  In process, because one flip takes a
 * millisecond so, and thirty as a program.
 */
#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/time.h"
#include "lib/config/config.h"
#include "signer/checks/check.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_READ ((size_t)1 << 26)

struct bench {
	struct config *config;
	struct xml_schema *schema;
	struct crypto_cache *cache;
	struct buf request;   /* as given */
	struct buf canonical; /* what it means */
	int64_t now;
	unsigned long tried, same, unreadable, refused, accepted;
};

static void must(bool ok, const struct err *err)
{
	if (ok)
		return;
	fprintf(stderr, "flips: %s\n", err->text);
	exit(2);
}

/* Names of domains are the same in any case, RFC 4343. */
static void lower(char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name + 'a' - 'A');
}

/* What the document means, as the bytes that the writer makes of it. */
static void meaning(struct ksr *ksr, struct buf *out)
{
	struct err err = ERR_EMPTY;

	must(ksr_sort(ksr, &err), &err);
	for (size_t i = 0; i < ksr->bundle_count; i++)
		for (size_t j = 0; j < ksr->bundles[i].signature_count; j++)
			lower(ksr->bundles[i].signatures[j].signers_name);
	must(ksr_write(ksr, out, &err), &err);
}

static bool is_refused(struct bench *bench, const struct ksr *request)
{
	struct check_context context = {.config = bench->config,
		.now = bench->now,
		.cache = bench->cache,
		.request = request,
		.no_previous = "flipping bits"};
	struct report report = REPORT_EMPTY;
	struct err err = ERR_EMPTY;
	bool failed;

	must(checks_run(&context, CHECK_REQUEST, &report, &err), &err);
	failed = report.failed;
	report_clear(&report);
	return failed;
}

static void try(struct bench *bench, const struct buf *text, const char *what)
{
	struct buf canonical = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	struct ksr *ksr = NULL;

	bench->tried++;
	if (!ksr_read(bench->schema, text->data, text->len, KSR_REQUEST, &ksr,
		    &err)) {
		bench->unreadable++;
		return;
	}
	if (is_refused(bench, ksr)) {
		bench->refused++;
		ksr_free(ksr);
		return;
	}
	meaning(ksr, &canonical);
	if (buf_equal(&canonical, &bench->canonical)) {
		bench->same++;
	} else {
		bench->accepted++;
		printf("accepted: %s\n", what);
	}
	buf_free(&canonical);
	ksr_free(ksr);
}

/* The request with new content in place of [start, end). */
static void splice(struct bench *bench, size_t start, size_t end,
	const void *data, size_t len, const char *what)
{
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	buf_bytes(&text, bench->request.data, start);
	buf_bytes(&text, data, len);
	buf_bytes(&text, bench->request.data + end, bench->request.len - end);
	must(buf_ok(&text, &err), &err);
	try(bench, &text, what);
	buf_free(&text);
}

static void flip_text(
	struct bench *bench, size_t start, size_t end, size_t step)
{
	struct buf text = BUF_EMPTY;
	char what[80];

	for (size_t bit = 0; bit < (end - start) * 8; bit += step) {
		buf_clear(&text);
		buf_bytes(&text, bench->request.data + start, end - start);
		text.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		snprintf(what, sizeof(what), "text, offset %zu, bit %zu",
			start + bit / 8, bit % 8);
		splice(bench, start, end, text.data, text.len, what);
	}
	buf_free(&text);
}

static void flip_base64(struct bench *bench, size_t start, size_t end,
	size_t step, const char *text)
{
	struct buf bytes = BUF_EMPTY, out = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	char what[80];

	must(base64_decode(text, &bytes, &err), &err);
	for (size_t bit = 0; bit < bytes.len * 8; bit += step) {
		bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		buf_clear(&out);
		base64_encode(&out, bytes.data, bytes.len);
		bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		snprintf(what, sizeof(what), "value, offset %zu, bit %zu",
			start, bit);
		splice(bench, start, end, out.data, out.len, what);
	}
	buf_free(&bytes);
	buf_free(&out);
}

static void flip_time(
	struct bench *bench, size_t start, size_t end, const char *text)
{
	struct err err = ERR_EMPTY;
	char out[TIME_TEXT_MAX], what[80];
	int64_t value = 0;

	must(time_parse(text, &value, &err), &err);
	for (int bit = 0; bit < 32; bit++) {
		time_format(value ^ (INT64_C(1) << bit), TIME_OFFSET, out);
		snprintf(what, sizeof(what), "time, offset %zu, bit %d", start,
			bit);
		splice(bench, start, end, out, strlen(out), what);
	}
}

static void flip_element(struct bench *bench, const char *name, size_t start,
	size_t end, size_t step)
{
	char *text =
		strndup((const char *)bench->request.data + start, end - start);

	assert(text != NULL);
	flip_text(bench, start, end, step);
	if (strcmp(name, "PublicKey") == 0 ||
		strcmp(name, "SignatureData") == 0)
		flip_base64(bench, start, end, step, text);
	else if (strstr(name, "nception") != NULL ||
		 strstr(name, "xpiration") != NULL)
		flip_time(bench, start, end, text);
	free(text);
}

/* Every element of that name. */
static void flip_all(struct bench *bench, const char *name, size_t step)
{
	const char *all = buf_string(&bench->request), *at = all;
	const char *second = strstr(all, "<RequestBundle");
	unsigned found = 0;
	char open[64];

	second = second != NULL ? strstr(second + 1, "<RequestBundle") : NULL;
	assert(second != NULL);
	snprintf(open, sizeof(open), "<%s>", name);
	while ((at = strstr(at, open)) != NULL) {
		const char *end;

		at += strlen(open);
		end = strchr(at, '<');
		assert(end != NULL);
		flip_element(bench, name, (size_t)(at - all),
			(size_t)(end - all), at < second ? 1 : step);
		found++;
	}
	if (found > 0)
		return;
	fprintf(stderr, "flips: no %s\n", name);
	exit(2);
}

static void open_bench(
	struct bench *bench, const char *config, const char *path)
{
	struct err err = ERR_EMPTY;
	struct ksr *ksr = NULL;

	must(config_read(config, NULL, &bench->config, &err), &err);
	must(xml_schema_new(&bench->schema, &err), &err);
	must(crypto_cache_new(&bench->cache, &err), &err);
	must(file_read(path, SIZE_MAX_READ, &bench->request, &err), &err);
	must(ksr_read(bench->schema, bench->request.data, bench->request.len,
		     KSR_REQUEST, &ksr, &err),
		&err);
	bench->now = ksr->bundles[0].inception;
	if (is_refused(bench, ksr)) {
		fprintf(stderr, "flips: %s is refused as it is\n", path);
		exit(2);
	}
	meaning(ksr, &bench->canonical);
	ksr_free(ksr);
}

int main(int argc, char **argv)
{
	struct bench bench = {.config = NULL};
	size_t step;

	if (argc < 5)
		return 2;
	open_bench(&bench, argv[1], argv[2]);
	step = strtoul(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++)
		flip_all(&bench, argv[i], step > 0 ? step : 1);
	printf("%lu flips: %lu unreadable, %lu refused, %lu the same request, %lu accepted\n",
		bench.tried, bench.unreadable, bench.refused, bench.same,
		bench.accepted);
	buf_free(&bench.request);
	buf_free(&bench.canonical);
	crypto_cache_free(bench.cache);
	xml_schema_free(bench.schema);
	config_free(bench.config);
	return bench.accepted > 0 ? 1 : 0;
}
