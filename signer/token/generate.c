/* SPDX-License-Identifier: ISC */
/* Making and destroying keys. */
#include "signer/token/cryptoki.h"

#include "lib/cli/waiting.h"
#include "lib/crypto/crypto.h"

#include <assert.h>
#include <string.h>

#define KEY_ID_LEN 8

static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

void attributes_add(struct attributes *list, CK_ATTRIBUTE_TYPE type,
	const void *value, size_t length)
{
	assert(list->count < ATTRIBUTES_MAX);
	/* PKCS#11 takes what it only reads without const. */
	list->all[list->count++] = (CK_ATTRIBUTE){type, (void *)value, length};
}

void attributes_add_bool(
	struct attributes *list, CK_ATTRIBUTE_TYPE type, bool value)
{
	attributes_add(list, type, value ? &yes : &no, sizeof(CK_BBOOL));
}

/* An absent label is what makes a key free to be made. */
bool token_label_is_free(
	struct token *token, const char *label, struct err *err)
{
	const struct token_key *key = NULL;

	if (!token_find(token, label, &key, err))
		return false;
	if (key != NULL)
		return token_refuse(token, err,
			"there is a key labelled %s already", label);
	return true;
}

bool token_check_bits(enum token_key_type type, uint32_t bits, struct err *err)
{
	if (type != TOKEN_RSA || bits == 2048 || bits == 3072 || bits == 4096)
		return true;
	return err_set(err, ERR_USAGE,
		"an RSA key has 2048, 3072 or 4096 bits, not %u", bits);
}

struct pair {
	struct attributes public_part, private_part;
	/* The last of private_part that a module need not know. */
	CK_ULONG optional;
	CK_OBJECT_HANDLE public_object, private_object; /* once it is made */
	const char *label;
	bool is_left; /* though the module said that it made none */
};

static CK_RV call_generate(struct token *token, CK_SESSION_HANDLE session,
	CK_MECHANISM *mechanism, struct pair *pair, CK_ULONG private_count)
{
	CK_RV rv;

	waiting_begin("a key to be made");
	rv = token->module->functions->C_GenerateKeyPair(session, mechanism,
		pair->public_part.all, pair->public_part.count,
		pair->private_part.all, private_count, &pair->public_object,
		&pair->private_object);
	waiting_end();
	return rv;
}

/*
 * Is a half left under this label?  A certificate, a note or a secret key may
 * have it, too, and is none.
 */
static bool look_for_label(struct token *token, const struct buf *label,
	bool *there, struct err *err)
{
	static const CK_OBJECT_CLASS classes[] = {
		CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};

	for (size_t i = 0; !*there && i < 2; i++) {
		CK_OBJECT_CLASS class = classes[i];
		CK_ATTRIBUTE template[] = {
			{CKA_CLASS, &class, sizeof(class)},
			{CKA_LABEL, label->data, label->len},
		};
		CK_OBJECT_HANDLE found[2];
		size_t left = 0;

		if (!token_search(token, template, 2, found, 2, &left, err))
			return false;
		*there = left > 0;
	}
	return true;
}

bool token_maybe_made(
	struct token *token, const char *label, bool *there, struct err *err)
{
	const struct buf bytes = {
		.data = (uint8_t *)label, .len = strlen(label)};
	struct err ignored = ERR_EMPTY;

	*there = false;
	(void)look_for_label(token, &bytes, there, &ignored);
	return err_prefix(err,
		"key %s %s in the token all the same: look there with keymaster inventory",
		label, *there ? "is" : "may be");
}

static bool run_generate(struct token *token, const struct key_kind *kind,
	struct pair *pair, struct err *err)
{
	CK_MECHANISM mechanism = {kind->generate, NULL, 0};
	CK_ULONG count = pair->private_part.count;
	CK_SESSION_HANDLE session;
	CK_RV rv;

	if (!token_rw_session(token, &session, err))
		return false;
	rv = call_generate(token, session, &mechanism, pair, count);
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID && pair->optional > 0)
		rv = call_generate(token, session, &mechanism, pair,
			count - pair->optional);
	if (rv == CKR_OK)
		return true;
	token_failed(token, "C_GenerateKeyPair", rv, err);
	return token_maybe_made(token, pair->label, &pair->is_left, err);
}

/*
 * Edwards curves are named by object identifier, or by a PrintableString:
 * modules take the one or the other.
 */
static bool generate_on_curve(struct token *token, const struct key_kind *kind,
	struct pair *pair, struct err *err)
{
	struct attributes without = pair->public_part;
	struct err first = ERR_EMPTY;
	uint8_t name[64];
	size_t length;

	attributes_add(&pair->public_part, CKA_EC_PARAMS, kind->params,
		kind->params_len);
	if (run_generate(token, kind, pair, &first))
		return true;
	*err = first;
	if (kind->curve_name == NULL || pair->is_left)
		return false;
	length = strlen(kind->curve_name);
	assert(length + 2 <= sizeof(name));
	name[0] = 0x13;
	name[1] = (uint8_t)length;
	memcpy(name + 2, kind->curve_name, length);
	pair->public_part = without;
	attributes_add(&pair->public_part, CKA_EC_PARAMS, name, length + 2);
	if (run_generate(token, kind, pair, err))
		return true;
	*err = first;
	return false;
}

/* What both halves of any pair have. */
static void fill_names(struct pair *pair, const char *label, const uint8_t *id)
{
	struct attributes *both[] = {&pair->public_part, &pair->private_part};

	pair->label = label;
	for (size_t i = 0; i < 2; i++) {
		attributes_add_bool(both[i], CKA_TOKEN, true);
		attributes_add(both[i], CKA_LABEL, label, strlen(label));
		attributes_add(both[i], CKA_ID, id, KEY_ID_LEN);
	}
	attributes_add_bool(&pair->public_part, CKA_PRIVATE, false);
	attributes_add_bool(&pair->private_part, CKA_PRIVATE, true);
	attributes_add_bool(&pair->private_part, CKA_SENSITIVE, true);
}

/* RSA with exponent 65537, on a curve, or ML-DSA; then found by its label. */
static bool generate(struct token *token, const char *label,
	const struct key_kind *kind, uint32_t bits, struct pair *pair,
	const struct token_key **out, struct err *err)
{
	static const uint8_t exponent[] = {TOKEN_EXPONENT >> 16,
		TOKEN_EXPONENT >> 8 & 0xff, TOKEN_EXPONENT & 0xff};
	CK_ULONG modulus_bits = bits;
	bool ok;

	if (kind->type == TOKEN_RSA) {
		attributes_add(&pair->public_part, CKA_MODULUS_BITS,
			&modulus_bits, sizeof(modulus_bits));
		attributes_add(&pair->public_part, CKA_PUBLIC_EXPONENT,
			exponent, sizeof(exponent));
		ok = run_generate(token, kind, pair, err);
	} else if (kind->parameter_set != 0) {
		attributes_add(&pair->public_part, CKA_PARAMETER_SET,
			&kind->parameter_set, sizeof(kind->parameter_set));
		ok = run_generate(token, kind, pair, err);
	} else {
		ok = generate_on_curve(token, kind, pair, err);
	}
	if (!ok)
		return false;
	if (token_find(token, label, out, err)) {
		if (*out != NULL)
			return true;
		token_refuse(
			token, err, "the new key %s is not to be found", label);
	}
	return token_undo(token, label,
		(CK_OBJECT_HANDLE[]){pair->private_object, pair->public_object},
		err);
}

/* What must hold before anything is made; id is new. */
static bool prepare(struct token *token, const char *label,
	const struct key_kind *kind, uint8_t id[KEY_ID_LEN], struct err *err)
{
	return token_has_mechanism(
		       token, kind->generate, CKF_GENERATE_KEY_PAIR, err) &&
	       token_label_is_free(token, label, err) &&
	       crypto_random(id, KEY_ID_LEN, err);
}

bool token_generate(struct token *token, const char *label,
	enum token_key_type type, uint32_t bits, bool extractable,
	const struct token_key **out, struct err *err)
{
	const struct key_kind *kind = key_kind(type);
	struct pair pair = {.public_part.count = 0};
	uint8_t id[KEY_ID_LEN];

	if (!token_check_bits(type, bits, err) ||
		!prepare(token, label, kind, id, err))
		return false;
	fill_names(&pair, label, id);
	attributes_add_bool(&pair.public_part, CKA_VERIFY, true);
	attributes_add_bool(&pair.private_part, CKA_SIGN, true);
	attributes_add_bool(&pair.private_part, CKA_EXTRACTABLE, extractable);
	return generate(token, label, kind, bits, &pair, out, err);
}

bool token_generate_transport(struct token *token, const char *label,
	const struct token_key **out, struct err *err)
{
	const struct key_kind *kind = key_kind(TOKEN_RSA);
	struct pair pair = {.public_part.count = 0};
	uint8_t id[KEY_ID_LEN];

	if (!prepare(token, label, kind, id, err))
		return false;
	fill_names(&pair, label, id);
	attributes_add_bool(&pair.public_part, CKA_VERIFY, false);
	attributes_add_bool(&pair.public_part, CKA_WRAP, true);
	attributes_add_bool(&pair.private_part, CKA_SIGN, false);
	attributes_add_bool(&pair.private_part, CKA_DECRYPT, false);
	attributes_add_bool(&pair.private_part, CKA_UNWRAP, true);
	attributes_add_bool(&pair.private_part, CKA_EXTRACTABLE, false);
	attributes_add_bool(&pair.private_part, CKA_SIGN_RECOVER, false);
	pair.optional = 1;
	return generate(
		token, label, kind, TOKEN_TRANSPORT_BITS, &pair, out, err);
}

/*
 * That the module said yes proves nothing: a handle that is gone gives no
 * attribute, and no half of the label is found.
 */
static bool prove_gone(struct token *token, const struct buf *label,
	const CK_OBJECT_HANDLE objects[2], struct err *err)
{
	struct buf ignored = BUF_EMPTY;
	struct err expected = ERR_EMPTY;
	bool there = false;

	for (size_t i = 0; !there && i < 2; i++)
		there = objects[i] != CK_INVALID_HANDLE &&
			token_attribute(token, objects[i], CKA_CLASS, &ignored,
				NULL, &expected);
	buf_free(&ignored);
	if (!look_for_label(token, label, &there, err))
		return false;
	if (there)
		return token_refuse(token, err,
			"C_DestroyObject said yes, and the key is still there: it is not destroyed");
	return true;
}

/* The private half first: what must not stay goes even if one fails. */
static bool destroy_objects(struct token *token, const struct buf *label,
	const CK_OBJECT_HANDLE objects[2], struct err *err)
{
	CK_SESSION_HANDLE session;

	if (!token_rw_session(token, &session, err))
		return false;
	for (size_t i = 0; i < 2; i++) {
		CK_RV rv;

		if (objects[i] == CK_INVALID_HANDLE)
			continue;
		waiting_begin("a key to be deleted");
		rv = token->module->functions->C_DestroyObject(
			session, objects[i]);
		waiting_end();
		if (rv == CKR_OK)
			continue;
		token_failed(token, "C_DestroyObject", rv, err);
		if (i == 1 && objects[0] != CK_INVALID_HANDLE)
			err_prefix(err,
				"the module says that the private half is destroyed, the public one is not");
		return false;
	}
	return prove_gone(token, label, objects, err);
}

bool token_undo(struct token *token, const char *label,
	const CK_OBJECT_HANDLE objects[2], struct err *err)
{
	const struct buf bytes = {
		.data = (uint8_t *)label, .len = strlen(label)};
	struct err why = ERR_EMPTY;

	if (destroy_objects(token, &bytes, objects, &why))
		return err_prefix(err, "destroyed again");
	err->kind = ERR_HSM;
	return err_prefix(err,
		"key %s was made, could NOT be destroyed and may be in the token (%s)",
		label, why.text);
}

bool token_destroy(const struct token_key *key, struct err *err)
{
	struct token *token = key->token;
	struct buf label = BUF_EMPTY;
	const CK_OBJECT_HANDLE objects[] = {
		key_of(key)->private_object, key_of(key)->public_object};
	bool ok;

	buf_bytes(&label, key_of(key)->raw_label.data,
		key_of(key)->raw_label.len);
	ok = buf_ok(&label, err);
	token_forget(token, key);
	ok = ok && destroy_objects(token, &label, objects, err);
	buf_free(&label);
	return ok;
}

bool token_take_back(const struct token_key *key, struct err *err)
{
	const CK_OBJECT_HANDLE objects[] = {
		key_of(key)->private_object, key_of(key)->public_object};

	token_undo(key->token, key->label, objects, err);
	token_forget(key->token, key);
	return false;
}
