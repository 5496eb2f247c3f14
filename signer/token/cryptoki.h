/* SPDX-License-Identifier: ISC */
/*
 * What the files of the token module share: PKCS#11's header, the structs
 * behind token.h, and calls with every length checked.  Private to the module.
 */
#ifndef SIGNER_TOKEN_CRYPTOKI_H
#define SIGNER_TOKEN_CRYPTOKI_H

#include "lib/base/buf.h"
#include "signer/token/token.h"

#include <p11-kit/pkcs11.h>

/* Newer than some headers (PKCS#11 v3.0). */
#ifndef CKM_ECDSA_SHA256
#define CKM_ECDSA_SHA256 0x1044UL
#define CKM_ECDSA_SHA384 0x1045UL
#endif

/* Newer than the headers (PKCS#11 v3.2, its header pkcs11t.h). */
#ifndef CKK_ML_DSA
#define CKK_ML_DSA 0x4aUL
#endif
#ifndef CKM_ML_DSA
#define CKM_ML_DSA_KEY_PAIR_GEN 0x1cUL
#define CKM_ML_DSA 0x1dUL
#endif
#ifndef CKA_PARAMETER_SET
#define CKA_PARAMETER_SET 0x61dUL
#endif
#ifndef CKP_ML_DSA_44
#define CKP_ML_DSA_44 0x01UL
#endif

/*
 * No attribute that is read here comes near: a modulus of 4096 bits has 512
 * bytes, an experiment's key 1312.  More is a lie or a key that is refused
 * anyhow.
 */
#define ATTRIBUTE_MAX ((size_t)4096)
/* Slots of a module, and objects of one search, that are looked at. */
#define SLOTS_MAX 64
#define OBJECTS_MAX 4096
/* Tokens of all modules together. */
#define TOKENS_MAX 64

struct module {
	const struct config_hsm *hsm;
	void *library;
	CK_FUNCTION_LIST *functions;
	bool initialized;
	char description[33];
	char version[8];
	char cryptoki[8];
};

struct token {
	struct token_set *set;
	struct module *module;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;    /* read-only */
	CK_SESSION_HANDLE rw_session; /* CK_INVALID_HANDLE until needed */
	CK_FLAGS flags;               /* of the token, when last read */
	/* What a person typed, for keys that want it with each signature. */
	struct secret *typed; /* or NULL; owned */
	struct token_info info;
	struct key **keys; /* found so far; owned */
	size_t key_count;
};

struct token_set {
	struct module *modules;
	size_t module_count;
	struct token *tokens[TOKENS_MAX];
	size_t token_count;
	token_ask_pin *ask; /* whom to ask for a PIN; NULL: nobody */
	void *ask_context;
};

/* What a caller sees is its first member. */
struct key {
	struct token_key key;
	CK_OBJECT_HANDLE public_object;  /* CK_INVALID_HANDLE: none */
	CK_OBJECT_HANDLE private_object; /* CK_INVALID_HANDLE: none */
	struct buf raw_label;            /* CKA_LABEL, byte by byte */
	bool sign_forbidden;             /* CKA_SIGN is false */
	bool always_authenticate; /* the PIN is wanted with each signature */
	bool halves_compared; /* both objects show one and the same public key
			       */
};

/* The PKCS#11 name of a return value or a mechanism; "unknown" without one. */
const char *cryptoki_rv_name(CK_RV rv);
const char *cryptoki_mechanism_name(CK_MECHANISM_TYPE mechanism);

/* err = "hsm NAME: slot N (LABEL): ..."; false.  function is like C_Sign. */
bool token_refuse(const struct token *token, struct err *err,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same about one key: the HSM works, and the key is not to be used. */
bool token_unusable(const struct token *token, struct err *err,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
/* err came from a lower layer, about a key: make it so, with which and what. */
bool token_blame(const struct token *token, const char *what, struct err *err);
bool token_failed(const struct token *token, const char *function, CK_RV rv,
	struct err *err);

/* Copy a blank-padded field of PKCS#11, as token.h says of strings. */
void cryptoki_text(char *out, size_t out_size, const void *field, size_t size);

/* The same with every byte as it is. */
void cryptoki_raw(struct token_field *out, const void *field, size_t size);

/* Read the flags and the information anew. */
bool token_refresh(struct token *token, struct err *err);

/* Does the token have the mechanism for this use (CKF_SIGN, ...)?  False: err.
 */
bool token_has_mechanism(struct token *token, CK_MECHANISM_TYPE mechanism,
	CK_FLAGS use, struct err *err);

/* A session that may write; opened at the first call. */
bool token_rw_session(
	struct token *token, CK_SESSION_HANDLE *out, struct err *err);

/*
 * The objects that match a template, at most max of them (further ones are
 * counted in no way: ask for one more than is allowed).
 */
bool token_search(struct token *token, CK_ATTRIBUTE *template, size_t length,
	CK_OBJECT_HANDLE *objects, size_t max, size_t *found, struct err *err);

/*
 * All objects of a class, more than OBJECTS_MAX of which are refused.  The
 * caller frees *objects.
 */
bool token_objects(struct token *token, CK_OBJECT_CLASS class,
	CK_OBJECT_HANDLE **objects, size_t *found, struct err *err);

/*
 * Append one attribute's value.  *there is false, and nothing appended, where
 * the object does not have it or does not show it; there may be NULL, and then
 * that is an error.
 */
bool token_attribute(struct token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, struct buf *out, bool *there, struct err *err);

/* The same for a CK_ULONG and a CK_BBOOL (false where it is absent). */
bool token_attribute_ulong(struct token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, CK_ULONG *out, struct err *err);
bool token_attribute_bool(struct token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, bool *out, struct err *err);

/* A template under construction; values are borrowed until it was used. */
#define ATTRIBUTES_MAX 16

struct attributes {
	CK_ATTRIBUTE all[ATTRIBUTES_MAX];
	CK_ULONG count;
};

void attributes_add(struct attributes *list, CK_ATTRIBUTE_TYPE type,
	const void *value, size_t length);
void attributes_add_bool(
	struct attributes *list, CK_ATTRIBUTE_TYPE type, bool value);

/* False, and err, where a key of this label is in the token. */
bool token_label_is_free(
	struct token *token, const char *label, struct err *err);

/*
 * The module said that it did not make the key, err what it said: but that is
 * its word, and the connection may have gone behind the key.  err says that a
 * key of this label is in the token (*there) or may be.  Always false.
 */
bool token_maybe_made(
	struct token *token, const char *label, bool *there, struct err *err);

/*
 * Destroy what was just made under this label, private half first: it is not
 * good, and err says why.  Then err says, too, that it is destroyed again, or
 * that it could not be and may be in the token (ERR_HSM).  Always false.
 */
bool token_undo(struct token *token, const char *label,
	const CK_OBJECT_HANDLE objects[2], struct err *err);

/* Forget a found key, after it was destroyed. */
void token_forget(struct token *token, const struct token_key *key);
void key_free(struct key *key);

/*
 * The kind of an object, and its public key (appended); label and token are
 * given.  *there: does the object show it?
 */
bool token_read_public(struct token *token, CK_OBJECT_HANDLE object,
	CK_KEY_TYPE key_type, struct token_key *key, bool *there,
	struct err *err);

/* A DNSSEC algorithm that keys of this type can be for. */
uint8_t key_algorithm(enum token_key_type type);

/* Is the key of the kind that the DNSSEC algorithm wants? */
bool token_key_check(
	const struct token_key *key, uint8_t algorithm, struct err *err);

/*
 * For a key with CKA_ALWAYS_AUTHENTICATE: see to it that the PIN is at hand,
 * and give it after C_SignInit.  About the key where nobody can be asked.
 */
bool token_context_pin(struct token *token, struct err *err);
bool token_context_login(
	struct token *token, CK_SESSION_HANDLE session, struct err *err);

/* The struct around what the caller has. */
const struct key *key_of(const struct token_key *key);

/* What PKCS#11 says of a kind of key. */
struct key_kind {
	enum token_key_type type;
	const char *name;
	CK_KEY_TYPE key_type;
	CK_MECHANISM_TYPE generate;
	CK_MECHANISM_TYPE sign;
	uint32_t bits;         /* of the curve or the key; 0 for RSA */
	size_t point_len;      /* bytes of a bare EC_POINT, or of the key as
				  CKA_VALUE shows it; 0 for RSA */
	const uint8_t *params; /* EC_PARAMS in DER, an object identifier */
	size_t params_len;
	const char *curve_name; /* EC_PARAMS as a PrintableString; or NULL */
	size_t signature_len;   /* 0: that of the modulus */
	CK_ULONG parameter_set; /* CKA_PARAMETER_SET; 0: it has none */
};

const struct key_kind *key_kind(enum token_key_type type);

/* The kind with these EC_PARAMS and this type of key; NULL: none we know. */
const struct key_kind *key_kind_find(
	CK_KEY_TYPE key_type, const struct buf *params);

#endif
