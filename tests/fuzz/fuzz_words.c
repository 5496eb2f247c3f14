/* SPDX-License-Identifier: ISC */
/*
 * Fuzz entry for what a person types: words or digits to bytes, and back to
 * the same bytes; hashes in every notation, and each again as digits.  The raw
 * input as bytes goes the other way, through words, hexadecimal, base64 and the
 * escaping of text for a terminal.
 */
#include "fuzz.h"
#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/cli/hashes.h"
#include "lib/cli/words.h"

#include <stdlib.h>

static void expect_same(const char *text, const struct buf *bytes)
{
	struct buf again = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	assert(words_read(text, &again, &err));
	assert(buf_equal(bytes, &again));
	buf_free(&again);
}

static void try_words(const char *text)
{
	struct buf bytes = BUF_EMPTY, words = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	if (words_read(text, &bytes, &err)) {
		words_write(&words, bytes.data, bytes.len, 8);
		expect_same(buf_string(&words), &bytes);
	} else {
		fuzz_expect_reason(&err);
		assert(bytes.len == 0);
	}
	buf_free(&words);
	buf_free(&bytes);
}

static void try_hashes(const uint8_t *data, size_t size)
{
	struct hashes hashes = HASHES_EMPTY, again = HASHES_EMPTY;
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	buf_bytes(&text, data, size);
	if (hashes_read(&text, &hashes, &err)) {
		assert(hashes.count > 0);
		buf_clear(&text);
		hex_encode(&text, hashes.entries[0].hash, SHA256_LEN);
		assert(hashes_read(&text, &again, &err) && again.count == 1);
		assert(memcmp(again.entries[0].hash, hashes.entries[0].hash,
			       SHA256_LEN) == 0);
	} else {
		fuzz_expect_reason(&err);
		assert(hashes.entries == NULL);
	}
	hashes_free(&again);
	hashes_free(&hashes);
	buf_free(&text);
}

static void try_base64(const char *text)
{
	struct buf bytes = BUF_EMPTY, again = BUF_EMPTY, out = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	if (base64_decode(text, &bytes, &err)) {
		base64_encode(&out, bytes.data, bytes.len);
		assert(base64_decode(buf_string(&out), &again, &err));
		assert(buf_equal(&bytes, &again));
	} else {
		fuzz_expect_reason(&err);
	}
	buf_free(&bytes);
	buf_free(&again);
	buf_free(&out);
}

static void try_bytes(const uint8_t *data, size_t size)
{
	struct buf bytes = BUF_EMPTY, out = BUF_EMPTY;

	buf_bytes(&bytes, data, size);
	words_write(&out, data, size, 0);
	expect_same(buf_string(&out), &bytes);
	buf_clear(&out);
	hex_encode(&out, data, size);
	expect_same(buf_string(&out), &bytes);
	buf_free(&out);
	buf_free(&bytes);
}

/* Nothing that moves a cursor or forges a line may come out. */
static void try_escape(const uint8_t *data, size_t size)
{
	struct buf out = BUF_EMPTY;

	text_escape(&out, (const char *)data, size);
	for (size_t i = 0; i < out.len; i++)
		assert(out.data[i] >= 0x20 && out.data[i] < 0x7f);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	try_words(text);
	try_hashes(data, size);
	try_base64(text);
	try_bytes(data, size);
	try_escape(data, size);
	free(text);
	return 0;
}
