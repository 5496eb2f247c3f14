/* SPDX-License-Identifier: ISC */
/* Keys: from a label to a public key in the form of a DNSKEY. */
#include "token/cryptoki.h"

#include "base/text.h"
#include "dns/algorithm.h"

#include <stdlib.h>
#include <string.h>

void key_free(struct key *key)
{
	if (key == NULL)
		return;
	buf_free(&key->key.public_key);
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
		token_refuse(
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
		return token_refuse(token, err,
			"%s: a point of %zu bytes is none of %s", key->label,
			point->len, kind->name);
	if (kind->key_type == CKK_EC) {
		if (bytes[0] != 0x04)
			return token_refuse(token, err,
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
		token_refuse(token, err,
			"%s: a curve that DNSSEC does not know", key->label);
		goto done;
	}
	ok = !*there || take_point(token, kind, &point, key, err);
done:
	buf_free(&point);
	buf_free(&params);
	return ok;
}

/* *there: does this object show its public key? */
static bool read_public(struct token *token, CK_OBJECT_HANDLE object,
	CK_KEY_TYPE key_type, struct token_key *key, bool *there,
	struct err *err)
{
	if (key_type == CKK_RSA)
		return read_rsa(token, object, key, there, err);
	if (key_type == CKK_EC || key_type == CKK_EC_EDWARDS)
		return read_ec(token, object, key_type, key, there, err);
	return token_refuse(token, err,
		"%s: a kind of key (0x%lx) that DNSSEC does not know",
		key->label, key_type);
}

/* The one object of a class with this label; CK_INVALID_HANDLE: none. */
static bool find_object(struct token *token, CK_OBJECT_CLASS class,
	const char *label, CK_OBJECT_HANDLE *out, struct err *err)
{
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_LABEL, (void *)label, strlen(label)},
	};
	CK_OBJECT_HANDLE objects[2] = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};
	size_t found = 0;

	if (!token_search(token, template, 2, objects, 2, &found, err))
		return false;
	if (found > 1)
		return token_refuse(token, err, "two %s keys are labelled %s",
			class == CKO_PUBLIC_KEY ? "public" : "private", label);
	*out = found == 1 ? objects[0] : CK_INVALID_HANDLE;
	return true;
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
		if (!there && !read_public(token, objects[i], types[i],
				      &key->key, &there, err))
			return false;
	}
	if (!there)
		return token_refuse(token, err,
			"%s: the token does not show the public key",
			key->key.label);
	if (key->private_object == CK_INVALID_HANDLE)
		return true;
	key->key.has_private = true;
	if (key->public_object != CK_INVALID_HANDLE && types[0] != types[1])
		return token_refuse(token, err,
			"%s: the public and the private key are of different "
			"kinds",
			key->key.label);
	return token_attribute_bool(token, key->private_object, CKA_EXTRACTABLE,
		&key->key.extractable, err);
}

static bool remember(struct token *token, struct key *key, struct err *err)
{
	struct key **grown = reallocarray(
		token->keys, token->key_count + 1, sizeof(struct key *));

	if (grown == NULL)
		return err_nomem(err);
	grown[token->key_count++] = key;
	token->keys = grown;
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

bool token_find(struct token *token, const char *label,
	const struct token_key **out, struct err *err)
{
	struct key *key = NULL;
	bool ok = false;

	for (size_t i = 0; i < token->key_count; i++)
		if (strcmp(token->keys[i]->key.label, label) == 0) {
			*out = &token->keys[i]->key;
			return true;
		}
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return err_nomem(err);
	key->key.token = token;
	key->key.label = text_copy(label, err);
	if (key->key.label == NULL ||
		!find_object(token, CKO_PUBLIC_KEY, label, &key->public_object,
			err) ||
		!find_object(token, CKO_PRIVATE_KEY, label,
			&key->private_object, err))
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
			return token_refuse(key->token, err,
				"the key labelled %s is another than that in "
				"slot %lu (%s) of hsm %s",
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
	return token_refuse(key->token, err, "%s is a key of %s, not for %s",
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

static bool add_label(
	struct config_names *labels, const struct buf *label, struct err *err)
{
	char **grown = reallocarray(
		labels->names, labels->count + 1, sizeof(*labels->names));

	if (grown == NULL)
		return err_nomem(err);
	labels->names = grown;
	grown[labels->count] = strndup((const char *)label->data, label->len);
	if (grown[labels->count] == NULL)
		return err_nomem(err);
	labels->count++;
	return true;
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sort, and let each stand once: a pair has its label twice. */
static void sort_labels(struct config_names *labels)
{
	size_t kept = 0;

	if (labels->count == 0)
		return;
	qsort(labels->names, labels->count, sizeof(*labels->names),
		compare_labels);
	for (size_t i = 1; i < labels->count; i++) {
		if (strcmp(labels->names[kept], labels->names[i]) == 0)
			free(labels->names[i]);
		else
			labels->names[++kept] = labels->names[i];
	}
	labels->count = kept + 1;
}

static bool collect_labels(struct token *token, CK_OBJECT_CLASS class,
	struct config_names *labels, size_t *unlabelled, struct err *err)
{
	CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
	CK_OBJECT_HANDLE *objects = calloc(OBJECTS_MAX, sizeof(*objects));
	struct buf label = BUF_EMPTY;
	size_t found = 0;
	bool ok = false;

	if (objects == NULL)
		return err_nomem(err);
	if (!token_search(
		    token, &template, 1, objects, OBJECTS_MAX, &found, err))
		goto done;
	for (size_t i = 0; i < found; i++) {
		bool there = false;

		buf_clear(&label);
		if (!token_attribute(
			    token, objects[i], CKA_LABEL, &label, &there, err))
			goto done;
		if (label.len == 0)
			++*unlabelled;
		else if (!add_label(labels, &label, err))
			goto done;
	}
	ok = true;
done:
	buf_free(&label);
	free(objects);
	return ok;
}

bool token_labels(struct token *token, struct config_names *labels,
	size_t *unlabelled, struct err *err)
{
	struct config_names list = {.count = 0};
	size_t nameless = 0;

	if (!collect_labels(token, CKO_PUBLIC_KEY, &list, &nameless, err) ||
		!collect_labels(
			token, CKO_PRIVATE_KEY, &list, &nameless, err)) {
		token_labels_free(&list);
		return false;
	}
	sort_labels(&list);
	*labels = list;
	*unlabelled = nameless;
	return true;
}

void token_labels_free(struct config_names *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		free(labels->names[i]);
	free(labels->names);
	*labels = (struct config_names){.count = 0};
}
