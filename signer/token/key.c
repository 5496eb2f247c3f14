/* SPDX-License-Identifier: ISC */
/* Keys: from a label to a public key in the form of a DNSKEY. */
#include "signer/token/cryptoki.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/text.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"

#include <stdlib.h>
#include <string.h>

void key_free(struct key *key)
{
	if (key == NULL)
		return;
	buf_free(&key->key.public_key);
	buf_free(&key->raw_label);
	free(key->key.label);
	free(key);
}

const struct key *key_of(const struct token_key *key)
{
	return (const struct key *)key;
}

/* Fill what an RSA public key field says; it must be a sound one. */
static bool take_rsa(struct token *token, const struct buf *modulus,
	const struct buf *exponent, struct token_key *key, struct err *err)
{
	struct dnskey dnskey = {.algorithm = ALGORITHM_RSASHA256};
	struct dnskey_rsa rsa;
	bool ok = false;

	dnskey_rsa_field(exponent->data, exponent->len, modulus->data,
		modulus->len, &dnskey.public_key);
	if (!buf_ok(&dnskey.public_key, err))
		goto done;
	if (!dnskey_rsa(&dnskey, &rsa, err)) {
		token_blame(token, key->label, err);
		goto done;
	}
	if (rsa.exponent_value > UINT32_MAX) {
		token_unusable(
			token, err, "%s: exponent over 32 bits", key->label);
		goto done;
	}
	key->type = TOKEN_RSA;
	key->bits = rsa.bits;
	key->exponent = (uint32_t)rsa.exponent_value;
	key->public_key = dnskey.public_key;
	dnskey.public_key = (struct buf)BUF_EMPTY;
	ok = true;
done:
	buf_free(&dnskey.public_key);
	return ok;
}

static bool read_rsa(struct token *token, CK_OBJECT_HANDLE object,
	struct token_key *key, bool *there, struct err *err)
{
	struct buf modulus = BUF_EMPTY, exponent = BUF_EMPTY;
	bool ok;

	ok = token_attribute(token, object, CKA_MODULUS, &modulus, there, err);
	if (ok && *there)
		ok = token_attribute(token, object, CKA_PUBLIC_EXPONENT,
			&exponent, there, err);
	if (ok && *there)
		ok = take_rsa(token, &modulus, &exponent, key, err);
	buf_free(&modulus);
	buf_free(&exponent);
	return ok;
}

/*
 * The point may stand bare, in a DER OCTET STRING (PKCS#11 v2.40 §2.3.3) or,
 * for Edwards curves, in a BIT STRING (early v3.0).  The length tells which:
 * bare it is fixed.  DNSKEYs have no 0x04 before x and y (RFC 6605 §4).
 */
static bool take_point(struct token *token, const struct key_kind *kind,
	const struct buf *point, struct token_key *key, struct err *err)
{
	const uint8_t *bytes = point->data;
	size_t length = point->len, inner = kind->point_len;

	if (length == inner + 2 && bytes[0] == 0x04 && bytes[1] == inner) {
		bytes += 2;
		length -= 2;
	} else if (length == inner + 3 && bytes[0] == 0x03 &&
		   bytes[1] == inner + 1 && bytes[2] == 0) {
		bytes += 3;
		length -= 3;
	}
	if (length != inner)
		return token_unusable(token, err,
			"%s: a point of %zu bytes is none of %s", key->label,
			point->len, kind->name);
	if (kind->key_type == CKK_EC) {
		if (bytes[0] != 0x04)
			return token_unusable(token, err,
				"%s: the point is not uncompressed",
				key->label);
		bytes++;
		length--;
	}
	key->type = kind->type;
	key->bits = kind->bits;
	buf_bytes(&key->public_key, bytes, length);
	return buf_ok(&key->public_key, err);
}

static bool read_ec(struct token *token, CK_OBJECT_HANDLE object,
	CK_KEY_TYPE key_type, struct token_key *key, bool *there,
	struct err *err)
{
	struct buf params = BUF_EMPTY, point = BUF_EMPTY;
	const struct key_kind *kind;
	bool ok = false;

	if (!token_attribute(
		    token, object, CKA_EC_PARAMS, &params, NULL, err) ||
		!token_attribute(
			token, object, CKA_EC_POINT, &point, there, err))
		goto done;
	kind = key_kind_find(key_type, &params);
	if (kind == NULL) {
		token_unusable(token, err,
			"%s: a curve that DNSSEC does not know", key->label);
		goto done;
	}
	ok = !*there || take_point(token, kind, &point, key, err);
done:
	buf_free(&point);
	buf_free(&params);
	return ok;
}

/*
 * CKA_VALUE is the public key of a public object (PKCS#11 v3.2 section 6.67),
 * and of a private one the private key, which nobody asks for.
 */
static bool read_mldsa(struct token *token, CK_OBJECT_HANDLE object,
	struct token_key *key, bool *there, struct err *err)
{
	const struct algorithm *algorithm =
		algorithm_by_number(ALGORITHM_MLDSA44);
	const struct key_kind *kind = key_kind(TOKEN_MLDSA44);
	CK_ULONG class = 0, set = 0;
	struct buf value = BUF_EMPTY;
	bool ok;

	*there = false;
	if (!token_attribute_ulong(token, object, CKA_CLASS, &class, err) ||
		!token_attribute_ulong(
			token, object, CKA_PARAMETER_SET, &set, err))
		return false;
	if (set != kind->parameter_set)
		return token_unusable(token, err,
			"%s: parameter set %lu of ML-DSA, expected %lu",
			key->label, set, kind->parameter_set);
	if (class != CKO_PUBLIC_KEY)
		return true;
	ok = token_attribute(token, object, CKA_VALUE, &value, there, err);
	if (ok && *there && value.len != kind->point_len)
		ok = token_unusable(token, err,
			"%s: a key of %zu bytes is none of %s", key->label,
			value.len, kind->name);
	if (ok && *there) {
		key->type = kind->type;
		key->bits = kind->bits;
		buf_bytes(&key->public_key, algorithm->oid,
			algorithm_prefix(algorithm));
		buf_bytes(&key->public_key, value.data, value.len);
		ok = buf_ok(&key->public_key, err);
	}
	buf_free(&value);
	return ok;
}

bool token_read_public(struct token *token, CK_OBJECT_HANDLE object,
	CK_KEY_TYPE key_type, struct token_key *key, bool *there,
	struct err *err)
{
	if (key_type == CKK_RSA)
		return read_rsa(token, object, key, there, err);
	if (key_type == CKK_EC || key_type == CKK_EC_EDWARDS)
		return read_ec(token, object, key_type, key, there, err);
	if (key_type == CKK_ML_DSA && experiment_is_on())
		return read_mldsa(token, object, key, there, err);
	return token_unusable(token, err,
		"%s: a kind of key (0x%lx) that DNSSEC does not know",
		key->label, key_type);
}

/* The one object of a class with this label; CK_INVALID_HANDLE: none. */
static bool find_object(struct token *token, CK_OBJECT_CLASS class,
	const struct key *key, CK_OBJECT_HANDLE *out, struct err *err)
{
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_LABEL, key->raw_label.data, key->raw_label.len},
	};
	CK_OBJECT_HANDLE objects[2] = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};
	size_t found = 0;

	if (!token_search(token, template, 2, objects, 2, &found, err))
		return false;
	if (found > 1)
		return token_unusable(token, err, "two %s keys are labelled %s",
			class == CKO_PUBLIC_KEY ? "public" : "private",
			key->key.label);
	*out = found == 1 ? objects[0] : CK_INVALID_HANDLE;
	return true;
}

/* What the private half says of its use. */
static bool read_uses(struct token *token, struct key *key, struct err *err)
{
	struct buf sign = BUF_EMPTY;
	bool there = false;
	bool ok;

	key->key.has_private = true;
	ok = token_attribute(
		token, key->private_object, CKA_SIGN, &sign, &there, err);
	key->sign_forbidden = ok && there && sign.len == sizeof(CK_BBOOL) &&
			      sign.data[0] == CK_FALSE;
	buf_free(&sign);
	return ok &&
	       token_attribute_bool(token, key->private_object,
		       CKA_ALWAYS_AUTHENTICATE, &key->always_authenticate,
		       err) &&
	       token_attribute_bool(token, key->private_object, CKA_EXTRACTABLE,
		       &key->key.extractable, err);
}

/*
 * Both objects are there: they must be of one kind, and where the private one
 * shows its public key, of one key.
 */
static bool compare_halves(struct token *token, struct key *key,
	const CK_KEY_TYPE types[2], struct err *err)
{
	struct token_key other = {.token = token, .label = key->key.label};
	bool there = false, same;

	if (types[0] != types[1])
		return token_unusable(token, err,
			"%s: the public and the private key are of different kinds",
			key->key.label);
	if (!token_read_public(
		    token, key->private_object, types[1], &other, &there, err))
		return false;
	same = !there ||
	       (other.type == key->key.type &&
		       buf_equal(&other.public_key, &key->key.public_key));
	buf_free(&other.public_key);
	key->halves_compared = there;
	if (!same)
		return token_unusable(token, err,
			"%s: the public and the private key do not belong together",
			key->key.label);
	return true;
}

uint8_t key_algorithm(enum token_key_type type)
{
	static const uint8_t algorithms[] = {
		[TOKEN_RSA] = ALGORITHM_RSASHA256,
		[TOKEN_P256] = ALGORITHM_ECDSAP256SHA256,
		[TOKEN_P384] = ALGORITHM_ECDSAP384SHA384,
		[TOKEN_ED25519] = ALGORITHM_ED25519,
		[TOKEN_ED448] = ALGORITHM_ED448,
		[TOKEN_MLDSA44] = ALGORITHM_MLDSA44,
	};

	return algorithms[type];
}

/* Is it a key at all?  A point beside the curve is none. */
static bool check_sound(
	struct token *token, const struct token_key *key, struct err *err)
{
	const struct dnskey dnskey = {.flags = DNSKEY_FLAGS_KSK,
		.protocol = DNSKEY_PROTOCOL,
		.algorithm = key_algorithm(key->type),
		.public_key = key->public_key};
	struct err why = ERR_EMPTY;

	if (crypto_check_public(&dnskey, &why))
		return true;
	return token_unusable(token, err, "%s: %s", key->label, why.text);
}

/* Public key from the public object, else from the private one. */
static bool fill_key(struct token *token, struct key *key, struct err *err)
{
	CK_OBJECT_HANDLE objects[] = {key->public_object, key->private_object};
	CK_KEY_TYPE types[2] = {
		CK_UNAVAILABLE_INFORMATION, CK_UNAVAILABLE_INFORMATION};
	bool there = false;

	for (size_t i = 0; i < 2; i++) {
		if (objects[i] == CK_INVALID_HANDLE)
			continue;
		if (!token_attribute_ulong(
			    token, objects[i], CKA_KEY_TYPE, &types[i], err))
			return false;
		if (!there && !token_read_public(token, objects[i], types[i],
				      &key->key, &there, err))
			return false;
	}
	if (!there)
		return token_unusable(token, err,
			"%s: the token does not show the public key",
			key->key.label);
	if (!check_sound(token, &key->key, err))
		return false;
	key->key.has_public = key->public_object != CK_INVALID_HANDLE;
	if (key->private_object == CK_INVALID_HANDLE)
		return true;
	if (key->public_object != CK_INVALID_HANDLE &&
		!compare_halves(token, key, types, err))
		return false;
	/* The one object is both: nothing is there to be compared. */
	if (key->public_object == CK_INVALID_HANDLE)
		key->halves_compared = true;
	return read_uses(token, key, err);
}

static bool remember(struct token *token, struct key *key, struct err *err)
{
	struct key **added = array_grow(
		&token->keys, &token->key_count, sizeof(struct key *), err);

	if (added == NULL)
		return false;
	*added = key;
	return true;
}

void token_forget(struct token *token, const struct token_key *key)
{
	for (size_t i = 0; i < token->key_count; i++) {
		if (&token->keys[i]->key != key)
			continue;
		key_free(token->keys[i]);
		token->keys[i] = token->keys[--token->key_count];
		return;
	}
}

/* A key by that label, with its objects and nothing else yet. */
static struct key *key_new(
	struct token *token, const void *label, size_t len, struct err *err)
{
	struct key *key = calloc(1, sizeof(*key));
	struct buf shown = BUF_EMPTY;

	if (key == NULL) {
		err_nomem(err);
		return NULL;
	}
	key->key.token = token;
	buf_bytes(&key->raw_label, label, len);
	token_label_show(&shown, label, len);
	if (buf_ok(&key->raw_label, err) && buf_ok(&shown, err))
		key->key.label = text_copy(buf_string(&shown), err);
	buf_free(&shown);
	if (key->key.label != NULL)
		return key;
	key_free(key);
	return NULL;
}

bool token_find_bytes(struct token *token, const void *label, size_t len,
	const struct token_key **out, struct err *err)
{
	const struct buf wanted = {.data = (uint8_t *)label, .len = len};
	struct key *key = NULL;
	bool ok = false;

	for (size_t i = 0; i < token->key_count; i++)
		if (buf_equal(&token->keys[i]->raw_label, &wanted)) {
			*out = &token->keys[i]->key;
			return true;
		}
	key = key_new(token, label, len, err);
	if (key == NULL ||
		!find_object(
			token, CKO_PUBLIC_KEY, key, &key->public_object, err) ||
		!find_object(
			token, CKO_PRIVATE_KEY, key, &key->private_object, err))
		goto done;
	ok = true;
	if (key->public_object == CK_INVALID_HANDLE &&
		key->private_object == CK_INVALID_HANDLE) {
		*out = NULL;
		goto done;
	}
	ok = fill_key(token, key, err) && remember(token, key, err);
	if (ok) {
		*out = &key->key;
		key = NULL;
	}
done:
	key_free(key);
	return ok;
}

bool token_find(struct token *token, const char *label,
	const struct token_key **out, struct err *err)
{
	return token_find_bytes(token, label, strlen(label), out, err);
}

bool token_set_find(struct token_set *set, const char *label,
	const struct token_key **out, struct err *err)
{
	const struct token_key *found = NULL, *key = NULL;

	for (size_t i = 0; i < set->token_count; i++) {
		if (!token_find(set->tokens[i], label, &key, err))
			return false;
		if (key == NULL)
			continue;
		if (found != NULL && (found->type != key->type ||
					     !buf_equal(&found->public_key,
						     &key->public_key)))
			return token_unusable(key->token, err,
				"the key labelled %s is another than that in slot %lu (%s) of hsm %s",
				label, found->token->slot,
				found->token->info.label,
				found->token->module->hsm->name);
		if (found == NULL || !found->has_private)
			found = key;
	}
	*out = found;
	return true;
}

bool token_key_type(
	uint8_t algorithm, enum token_key_type *out, struct err *err)
{
	static const struct {
		uint8_t algorithm;
		enum token_key_type type;
	} types[] = {
		{ALGORITHM_RSASHA256, TOKEN_RSA},
		{ALGORITHM_RSASHA512, TOKEN_RSA},
		{ALGORITHM_ECDSAP256SHA256, TOKEN_P256},
		{ALGORITHM_ECDSAP384SHA384, TOKEN_P384},
		{ALGORITHM_ED25519, TOKEN_ED25519},
		{ALGORITHM_ED448, TOKEN_ED448},
		{ALGORITHM_MLDSA44, TOKEN_MLDSA44},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].algorithm == algorithm) {
			*out = types[i].type;
			return true;
		}
	return err_set(err, ERR_USAGE, "algorithm %u (%s) is not supported",
		algorithm, algorithm_name(algorithm));
}

const char *token_key_type_name(enum token_key_type type)
{
	return key_kind(type)->name;
}

bool token_key_check(
	const struct token_key *key, uint8_t algorithm, struct err *err)
{
	struct err ignored = ERR_EMPTY;
	enum token_key_type type = key->type;

	if (token_key_type(algorithm, &type, &ignored) && type == key->type)
		return true;
	return token_unusable(key->token, err, "%s is a key of %s, not for %s",
		key->label, key_kind(key->type)->name,
		algorithm_name(algorithm));
}

bool token_key_dnskey(const struct token_key *key, uint16_t flags,
	uint8_t algorithm, struct dnskey *out, struct err *err)
{
	struct dnskey dnskey = DNSKEY_EMPTY;

	if (!token_key_check(key, algorithm, err))
		return false;
	dnskey.flags = flags;
	dnskey.protocol = DNSKEY_PROTOCOL;
	dnskey.algorithm = algorithm;
	buf_bytes(
		&dnskey.public_key, key->public_key.data, key->public_key.len);
	if (!buf_ok(&dnskey.public_key, err)) {
		dnskey_free(&dnskey);
		return false;
	}
	*out = dnskey;
	return true;
}
