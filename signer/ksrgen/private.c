/* SPDX-License-Identifier: ISC */
#include "signer/ksrgen/private.h"

#include "lib/base/base64.h"
#include "lib/base/number.h"

#include <assert.h>
#include <string.h>

/* Room for the largest number of an RSA key. */
#define LINE_MAX_LEN 2048

/* The DER bytes between the two lines of a kind of PEM; *there: is it one? */
static bool pem_decode(const char *text, const char *kind, struct buf *der,
	bool *there, struct err *err)
{
	struct buf line = BUF_EMPTY, body = BUF_EMPTY;
	const char *start, *end = NULL;
	bool ok;

	assert(text != NULL);
	buf_format(&line, "-----BEGIN %s-----", kind);
	start = strstr(text, buf_string(&line));
	*there = start != NULL;
	if (start != NULL) {
		start += line.len;
		buf_clear(&line);
		buf_format(&line, "-----END %s-----", kind);
		end = strstr(start, buf_string(&line));
	}
	buf_free(&line);
	if (!*there)
		return true;
	if (end == NULL)
		return err_set(err, ERR_INPUT, "the private key is cut");
	buf_bytes(&body, start, (size_t)(end - start));
	ok = buf_ok(&body, err) && base64_decode(buf_string(&body), der, err);
	buf_wipe(&body);
	return ok;
}

/* The value of "Name: value" in a text of such lines; NULL: not there. */
static const char *find_value(const char *text, const char *name, size_t *len)
{
	size_t name_len = strlen(name);

	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *next = strchr(line, '\n');

		if (strncmp(line, name, name_len) == 0 &&
			line[name_len] == ':') {
			line += name_len + 1;
			line += strspn(line, " \t");
			*len = strcspn(line, "\r\n");
			return line;
		}
		line = next != NULL ? next + 1 : NULL;
	}
	return NULL;
}

static bool take_bytes(
	const char *text, const char *name, struct buf *out, struct err *err)
{
	size_t len = 0;
	const char *value = find_value(text, name, &len);
	struct buf copy = BUF_EMPTY;
	bool ok;

	if (value == NULL || len == 0 || len > LINE_MAX_LEN)
		return err_set(err, ERR_INPUT, "no %s in it", name);
	buf_bytes(&copy, value, len);
	ok = buf_ok(&copy, err) && base64_decode(buf_string(&copy), out, err);
	buf_wipe(&copy);
	return ok || err_prefix(err, "%s", name);
}

/* "Algorithm: 8 (RSASHA256)" must be the one of the file's name. */
static bool check_algorithm(
	const char *text, uint8_t algorithm, struct err *err)
{
	size_t len = 0;
	const char *value = find_value(text, "Algorithm", &len);
	char digits[4] = "";
	size_t count = value != NULL ? strspn(value, "0123456789") : 0;
	int64_t number = -1;

	if (count == 0 || count > 3)
		return err_set(err, ERR_INPUT, "no Algorithm in it");
	memcpy(digits, value, count);
	if (!number_parse(digits, 0, UINT8_MAX, &number, err))
		return false;
	if (number != algorithm)
		return err_set(err, ERR_INPUT,
			"a key for algorithm %d, its name says %u", (int)number,
			algorithm);
	return true;
}

static bool read_lines(const char *text, uint8_t algorithm,
	struct crypto_key **out, struct err *err)
{
	static const char *const names[CRYPTO_RSA_NUMBERS] = {"Modulus",
		"PublicExponent", "PrivateExponent", "Prime1", "Prime2",
		"Exponent1", "Exponent2", "Coefficient"};
	struct buf numbers[CRYPTO_RSA_NUMBERS] = {BUF_EMPTY};
	struct buf raw = BUF_EMPTY;
	size_t len;
	bool ok = check_algorithm(text, algorithm, err);

	if (ok && find_value(text, names[0], &len) == NULL) {
		ok = take_bytes(text, "PrivateKey", &raw, err) &&
		     crypto_key_of_bytes(algorithm, &raw, out, err);
	} else if (ok) {
		for (size_t i = 0; ok && i < CRYPTO_RSA_NUMBERS; i++)
			ok = take_bytes(text, names[i], &numbers[i], err);
		ok = ok && crypto_key_of_numbers(algorithm, numbers, out, err);
	}
	for (size_t i = 0; i < CRYPTO_RSA_NUMBERS; i++)
		buf_wipe(&numbers[i]);
	buf_wipe(&raw);
	return ok;
}

bool private_read(const char *text, uint8_t algorithm, struct crypto_key **out,
	struct err *err)
{
	static const char *const kinds[] = {
		"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"};
	struct buf der = BUF_EMPTY;
	size_t len;
	bool ok = true, there = false;

	if (find_value(text, "Private-key-format", &len) != NULL)
		return read_lines(text, algorithm, out, err);
	for (size_t i = 0; ok && !there && i < 3; i++)
		ok = pem_decode(text, kinds[i], &der, &there, err);
	if (ok && !there)
		ok = err_set(err, ERR_INPUT,
			"no unencrypted private key in it: PEM (PKCS#8, PKCS#1, SEC1), or as BIND and ldns write it");
	ok = ok && crypto_key_read(algorithm, &der, out, err);
	buf_wipe(&der);
	return ok;
}
