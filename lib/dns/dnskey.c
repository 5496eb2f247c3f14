/* SPDX-License-Identifier: ISC */
#include "lib/dns/dnskey.h"

#include "lib/base/buf.h"
#include "lib/dns/algorithm.h"

#include <string.h>

#define RSA_BYTES_MAX 512

void dnskey_free(struct dnskey *key)
{
	buf_free(&key->public_key);
}

bool dnskey_copy(const struct dnskey *key, struct dnskey *out, struct err *err)
{
	struct dnskey copy = *key;

	copy.public_key = (struct buf)BUF_EMPTY;
	buf_bytes(&copy.public_key, key->public_key.data, key->public_key.len);
	if (!buf_ok(&copy.public_key, err))
		return false;
	*out = copy;
	return true;
}

static void fixed_fields(const struct dnskey *key, uint8_t out[4])
{
	out[0] = (uint8_t)(key->flags >> 8);
	out[1] = (uint8_t)key->flags;
	out[2] = key->protocol;
	out[3] = key->algorithm;
}

void dnskey_rdata(const struct dnskey *key, struct buf *out)
{
	uint8_t fixed[4];

	fixed_fields(key, fixed);
	buf_bytes(out, fixed, sizeof(fixed));
	buf_bytes(out, key->public_key.data, key->public_key.len);
}

uint16_t dnskey_tag(const struct dnskey *key)
{
	uint8_t fixed[4];
	uint32_t sum;

	fixed_fields(key, fixed);
	sum = ((uint32_t)fixed[0] << 8) + fixed[1] + ((uint32_t)fixed[2] << 8) +
	      fixed[3];
	/* The public key starts at an even offset of the RDATA. */
	for (size_t i = 0; i < key->public_key.len; i++)
		sum += i % 2 == 0 ? (uint32_t)key->public_key.data[i] << 8
				  : key->public_key.data[i];
	sum += sum >> 16 & 0xffff;
	return (uint16_t)(sum & 0xffff);
}

int dnskey_compare(const struct dnskey *a, const struct dnskey *b)
{
	size_t len_a = a->public_key.len, len_b = b->public_key.len;
	size_t len = len_a < len_b ? len_a : len_b;
	uint8_t fixed_a[4], fixed_b[4];
	int order;

	fixed_fields(a, fixed_a);
	fixed_fields(b, fixed_b);
	order = memcmp(fixed_a, fixed_b, sizeof(fixed_a));
	if (order == 0 && len > 0)
		order = memcmp(a->public_key.data, b->public_key.data, len);
	if (order != 0)
		return order;
	return (len_a > len_b) - (len_a < len_b);
}

bool dnskey_same_public(const struct dnskey *a, const struct dnskey *b)
{
	return a->algorithm == b->algorithm &&
	       buf_equal(&a->public_key, &b->public_key);
}

static unsigned bit_length(const uint8_t *data, size_t len)
{
	unsigned bits = (unsigned)(len - 1) * 8;

	for (unsigned top = data[0]; top > 0; top >>= 1)
		bits++;
	return bits;
}

static uint64_t exponent_value(const uint8_t *data, size_t len)
{
	uint64_t value = 0;

	if (len > sizeof(value))
		return UINT64_MAX;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | data[i];
	return value;
}

/* Split the field at the exponent's length (RFC 3110 §2). */
static bool rsa_split(const struct buf *field, struct dnskey_rsa *out)
{
	size_t start = 1, len;

	if (field->len < 3)
		return false;
	len = field->data[0];
	if (len == 0) {
		len = (size_t)field->data[1] << 8 | field->data[2];
		start = 3;
		/* The long form is for what the short one cannot say. */
		if (len < 256)
			return false;
	}
	if (field->len <= start + len)
		return false;
	out->exponent = field->data + start;
	out->exponent_len = len;
	out->modulus = field->data + start + len;
	out->modulus_len = field->len - start - len;
	return true;
}

bool dnskey_rsa(
	const struct dnskey *key, struct dnskey_rsa *out, struct err *err)
{
	struct dnskey_rsa rsa = {0};

	if (!rsa_split(&key->public_key, &rsa))
		return err_set(
			err, ERR_INPUT, "malformed RSA public key (RFC 3110)");
	if (rsa.exponent[0] == 0 || rsa.modulus[0] == 0)
		return err_set(err, ERR_INPUT,
			"RSA public key with leading zeros (RFC 3110)");
	if (rsa.exponent_len > RSA_BYTES_MAX || rsa.modulus_len > RSA_BYTES_MAX)
		return err_set(
			err, ERR_INPUT, "RSA public key larger than 4096 bits");
	if (rsa.modulus[rsa.modulus_len - 1] % 2 == 0)
		return err_set(
			err, ERR_INPUT, "RSA public key with an even modulus");
	rsa.bits = bit_length(rsa.modulus, rsa.modulus_len);
	rsa.exponent_value = exponent_value(rsa.exponent, rsa.exponent_len);
	*out = rsa;
	return true;
}

void dnskey_rsa_field(const uint8_t *exponent, size_t exponent_len,
	const uint8_t *modulus, size_t modulus_len, struct buf *out)
{
	for (; exponent_len > 0 && *exponent == 0; exponent_len--)
		exponent++;
	for (; modulus_len > 0 && *modulus == 0; modulus_len--)
		modulus++;
	if (exponent_len < 256) {
		buf_u8(out, (uint8_t)exponent_len);
	} else {
		buf_u8(out, 0);
		buf_u16(out, (uint16_t)exponent_len);
	}
	buf_bytes(out, exponent, exponent_len);
	buf_bytes(out, modulus, modulus_len);
}

bool dnskey_size(const struct dnskey *key, unsigned *bits, struct err *err)
{
	const struct algorithm *alg = algorithm_by_number(key->algorithm);
	struct dnskey_rsa rsa;
	struct buf body;

	if (!algorithm_is_supported(alg))
		return err_set(err, ERR_INPUT, "unsupported algorithm %u (%s)",
			key->algorithm, algorithm_name(key->algorithm));
	if (alg->family == ALGORITHM_RSA) {
		if (!dnskey_rsa(key, &rsa, err))
			return false;
		*bits = rsa.bits;
		return true;
	}
	if (key->public_key.len != alg->key_len)
		return err_set(err, ERR_INPUT,
			"%s public key of %zu bytes, expected %zu", alg->name,
			key->public_key.len, alg->key_len);
	if (!algorithm_body(alg, &key->public_key, &body))
		return err_set(err, ERR_INPUT,
			"%s public key that does not begin with the algorithm's identifier (RFC 4034 appendix A.1.1)",
			alg->name);
	*bits = alg->bits;
	return true;
}
