/* SPDX-License-Identifier: ISC */
/* Backup and restore; token.h says how the wrapping works. */
#include "signer/token/cryptoki.h"

#include "lib/base/buf.h"
#include "lib/cli/waiting.h"
#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"

#include <string.h>

/* A wrapped PKCS#8 of RSA with 4096 bits has less than 2500 bytes. */
#define WRAPPED_MAX 8192
#define AES_KEY_LEN 32
#define KEY_ID_LEN 8

void token_wrapped_free(struct token_wrapped *wrapped)
{
	buf_free(&wrapped->secret);
	buf_free(&wrapped->key);
}

static CK_RSA_PKCS_OAEP_PARAMS oaep_params(void)
{
	return (CK_RSA_PKCS_OAEP_PARAMS){
		CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0};
}

/* What an experiment makes stays where it was made. */
static bool check_kind(
	struct token *token, const struct token_key *key, struct err *err)
{
	const struct key_kind *kind = key_kind(key->type);

	if (kind->parameter_set == 0)
		return true;
	return token_refuse(token, err, "%s: keys of %s have no backup here",
		key->label, kind->name);
}

static bool check_mechanisms(struct token *token, CK_FLAGS use, struct err *err)
{
	return token_has_mechanism(token, CKM_AES_KEY_WRAP_PAD, use, err) &&
	       token_has_mechanism(token, CKM_RSA_PKCS_OAEP, use, err);
}

/* The transport key's public half, as an object of this session only. */
static bool import_transport(struct token *token, CK_SESSION_HANDLE session,
	const struct dnskey *transport, CK_OBJECT_HANDLE *out, struct err *err)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	struct attributes list = {.count = 0};
	struct dnskey_rsa rsa;
	CK_RV rv;

	if (!dnskey_rsa(transport, &rsa, err))
		return err_prefix(err, "transport key");
	if (rsa.bits < TOKEN_TRANSPORT_BITS)
		return err_set(err, ERR_INPUT,
			"transport key: %u bits, less than the %u required",
			rsa.bits, TOKEN_TRANSPORT_BITS);
	attributes_add(&list, CKA_CLASS, &class, sizeof(class));
	attributes_add(&list, CKA_KEY_TYPE, &type, sizeof(type));
	attributes_add_bool(&list, CKA_TOKEN, false);
	attributes_add_bool(&list, CKA_WRAP, true);
	attributes_add(&list, CKA_MODULUS, rsa.modulus, rsa.modulus_len);
	attributes_add(
		&list, CKA_PUBLIC_EXPONENT, rsa.exponent, rsa.exponent_len);
	waiting_begin("an object to be made");
	rv = token->module->functions->C_CreateObject(
		session, list.all, list.count, out);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_CreateObject", rv, err);
	return true;
}

/*
 * What token_generate_transport() has made, and only that.  Whoever has seen
 * the private half once opens each backup, so it must not have been readable
 * or extractable at any time; PKCS#11 has these attributes of every private
 * key.  One that the token does not know is false: of CKA_SIGN_RECOVER, which
 * is RSA as bare as decryption, there is then nothing to refuse.
 */
static bool check_attributes(const struct token_key *key, struct err *err)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		bool wanted;
		const char *name;
	} attributes[] = {
		{CKA_UNWRAP, true, "CKA_UNWRAP"},
		{CKA_SIGN, false, "CKA_SIGN"},
		{CKA_SIGN_RECOVER, false, "CKA_SIGN_RECOVER"},
		{CKA_DECRYPT, false, "CKA_DECRYPT"},
		{CKA_LOCAL, true, "CKA_LOCAL"},
		{CKA_SENSITIVE, true, "CKA_SENSITIVE"},
		{CKA_ALWAYS_SENSITIVE, true, "CKA_ALWAYS_SENSITIVE"},
		{CKA_NEVER_EXTRACTABLE, true, "CKA_NEVER_EXTRACTABLE"},
	};
	const char *wrong = NULL;

	if (!key->has_private || key->type != TOKEN_RSA ||
		key->bits < TOKEN_TRANSPORT_BITS || key->extractable)
		wrong = "kind, size and CKA_EXTRACTABLE";
	for (size_t i = 0;
		wrong == NULL && i < sizeof(attributes) / sizeof(*attributes);
		i++) {
		bool value = false;

		if (!token_attribute_bool(key->token,
			    key_of(key)->private_object, attributes[i].type,
			    &value, err))
			return false;
		if (value != attributes[i].wanted)
			wrong = attributes[i].name;
	}
	if (wrong == NULL)
		return true;
	return token_refuse(key->token, err,
		"the key %s is no transport key (see %s): an RSA pair of at least %u bits that was made in this token, can only unwrap, and never was readable or to leave it",
		key->label, wrong, TOKEN_TRANSPORT_BITS);
}

/* The AES key, of this session only, that may be wrapped but not read. */
static bool make_secret(struct token *token, CK_SESSION_HANDLE session,
	CK_OBJECT_HANDLE *out, struct err *err)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	struct attributes list = {.count = 0};
	CK_ULONG length = AES_KEY_LEN;
	CK_RV rv;

	attributes_add_bool(&list, CKA_TOKEN, false);
	attributes_add_bool(&list, CKA_SENSITIVE, true);
	attributes_add_bool(&list, CKA_EXTRACTABLE, true);
	attributes_add_bool(&list, CKA_WRAP, true);
	attributes_add(&list, CKA_VALUE_LEN, &length, sizeof(length));
	waiting_begin("a key to be made");
	rv = token->module->functions->C_GenerateKey(
		session, &mechanism, list.all, list.count, out);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_GenerateKey", rv, err);
	return true;
}

static bool run_wrap(struct token *token, CK_SESSION_HANDLE session,
	CK_MECHANISM *mechanism, CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE key,
	struct buf *out, struct err *err)
{
	uint8_t bytes[WRAPPED_MAX] = {0};
	CK_ULONG length = sizeof(bytes);
	CK_RV rv;

	waiting_begin("a key to be wrapped");
	rv = token->module->functions->C_WrapKey(
		session, mechanism, with, key, bytes, &length);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_WrapKey", rv, err);
	if (length == 0 || length > sizeof(bytes))
		return token_refuse(token, err,
			"C_WrapKey: a wrapped key of %lu bytes", length);
	buf_bytes(out, bytes, length);
	return buf_ok(out, err);
}

bool token_wrap(const struct token_key *key, const struct dnskey *transport,
	struct token_wrapped *out, struct err *err)
{
	struct token *token = key->token;
	const CK_FUNCTION_LIST *f = token->module->functions;
	CK_RSA_PKCS_OAEP_PARAMS params = oaep_params();
	CK_MECHANISM oaep = {CKM_RSA_PKCS_OAEP, &params, sizeof(params)};
	CK_MECHANISM kwp = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	CK_OBJECT_HANDLE public_half = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE secret = CK_INVALID_HANDLE;
	struct token_wrapped wrapped = {.key = BUF_EMPTY};
	CK_SESSION_HANDLE session;
	bool ok = false;

	if (!key->has_private)
		return token_refuse(token, err,
			"there is no private key labelled %s", key->label);
	if (!key->extractable)
		return token_refuse(token, err,
			"%s was made so that it never leaves its token",
			key->label);
	if (!check_kind(token, key, err) ||
		!check_mechanisms(token, CKF_WRAP, err) ||
		!token_rw_session(token, &session, err))
		return false;
	if (!import_transport(token, session, transport, &public_half, err) ||
		!make_secret(token, session, &secret, err) ||
		!run_wrap(token, session, &kwp, secret,
			key_of(key)->private_object, &wrapped.key, err) ||
		!run_wrap(token, session, &oaep, public_half, secret,
			&wrapped.secret, err))
		goto done;
	*out = wrapped;
	wrapped = (struct token_wrapped){.key = BUF_EMPTY};
	ok = true;
done:
	if (secret != CK_INVALID_HANDLE)
		(void)f->C_DestroyObject(session, secret);
	if (public_half != CK_INVALID_HANDLE)
		(void)f->C_DestroyObject(session, public_half);
	token_wrapped_free(&wrapped);
	return ok;
}

static bool run_unwrap(struct token *token, CK_SESSION_HANDLE session,
	CK_MECHANISM *mechanism, CK_OBJECT_HANDLE with,
	const struct buf *wrapped, struct attributes *list,
	CK_OBJECT_HANDLE *out, struct err *err)
{
	CK_RV rv;

	waiting_begin("a key to be unwrapped");
	rv = token->module->functions->C_UnwrapKey(session, mechanism, with,
		wrapped->data, wrapped->len, list->all, list->count, out);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_UnwrapKey", rv, err);
	return true;
}

static bool unwrap_secret(const struct token_key *transport,
	CK_SESSION_HANDLE session, const struct buf *wrapped,
	CK_OBJECT_HANDLE *out, struct err *err)
{
	CK_RSA_PKCS_OAEP_PARAMS params = oaep_params();
	CK_MECHANISM oaep = {CKM_RSA_PKCS_OAEP, &params, sizeof(params)};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	struct attributes list = {.count = 0};

	attributes_add(&list, CKA_CLASS, &class, sizeof(class));
	attributes_add(&list, CKA_KEY_TYPE, &type, sizeof(type));
	attributes_add_bool(&list, CKA_TOKEN, false);
	attributes_add_bool(&list, CKA_SENSITIVE, true);
	attributes_add_bool(&list, CKA_EXTRACTABLE, false);
	attributes_add_bool(&list, CKA_UNWRAP, true);
	return run_unwrap(transport->token, session, &oaep,
		key_of(transport)->private_object, wrapped, &list, out, err);
}

/*
 * An object with a public key can be put beside any private one, without a
 * PIN: what is wrapped with the one must come out with the other.
 */
bool token_check_transport(const struct token_key *key, struct err *err)
{
	struct token *token = key->token;
	const CK_FUNCTION_LIST *f = token->module->functions;
	const struct dnskey transport = {.algorithm = ALGORITHM_RSASHA256,
		.public_key = key->public_key};
	CK_RSA_PKCS_OAEP_PARAMS params = oaep_params();
	CK_MECHANISM oaep = {CKM_RSA_PKCS_OAEP, &params, sizeof(params)};
	CK_OBJECT_HANDLE objects[] = {
		CK_INVALID_HANDLE, CK_INVALID_HANDLE, CK_INVALID_HANDLE};
	struct buf wrapped = BUF_EMPTY;
	CK_SESSION_HANDLE session;
	bool ok;

	if (!check_attributes(key, err) ||
		!token_rw_session(token, &session, err))
		return false;
	ok = import_transport(token, session, &transport, &objects[0], err) &&
	     make_secret(token, session, &objects[1], err) &&
	     run_wrap(token, session, &oaep, objects[0], objects[1], &wrapped,
		     err);
	if (ok && !unwrap_secret(key, session, &wrapped, &objects[2], err))
		ok = err_prefix(err,
			"the key %s is no transport key: its halves do not belong together",
			key->label);
	for (size_t i = 0; i < 3; i++)
		if (objects[i] != CK_INVALID_HANDLE)
			(void)f->C_DestroyObject(session, objects[i]);
	buf_free(&wrapped);
	return ok;
}

/* What both halves of the restored pair have. */
static void add_names(struct attributes *list, const CK_OBJECT_CLASS *class,
	const struct key_kind *kind, const char *label,
	const uint8_t id[KEY_ID_LEN])
{
	attributes_add(list, CKA_CLASS, class, sizeof(*class));
	attributes_add(
		list, CKA_KEY_TYPE, &kind->key_type, sizeof(kind->key_type));
	attributes_add_bool(list, CKA_TOKEN, true);
	attributes_add(list, CKA_LABEL, label, strlen(label));
	attributes_add(list, CKA_ID, id, KEY_ID_LEN);
}

static bool create_public(struct token *token, CK_SESSION_HANDLE session,
	const struct token_key *like, const uint8_t id[KEY_ID_LEN],
	CK_OBJECT_HANDLE *out, struct err *err)
{
	const struct key_kind *kind = key_kind(like->type);
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	struct dnskey dnskey = {.algorithm = ALGORITHM_RSASHA256,
		.public_key = like->public_key};
	struct attributes list = {.count = 0};
	struct buf point = BUF_EMPTY;
	struct dnskey_rsa rsa;
	CK_RV rv;

	add_names(&list, &class, kind, like->label, id);
	attributes_add_bool(&list, CKA_PRIVATE, false);
	attributes_add_bool(&list, CKA_VERIFY, true);
	if (kind->type == TOKEN_RSA) {
		if (!dnskey_rsa(&dnskey, &rsa, err))
			return false;
		attributes_add(
			&list, CKA_MODULUS, rsa.modulus, rsa.modulus_len);
		attributes_add(&list, CKA_PUBLIC_EXPONENT, rsa.exponent,
			rsa.exponent_len);
	} else {
		buf_u8(&point, 0x04); /* OCTET STRING */
		buf_u8(&point, (uint8_t)kind->point_len);
		if (kind->key_type == CKK_EC)
			buf_u8(&point, 0x04); /* uncompressed */
		buf_bytes(&point, like->public_key.data, like->public_key.len);
		attributes_add(
			&list, CKA_EC_PARAMS, kind->params, kind->params_len);
		attributes_add(&list, CKA_EC_POINT, point.data, point.len);
	}
	rv = token->module->functions->C_CreateObject(
		session, list.all, list.count, out);
	buf_free(&point);
	if (rv != CKR_OK)
		return token_failed(token, "C_CreateObject", rv, err);
	return true;
}

static bool unwrap_private(struct token *token, CK_SESSION_HANDLE session,
	CK_OBJECT_HANDLE secret, const struct buf *wrapped,
	const struct token_key *like, const uint8_t id[KEY_ID_LEN],
	bool extractable, CK_OBJECT_HANDLE *out, struct err *err)
{
	CK_MECHANISM kwp = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	struct attributes list = {.count = 0};
	bool there;

	add_names(&list, &class, key_kind(like->type), like->label, id);
	attributes_add_bool(&list, CKA_PRIVATE, true);
	attributes_add_bool(&list, CKA_SENSITIVE, true);
	attributes_add_bool(&list, CKA_SIGN, true);
	attributes_add_bool(&list, CKA_EXTRACTABLE, extractable);
	return run_unwrap(token, session, &kwp, secret, wrapped, &list, out,
		       err) ||
	       token_maybe_made(token, like->label, &there, err);
}

bool token_unwrap(const struct token_key *transport,
	const struct token_wrapped *wrapped, const struct token_key *like,
	bool extractable, const struct token_key **out, struct err *err)
{
	struct token *token = transport->token;
	const CK_FUNCTION_LIST *f = token->module->functions;
	CK_OBJECT_HANDLE secret = CK_INVALID_HANDLE;
	/* The private half, then the public one. */
	CK_OBJECT_HANDLE halves[] = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};
	CK_SESSION_HANDLE session;
	uint8_t id[KEY_ID_LEN];
	bool ok = false;

	if (!check_kind(token, like, err) ||
		!check_mechanisms(token, CKF_UNWRAP, err) ||
		!token_label_is_free(token, like->label, err) ||
		!crypto_random(id, sizeof(id), err) ||
		!token_rw_session(token, &session, err))
		return false;
	ok = unwrap_secret(
		     transport, session, &wrapped->secret, &secret, err) &&
	     unwrap_private(token, session, secret, &wrapped->key, like, id,
		     extractable, &halves[0], err) &&
	     create_public(token, session, like, id, &halves[1], err) &&
	     token_find(token, like->label, out, err);
	if (ok && *out == NULL)
		ok = token_refuse(token, err,
			"the restored key %s is not to be found", like->label);
	if (secret != CK_INVALID_HANDLE)
		(void)f->C_DestroyObject(session, secret);
	/* Half a key would be in the way of the next try. */
	if (!ok && halves[0] != CK_INVALID_HANDLE)
		token_undo(token, like->label, halves, err);
	return ok;
}
