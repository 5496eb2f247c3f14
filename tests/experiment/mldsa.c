/* SPDX-License-Identifier: ISC */
/*
 * A PKCS#11 module of the tests alone, on no disc: one token with ML-DSA-44
 * keys in software, as PKCS#11 v3.2 has them (CKK_ML_DSA), made and used by
 * OpenSSL 3.5 or later.  It holds what the programs need and nothing more.
 *
 * The keys lie unencrypted in the folder MLDSA_TOKEN, one file each: the label
 * in hex, and behind the dot "der", PKCS#8.  The PIN is the text of MLDSA_PIN.
 * MLDSA_FAULT is "parameter-set" (every key says that it is of another one) or
 * "short" (a public key and a signature lack their last byte).
 */
#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

#define SLOT 7
#define SESSION 1
#define NAME "ML-DSA-44"
#define PARAMETER_SET 1UL /* CKP_ML_DSA_44 */
#define PUBLIC_LEN 1312
#define SIGNATURE_LEN 2420
#define KEYS_MAX 64
#define LABEL_MAX 64

static struct pair {
	char label[LABEL_MAX];
	EVP_PKEY *pkey; /* NULL: this place is empty */
} pairs[KEYS_MAX];

static bool logged_in;
static CK_ATTRIBUTE wanted[4]; /* of the search; what they point at is lent */
static CK_ULONG wanted_count, next_object;
static CK_OBJECT_HANDLE signer;

static bool has_fault(const char *name)
{
	const char *fault = getenv("MLDSA_FAULT");

	return fault != NULL && strcmp(fault, name) == 0;
}

/* Two objects a pair: the public one is odd, the private one even. */
static struct pair *pair_of(CK_OBJECT_HANDLE object)
{
	struct pair *pair;

	if (object == 0 || object > 2UL * KEYS_MAX)
		return NULL;
	pair = &pairs[(object - 1) / 2];
	return pair->pkey != NULL ? pair : NULL;
}

static bool is_private(CK_OBJECT_HANDLE object)
{
	return object % 2 == 0;
}

static void file_of(const char *label, char *out, size_t size)
{
	const char *folder = getenv("MLDSA_TOKEN");
	int len = snprintf(out, size, "%s/", folder != NULL ? folder : ".");

	for (; *label != '\0'; label++)
		len += snprintf(out + len, size - (size_t)len, "%02x",
			(unsigned char)*label);
	snprintf(out + len, size - (size_t)len, ".der");
}

static void read_pair(const char *name, struct pair *out)
{
	size_t len = strlen(name) / 2;
	char path[512] = "", label[LABEL_MAX] = "";
	FILE *file;

	if (strlen(name) < 6 || strcmp(strchr(name, '.'), ".der") != 0)
		return;
	for (size_t i = 0; i < len - 2 && i + 1 < LABEL_MAX; i++) {
		unsigned value = 0;

		if (sscanf(name + 2 * i, "%2x", &value) == 1)
			label[i] = (char)value;
	}
	file_of(label, path, sizeof(path));
	file = fopen(path, "rb");
	if (file == NULL)
		return;
	out->pkey = d2i_PrivateKey_fp(file, NULL);
	fclose(file);
	memcpy(out->label, label, sizeof(label));
}

static CK_RV initialize(void *arguments)
{
	const char *folder = getenv("MLDSA_TOKEN");
	DIR *entries = folder != NULL ? opendir(folder) : NULL;
	const struct dirent *entry;
	size_t count = 0;

	(void)arguments;
	if (entries == NULL)
		return CKR_GENERAL_ERROR;
	while (count < KEYS_MAX && (entry = readdir(entries)) != NULL)
		if (entry->d_name[0] != '.') {
			read_pair(entry->d_name, &pairs[count]);
			count += pairs[count].pkey != NULL;
		}
	closedir(entries);
	return CKR_OK;
}

static CK_RV finalize(void *reserved)
{
	(void)reserved;
	for (size_t i = 0; i < KEYS_MAX; i++) {
		EVP_PKEY_free(pairs[i].pkey);
		pairs[i].pkey = NULL;
	}
	return CKR_OK;
}

static void pad(unsigned char *field, size_t size, const char *text)
{
	memset(field, ' ', size);
	memcpy(field, text, strlen(text));
}

static CK_RV get_info(CK_INFO *info)
{
	memset(info, 0, sizeof(*info));
	info->cryptokiVersion = (CK_VERSION){2, 40};
	pad(info->manufacturerID, sizeof(info->manufacturerID), "tests");
	pad(info->libraryDescription, sizeof(info->libraryDescription),
		"ML-DSA in software");
	return CKR_OK;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	(void)present;
	if (slots != NULL && *count < 1)
		return CKR_BUFFER_TOO_SMALL;
	if (slots != NULL)
		slots[0] = SLOT;
	*count = 1;
	return CKR_OK;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	(void)slot;
	memset(info, 0, sizeof(*info));
	info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED |
		      CKF_USER_PIN_INITIALIZED;
	pad(info->label, sizeof(info->label), "experiment");
	pad(info->manufacturerID, sizeof(info->manufacturerID), "tests");
	pad(info->model, sizeof(info->model), "software");
	pad(info->serialNumber, sizeof(info->serialNumber), "44");
	return CKR_OK;
}

static CK_RV get_mechanism_info(
	CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	(void)slot;
	memset(info, 0, sizeof(*info));
	if (type == CKM_ML_DSA)
		info->flags = CKF_SIGN;
	else if (type == CKM_ML_DSA_KEY_PAIR_GEN)
		info->flags = CKF_GENERATE_KEY_PAIR;
	else
		return CKR_MECHANISM_INVALID;
	return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *data,
	CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	(void)flags;
	(void)data;
	(void)notify;
	*session = SESSION;
	return slot == SLOT ? CKR_OK : CKR_SLOT_ID_INVALID;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
	(void)session;
	signer = 0;
	return CKR_OK;
}

static CK_RV close_all_sessions(CK_SLOT_ID slot)
{
	(void)slot;
	return CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user,
	unsigned char *pin, CK_ULONG len)
{
	const char *right = getenv("MLDSA_PIN");

	(void)session;
	if (user != CKU_USER || right == NULL || strlen(right) != len ||
		memcmp(right, pin, len) != 0)
		return CKR_PIN_INCORRECT;
	logged_in = true;
	return CKR_OK;
}

static CK_RV logout(CK_SESSION_HANDLE session)
{
	(void)session;
	logged_in = false;
	return CKR_OK;
}

/* An attribute of an object; what is not there, or secret, is *len 0. */
static CK_RV value_of(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
	unsigned char *out, size_t *len)
{
	const struct pair *pair = pair_of(object);
	CK_ULONG number;
	CK_BBOOL truth = CK_FALSE;

	if (pair == NULL)
		return CKR_OBJECT_HANDLE_INVALID;
	switch (type) {
	case CKA_CLASS:
		number = is_private(object) ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
		break;
	case CKA_KEY_TYPE:
		number = CKK_ML_DSA;
		break;
	case CKA_PARAMETER_SET:
		number = PARAMETER_SET + (has_fault("parameter-set") ? 1 : 0);
		break;
	case CKA_LABEL:
		*len = strlen(pair->label);
		memcpy(out, pair->label, *len);
		return CKR_OK;
	case CKA_VALUE:
		if (is_private(object))
			return CKR_ATTRIBUTE_SENSITIVE;
		*len = PUBLIC_LEN;
		if (EVP_PKEY_get_raw_public_key(pair->pkey, out, len) != 1)
			return CKR_GENERAL_ERROR;
		*len -= has_fault("short") ? 1 : 0;
		return CKR_OK;
	case CKA_SIGN:
		truth = is_private(object);
		/* fallthrough */
	case CKA_ALWAYS_AUTHENTICATE:
	case CKA_EXTRACTABLE:
		*len = sizeof(truth);
		memcpy(out, &truth, sizeof(truth));
		return CKR_OK;
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
	*len = sizeof(number);
	memcpy(out, &number, sizeof(number));
	return CKR_OK;
}

static CK_RV get_attribute_value(CK_SESSION_HANDLE session,
	CK_OBJECT_HANDLE object, CK_ATTRIBUTE *list, CK_ULONG count)
{
	unsigned char value[PUBLIC_LEN];
	size_t len = 0;

	(void)session;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV rv = value_of(object, list[i].type, value, &len);

		if (rv == CKR_OK && list[i].pValue != NULL &&
			list[i].ulValueLen < len)
			rv = CKR_BUFFER_TOO_SMALL;
		if (rv != CKR_OK) {
			list[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
			return rv;
		}
		if (list[i].pValue != NULL)
			memcpy(list[i].pValue, value, len);
		list[i].ulValueLen = len;
	}
	return CKR_OK;
}

static CK_RV find_objects_init(
	CK_SESSION_HANDLE session, CK_ATTRIBUTE *list, CK_ULONG count)
{
	(void)session;
	if (count > sizeof(wanted) / sizeof(*wanted))
		return CKR_ARGUMENTS_BAD;
	memcpy(wanted, list, count * sizeof(*list));
	wanted_count = count;
	next_object = 1;
	return CKR_OK;
}

/* Private objects are for those who are logged in. */
static bool is_wanted(CK_OBJECT_HANDLE object)
{
	unsigned char value[PUBLIC_LEN];
	size_t len = 0;

	if (pair_of(object) == NULL || (is_private(object) && !logged_in))
		return false;
	for (CK_ULONG i = 0; i < wanted_count; i++)
		if (value_of(object, wanted[i].type, value, &len) != CKR_OK ||
			len != wanted[i].ulValueLen ||
			memcmp(value, wanted[i].pValue, len) != 0)
			return false;
	return true;
}

static CK_RV find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects,
	CK_ULONG max, CK_ULONG *count)
{
	(void)session;
	for (*count = 0; *count < max && next_object <= 2UL * KEYS_MAX;
		next_object++)
		if (is_wanted(next_object))
			objects[(*count)++] = next_object;
	return CKR_OK;
}

static CK_RV find_objects_final(CK_SESSION_HANDLE session)
{
	(void)session;
	return CKR_OK;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE key)
{
	(void)session;
	if (!logged_in)
		return CKR_USER_NOT_LOGGED_IN;
	if (mechanism->mechanism != CKM_ML_DSA)
		return CKR_MECHANISM_INVALID;
	if (pair_of(key) == NULL || !is_private(key))
		return CKR_KEY_HANDLE_INVALID;
	signer = key;
	return CKR_OK;
}

static CK_RV sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len,
	unsigned char *signature, CK_ULONG *signature_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t made = SIGNATURE_LEN;
	bool ok = false;

	(void)session;
	if (signer == 0)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (*signature_len < made)
		return CKR_BUFFER_TOO_SMALL;
	ok = ctx != NULL &&
	     EVP_DigestSignInit(ctx, NULL, NULL, NULL, pair_of(signer)->pkey) ==
		     1 &&
	     EVP_DigestSign(ctx, signature, &made, data, len) == 1;
	EVP_MD_CTX_free(ctx);
	signer = 0;
	*signature_len = made - (has_fault("short") ? 1 : 0);
	return ok ? CKR_OK : CKR_FUNCTION_FAILED;
}

static const CK_ATTRIBUTE *find_attribute(
	const CK_ATTRIBUTE *list, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < count; i++)
		if (list[i].type == type)
			return &list[i];
	return NULL;
}

static bool save(const struct pair *pair)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pair->pkey);
	char path[512];
	FILE *file;
	bool ok;

	file_of(pair->label, path, sizeof(path));
	file = fopen(path, "wb");
	ok = info != NULL && file != NULL &&
	     i2d_PKCS8_PRIV_KEY_INFO_fp(file, info) == 1;
	PKCS8_PRIV_KEY_INFO_free(info);
	if (file != NULL && fclose(file) != 0)
		ok = false;
	return ok;
}

static CK_RV generate_key_pair(CK_SESSION_HANDLE session,
	CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_list,
	CK_ULONG public_count, CK_ATTRIBUTE *private_list,
	CK_ULONG private_count, CK_OBJECT_HANDLE *public_key,
	CK_OBJECT_HANDLE *private_key)
{
	const CK_ATTRIBUTE *set =
		find_attribute(public_list, public_count, CKA_PARAMETER_SET);
	const CK_ATTRIBUTE *label =
		find_attribute(public_list, public_count, CKA_LABEL);
	CK_ULONG place = 0;

	(void)session;
	(void)private_list;
	(void)private_count;
	if (mechanism->mechanism != CKM_ML_DSA_KEY_PAIR_GEN)
		return CKR_MECHANISM_INVALID;
	if (set == NULL || label == NULL || label->ulValueLen >= LABEL_MAX ||
		set->ulValueLen != sizeof(CK_ULONG) ||
		*(const CK_ULONG *)set->pValue != PARAMETER_SET)
		return CKR_TEMPLATE_INCOMPLETE;
	while (place < KEYS_MAX && pairs[place].pkey != NULL)
		place++;
	if (place == KEYS_MAX)
		return CKR_DEVICE_MEMORY;
	pairs[place].pkey = EVP_PKEY_Q_keygen(NULL, NULL, NAME);
	memset(pairs[place].label, 0, LABEL_MAX);
	memcpy(pairs[place].label, label->pValue, label->ulValueLen);
	*public_key = 2 * place + 1;
	*private_key = 2 * place + 2;
	return pairs[place].pkey != NULL && save(&pairs[place])
		       ? CKR_OK
		       : CKR_FUNCTION_FAILED;
}

/* The two objects of a pair are one file: the first to go takes the other. */
static CK_RV destroy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	struct pair *pair = pair_of(object);
	char path[512];

	(void)session;
	if (pair == NULL)
		return object % 2 == 1 ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
	file_of(pair->label, path, sizeof(path));
	EVP_PKEY_free(pair->pkey);
	pair->pkey = NULL;
	return unlink(path) == 0 ? CKR_OK : CKR_FUNCTION_FAILED;
}

/* What the programs want to be there, and no experiment uses. */
static CK_RV refuse(void)
{
	return CKR_FUNCTION_NOT_SUPPORTED;
}

#define REFUSE(function) .function = (CK_##function)(void (*)(void))refuse

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	static CK_FUNCTION_LIST functions = {.version = {2, 40},
		.C_Initialize = initialize,
		.C_Finalize = finalize,
		.C_GetInfo = get_info,
		.C_GetSlotList = get_slot_list,
		.C_GetTokenInfo = get_token_info,
		.C_GetMechanismInfo = get_mechanism_info,
		.C_OpenSession = open_session,
		.C_CloseSession = close_session,
		.C_CloseAllSessions = close_all_sessions,
		.C_Login = login,
		.C_Logout = logout,
		.C_FindObjectsInit = find_objects_init,
		.C_FindObjects = find_objects,
		.C_FindObjectsFinal = find_objects_final,
		.C_GetAttributeValue = get_attribute_value,
		.C_SignInit = sign_init,
		.C_Sign = sign,
		.C_GenerateKeyPair = generate_key_pair,
		.C_DestroyObject = destroy_object,
		REFUSE(C_InitPIN),
		REFUSE(C_SetPIN),
		REFUSE(C_CreateObject),
		REFUSE(C_GenerateKey),
		REFUSE(C_WrapKey),
		REFUSE(C_UnwrapKey)};

	*list = &functions;
	return CKR_OK;
}
