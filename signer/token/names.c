/* SPDX-License-Identifier: ISC */
/* Names for numbers, and the form of every message of this module. */
#include "signer/token/cryptoki.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct name {
	unsigned long value;
	const char *name;
};

#define NAME(value) {value, #value}

static const struct name rv_names[] = {
	NAME(CKR_OK),
	NAME(CKR_CANCEL),
	NAME(CKR_HOST_MEMORY),
	NAME(CKR_SLOT_ID_INVALID),
	NAME(CKR_GENERAL_ERROR),
	NAME(CKR_FUNCTION_FAILED),
	NAME(CKR_ARGUMENTS_BAD),
	NAME(CKR_NO_EVENT),
	NAME(CKR_NEED_TO_CREATE_THREADS),
	NAME(CKR_CANT_LOCK),
	NAME(CKR_ATTRIBUTE_READ_ONLY),
	NAME(CKR_ATTRIBUTE_SENSITIVE),
	NAME(CKR_ATTRIBUTE_TYPE_INVALID),
	NAME(CKR_ATTRIBUTE_VALUE_INVALID),
	NAME(CKR_ACTION_PROHIBITED),
	NAME(CKR_DATA_INVALID),
	NAME(CKR_DATA_LEN_RANGE),
	NAME(CKR_DEVICE_ERROR),
	NAME(CKR_DEVICE_MEMORY),
	NAME(CKR_DEVICE_REMOVED),
	NAME(CKR_ENCRYPTED_DATA_INVALID),
	NAME(CKR_ENCRYPTED_DATA_LEN_RANGE),
	NAME(CKR_FUNCTION_CANCELED),
	NAME(CKR_FUNCTION_NOT_PARALLEL),
	NAME(CKR_FUNCTION_NOT_SUPPORTED),
	NAME(CKR_KEY_HANDLE_INVALID),
	NAME(CKR_KEY_SIZE_RANGE),
	NAME(CKR_KEY_TYPE_INCONSISTENT),
	NAME(CKR_KEY_NOT_NEEDED),
	NAME(CKR_KEY_CHANGED),
	NAME(CKR_KEY_NEEDED),
	NAME(CKR_KEY_INDIGESTIBLE),
	NAME(CKR_KEY_FUNCTION_NOT_PERMITTED),
	NAME(CKR_KEY_NOT_WRAPPABLE),
	NAME(CKR_KEY_UNEXTRACTABLE),
	NAME(CKR_MECHANISM_INVALID),
	NAME(CKR_MECHANISM_PARAM_INVALID),
	NAME(CKR_OBJECT_HANDLE_INVALID),
	NAME(CKR_OPERATION_ACTIVE),
	NAME(CKR_OPERATION_NOT_INITIALIZED),
	NAME(CKR_PIN_INCORRECT),
	NAME(CKR_PIN_INVALID),
	NAME(CKR_PIN_LEN_RANGE),
	NAME(CKR_PIN_EXPIRED),
	NAME(CKR_PIN_LOCKED),
	NAME(CKR_SESSION_CLOSED),
	NAME(CKR_SESSION_COUNT),
	NAME(CKR_SESSION_HANDLE_INVALID),
	NAME(CKR_SESSION_PARALLEL_NOT_SUPPORTED),
	NAME(CKR_SESSION_READ_ONLY),
	NAME(CKR_SESSION_EXISTS),
	NAME(CKR_SESSION_READ_ONLY_EXISTS),
	NAME(CKR_SESSION_READ_WRITE_SO_EXISTS),
	NAME(CKR_SIGNATURE_INVALID),
	NAME(CKR_SIGNATURE_LEN_RANGE),
	NAME(CKR_TEMPLATE_INCOMPLETE),
	NAME(CKR_TEMPLATE_INCONSISTENT),
	NAME(CKR_TOKEN_NOT_PRESENT),
	NAME(CKR_TOKEN_NOT_RECOGNIZED),
	NAME(CKR_TOKEN_WRITE_PROTECTED),
	NAME(CKR_UNWRAPPING_KEY_SIZE_RANGE),
	NAME(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT),
	NAME(CKR_USER_ALREADY_LOGGED_IN),
	NAME(CKR_USER_NOT_LOGGED_IN),
	NAME(CKR_USER_PIN_NOT_INITIALIZED),
	NAME(CKR_USER_TYPE_INVALID),
	NAME(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
	NAME(CKR_USER_TOO_MANY_TYPES),
	NAME(CKR_WRAPPED_KEY_INVALID),
	NAME(CKR_WRAPPED_KEY_LEN_RANGE),
	NAME(CKR_WRAPPING_KEY_HANDLE_INVALID),
	NAME(CKR_WRAPPING_KEY_SIZE_RANGE),
	NAME(CKR_WRAPPING_KEY_TYPE_INCONSISTENT),
	NAME(CKR_RANDOM_SEED_NOT_SUPPORTED),
	NAME(CKR_RANDOM_NO_RNG),
	NAME(CKR_DOMAIN_PARAMS_INVALID),
	NAME(CKR_CURVE_NOT_SUPPORTED),
	NAME(CKR_BUFFER_TOO_SMALL),
	NAME(CKR_SAVED_STATE_INVALID),
	NAME(CKR_INFORMATION_SENSITIVE),
	NAME(CKR_STATE_UNSAVEABLE),
	NAME(CKR_CRYPTOKI_NOT_INITIALIZED),
	NAME(CKR_CRYPTOKI_ALREADY_INITIALIZED),
	NAME(CKR_MUTEX_BAD),
	NAME(CKR_MUTEX_NOT_LOCKED),
	NAME(CKR_NEW_PIN_MODE),
	NAME(CKR_NEXT_OTP),
	NAME(CKR_EXCEEDED_MAX_ITERATIONS),
	NAME(CKR_FIPS_SELF_TEST_FAILED),
	NAME(CKR_LIBRARY_LOAD_FAILED),
	NAME(CKR_PIN_TOO_WEAK),
	NAME(CKR_PUBLIC_KEY_INVALID),
	NAME(CKR_FUNCTION_REJECTED),
};

static const struct name mechanism_names[] = {
	NAME(CKM_RSA_PKCS),
	NAME(CKM_SHA256_RSA_PKCS),
	NAME(CKM_SHA512_RSA_PKCS),
	NAME(CKM_ECDSA),
	NAME(CKM_ECDSA_SHA256),
	NAME(CKM_ECDSA_SHA384),
	NAME(CKM_EDDSA),
	NAME(CKM_ML_DSA),
	NAME(CKM_RSA_PKCS_KEY_PAIR_GEN),
	NAME(CKM_EC_KEY_PAIR_GEN),
	NAME(CKM_EC_EDWARDS_KEY_PAIR_GEN),
	NAME(CKM_ML_DSA_KEY_PAIR_GEN),
	NAME(CKM_AES_KEY_GEN),
	NAME(CKM_AES_KEY_WRAP_PAD),
	NAME(CKM_RSA_PKCS_OAEP),
};

static const char *name_of(
	const struct name *names, size_t count, unsigned long value)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].value == value)
			return names[i].name;
	return "unknown";
}

const char *cryptoki_rv_name(CK_RV rv)
{
	return name_of(rv_names, sizeof(rv_names) / sizeof(*rv_names), rv);
}

const char *cryptoki_mechanism_name(CK_MECHANISM_TYPE mechanism)
{
	return name_of(mechanism_names,
		sizeof(mechanism_names) / sizeof(*mechanism_names), mechanism);
}

bool token_refuse(
	const struct token *token, struct err *err, const char *format, ...)
{
	char message[ERR_TEXT_MAX / 2];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	return err_set(err, ERR_HSM, "hsm %s: slot %lu (%s): %s",
		token->module->hsm->name, token->slot, token->info.label,
		message);
}

bool token_unusable(
	const struct token *token, struct err *err, const char *format, ...)
{
	char message[ERR_TEXT_MAX / 2];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	token_refuse(token, err, "%s", message);
	err->about_key = true;
	return false;
}

bool token_blame(const struct token *token, const char *what, struct err *err)
{
	err->kind = ERR_HSM;
	err->about_key = true;
	return err_prefix(err, "hsm %s: slot %lu (%s): %s",
		token->module->hsm->name, token->slot, token->info.label, what);
}

bool token_failed(const struct token *token, const char *function, CK_RV rv,
	struct err *err)
{
	return token_refuse(token, err, "%s: %s (0x%lx)", function,
		cryptoki_rv_name(rv), rv);
}

/* Some modules end a field with NUL, against the standard. */
static size_t field_len(const uint8_t *bytes, size_t size)
{
	while (size > 0 && (bytes[size - 1] == ' ' || bytes[size - 1] == '\0'))
		size--;
	return size;
}

void cryptoki_text(char *out, size_t out_size, const void *field, size_t size)
{
	const uint8_t *bytes = field;
	size_t len = field_len(bytes, size);

	assert(len < out_size);
	for (size_t i = 0; i < len; i++) {
		out[i] = '?';
		if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
			out[i] = (char)bytes[i];
	}
	out[len] = '\0';
}

void cryptoki_raw(struct token_field *out, const void *field, size_t size)
{
	assert(size <= sizeof(out->bytes));
	out->len = field_len(field, size);
	memcpy(out->bytes, field, out->len);
}
