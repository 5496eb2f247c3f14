/* SPDX-License-Identifier: ISC */
/*
 * A PKCS#11 module that misbehaves on purpose: it passes every call to a real
 * module (FAULTY_MODULE) and spoils what comes back as FAULTY says, a list of
 * faults separated by commas.  With FAULTY_LOG it appends the name of each
 * function called to that file, so that a test sees what was not called.
 *
 *	attribute-length=N  every attribute that is read has N bytes
 *	attribute-short     every attribute loses its last byte
 *	attribute-unsteady  the length differs from one call to the next
 *	attribute-bit=TYPE  one bit of attribute TYPE (hex) is flipped
 *	no-attribute=TYPE   the token does not know attribute TYPE (hex)
 *	sign-length=N       every signature has N bytes
 *	sign-short          every signature loses its last byte
 *	sign-wrong          one bit of every signature is flipped
 *	sign-wrong-at=N     one bit of the Nth signature is flipped
 *	objects=N           every search finds N objects
 *	slots=N             there are N slots
 *	duplicate           every object is found twice
 *	remove-at=N         the Nth call, and all after it: CKR_DEVICE_REMOVED
 *	remove-at-sign=N    the same from the Nth signature on
 *	pin-locked, pin-final, pin-low
 *	hostile-label       the token's label has an escape sequence
 *	nul-label           the label goes on behind a NUL
 *	strange-serial      the serial is not ASCII, and ends with NULs
 *	no-mechanism=TYPE   the token does not know mechanism TYPE (hex)
 *	eddsa-params        CKM_EDDSA wants parameters, as PKCS#11 v3.0 has it
 *	curve-name          Edwards curves go by PrintableString, not by OID
 *	point-bare, point-bits  EC_POINT without DER, or as a BIT STRING
 *	no-public, no-private   there are no such objects
 *	pin-pad             the PIN is typed at the token: FAULTY_PIN; a new one
 *			    is FAULTY_NEW_PIN
 *	no-context-login    CKU_CONTEXT_SPECIFIC is no user of this token
 *	no-user-pin         the token was never given a user PIN
 *	no-sign-function    the function list has a hole
 *	keep-destroyed=N    N objects that are destroyed go, others stay
 *	known-key           the first key pair made is RFC 8032's (§7.1, test 1)
 *	signal-at-sign=N    SIGTERM to this process at the Nth signature
 *	made-and-failed     a key pair is made, and the answer is that it is not
 *	not-made            none is made: CKR_DEVICE_ERROR
 *	hangs=FUNCTION      that call gives nothing back, whatever signal comes
 *
 * N may be -1.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST list;
static unsigned long calls, signatures, reads;
static bool removed;

/* The text after "name=" in FAULTY, "" for a bare name, NULL for neither. */
static const char *fault(const char *name)
{
	const char *at = getenv("FAULTY");
	size_t len = strlen(name);

	while (at != NULL && *at != '\0') {
		size_t word = strcspn(at, ",");

		if (strncmp(at, name, len) == 0 && word >= len &&
			(word == len || at[len] == '='))
			return at[len] == '=' ? at + len + 1 : "";
		at += word;
		if (*at == ',')
			at++;
	}
	return NULL;
}

static unsigned long number(const char *text, int base)
{
	return text[0] == '-' ? (unsigned long)strtol(text, NULL, base)
			      : strtoul(text, NULL, base);
}

/* Is this the time that the fault names? */
static bool is_due(const char *name, unsigned long count)
{
	const char *value = fault(name);

	return value != NULL && count >= number(value, 10);
}

/* Note the call; CKR_OK lets it through. */
static CK_RV enter(const char *function)
{
	const char *path = getenv("FAULTY_LOG"), *hang;
	int fd;

	if (path != NULL) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
		if (fd >= 0) {
			dprintf(fd, "%s\n", function);
			close(fd);
		}
	}
	calls++;
	hang = fault("hangs");
	while (hang != NULL && strncmp(hang, function, strlen(function)) == 0)
		pause();
	if (is_due("remove-at", calls))
		removed = true;
	/* C_Finalize is let through: the real module wants its end. */
	if (removed && strcmp(function, "C_Finalize") != 0)
		return CKR_DEVICE_REMOVED;
	return CKR_OK;
}

#define ENTER(function)                                                        \
	do {                                                                   \
		CK_RV entered = enter(function);                               \
		if (entered != CKR_OK)                                         \
			return entered;                                        \
	} while (0)

static CK_RV faulty_initialize(void *arguments)
{
	ENTER("C_Initialize");
	return real->C_Initialize(arguments);
}

static CK_RV faulty_finalize(void *reserved)
{
	ENTER("C_Finalize");
	return real->C_Finalize(reserved);
}

static CK_RV faulty_get_slot_list(
	CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	const char *lie = fault("slots");
	CK_RV rv;

	ENTER("C_GetSlotList");
	rv = real->C_GetSlotList(present, slots, count);
	if (lie != NULL)
		*count = number(lie, 10);
	return rv;
}

static CK_RV faulty_get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv;

	ENTER("C_GetTokenInfo");
	rv = real->C_GetTokenInfo(slot, info);
	if (rv != CKR_OK)
		return rv;
	if (fault("pin-locked") != NULL)
		info->flags |= CKF_USER_PIN_LOCKED;
	if (fault("pin-final") != NULL)
		info->flags |= CKF_USER_PIN_FINAL_TRY;
	if (fault("pin-low") != NULL)
		info->flags |= CKF_USER_PIN_COUNT_LOW;
	if (fault("pin-pad") != NULL)
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	if (fault("no-user-pin") != NULL)
		info->flags &= ~(CK_FLAGS)CKF_USER_PIN_INITIALIZED;
	if (fault("hostile-label") != NULL)
		memcpy(info->label, "\033[2Jevil\n", 9);
	if (fault("nul-label") != NULL)
		memcpy(info->label, "test\0evil", 9);
	if (fault("strange-serial") != NULL)
		memcpy(info->serialNumber, "\303\251-44\0\0         ", 16);
	return rv;
}

static CK_RV faulty_get_mechanism_info(
	CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO *info)
{
	const char *lacking = fault("no-mechanism");

	ENTER("C_GetMechanismInfo");
	if (lacking != NULL && number(lacking, 16) == mechanism)
		return CKR_MECHANISM_INVALID;
	return real->C_GetMechanismInfo(slot, mechanism, info);
}

static CK_RV faulty_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *data,
	CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	ENTER("C_OpenSession");
	return real->C_OpenSession(slot, flags, data, notify, session);
}

static CK_RV faulty_close_all_sessions(CK_SLOT_ID slot)
{
	ENTER("C_CloseAllSessions");
	return real->C_CloseAllSessions(slot);
}

static CK_RV faulty_login(CK_SESSION_HANDLE session, CK_USER_TYPE user,
	unsigned char *pin, CK_ULONG length)
{
	const char *typed = getenv("FAULTY_PIN");

	ENTER(user == CKU_CONTEXT_SPECIFIC ? "C_Login-for-a-signature"
					   : "C_Login");
	if (user == CKU_CONTEXT_SPECIFIC && fault("no-context-login") != NULL)
		return CKR_USER_TYPE_INVALID;
	if (fault("pin-pad") != NULL)
		return pin != NULL || typed == NULL
			       ? CKR_ARGUMENTS_BAD
			       : real->C_Login(session, user,
					 (unsigned char *)typed, strlen(typed));
	return real->C_Login(session, user, pin, length);
}

/* What is typed at the pad; NULL where the program gives a PIN all the same. */
static unsigned char *typed_at_pad(const char *name, const unsigned char *given)
{
	return given == NULL ? (unsigned char *)getenv(name) : NULL;
}

static CK_RV faulty_set_pin(CK_SESSION_HANDLE session, unsigned char *old_pin,
	CK_ULONG old_length, unsigned char *new_pin, CK_ULONG new_length)
{
	ENTER("C_SetPIN");
	if (fault("pin-pad") != NULL) {
		old_pin = typed_at_pad("FAULTY_PIN", old_pin);
		new_pin = typed_at_pad("FAULTY_NEW_PIN", new_pin);
		if (old_pin == NULL || new_pin == NULL)
			return CKR_ARGUMENTS_BAD;
		old_length = strlen((char *)old_pin);
		new_length = strlen((char *)new_pin);
	}
	return real->C_SetPIN(
		session, old_pin, old_length, new_pin, new_length);
}

static CK_RV faulty_init_pin(
	CK_SESSION_HANDLE session, unsigned char *pin, CK_ULONG length)
{
	ENTER("C_InitPIN");
	if (fault("pin-pad") != NULL) {
		pin = typed_at_pad("FAULTY_NEW_PIN", pin);
		if (pin == NULL)
			return CKR_ARGUMENTS_BAD;
		length = strlen((char *)pin);
	}
	return real->C_InitPIN(session, pin, length);
}

static CK_RV faulty_logout(CK_SESSION_HANDLE session)
{
	ENTER("C_Logout");
	return real->C_Logout(session);
}

/* 1.3.101.112 and its name, in DER. */
static const unsigned char ed25519_oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const unsigned char ed25519_name[] = "\x13\fedwards25519";
#define ED25519_NAME_LEN (sizeof(ed25519_name) - 1)

static bool holds(const CK_ATTRIBUTE *attribute, const void *bytes, size_t len)
{
	return attribute->pValue != NULL && attribute->ulValueLen == len &&
	       memcmp(attribute->pValue, bytes, len) == 0;
}

/* Other ways to write the same curve and point; room is the caller's. */
static void rewrite_curve(CK_ATTRIBUTE *attribute, size_t room)
{
	unsigned char *value = attribute->pValue;

	if (attribute->type == CKA_EC_PARAMS && fault("curve-name") != NULL &&
		holds(attribute, ed25519_oid, sizeof(ed25519_oid)) &&
		room >= ED25519_NAME_LEN) {
		memcpy(value, ed25519_name, ED25519_NAME_LEN);
		attribute->ulValueLen = ED25519_NAME_LEN;
	}
	if (attribute->type != CKA_EC_POINT || value == NULL)
		return;
	if (fault("point-bare") != NULL) {
		attribute->ulValueLen -= 2;
		memmove(value, value + 2, attribute->ulValueLen);
	}
	if (fault("point-bits") != NULL && room > attribute->ulValueLen) {
		memmove(value + 3, value + 2, attribute->ulValueLen - 2);
		value[0] = 0x03;
		value[1]++;
		value[2] = 0;
		attribute->ulValueLen++;
	}
}

static void spoil_attribute(CK_ATTRIBUTE *attribute)
{
	const char *length = fault("attribute-length");
	const char *type = fault("attribute-bit");
	unsigned char *value = attribute->pValue;

	if (type != NULL && number(type, 16) == attribute->type &&
		value != NULL && attribute->ulValueLen > 8)
		value[8] ^= 0x01;
	if (length != NULL)
		attribute->ulValueLen = number(length, 10);
	if (fault("attribute-short") != NULL && attribute->ulValueLen > 0)
		attribute->ulValueLen--;
	if (fault("attribute-unsteady") != NULL)
		attribute->ulValueLen += ++reads * 1000;
}

/* Is there one in the template that the token does not know? */
static bool is_unknown(const CK_ATTRIBUTE *template, CK_ULONG count)
{
	const char *type = fault("no-attribute");

	for (CK_ULONG i = 0; type != NULL && i < count; i++)
		if (template[i].type == number(type, 16))
			return true;
	return false;
}

static CK_RV faulty_get_attribute_value(CK_SESSION_HANDLE session,
	CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG count)
{
	size_t room = count > 0 ? template[0].ulValueLen : 0;
	CK_RV rv;

	ENTER("C_GetAttributeValue");
	if (is_unknown(template, count))
		return CKR_ATTRIBUTE_TYPE_INVALID;
	rv = real->C_GetAttributeValue(session, object, template, count);
	if (rv == CKR_OK && count == 1)
		rewrite_curve(&template[0], room);
	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
		spoil_attribute(&template[i]);
	return rv;
}

/* A search for what is not there: for a kind of object that nobody has. */
static CK_RV faulty_find_objects_init(
	CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_OBJECT_CLASS class = 0, none = CKO_DOMAIN_PARAMETERS;
	CK_ATTRIBUTE changed[8];

	ENTER("C_FindObjectsInit");
	if (count == 0 || count > 8)
		return real->C_FindObjectsInit(session, template, count);
	memcpy(changed, template, count * sizeof(*template));
	if (changed[0].type == CKA_CLASS)
		memcpy(&class, changed[0].pValue, sizeof(class));
	if ((class == CKO_PUBLIC_KEY && fault("no-public") != NULL) ||
		(class == CKO_PRIVATE_KEY && fault("no-private") != NULL))
		changed[0].pValue = &none;
	return real->C_FindObjectsInit(session, changed, count);
}

/* RFC 8032 §7.1, test 1: the secret, and the point in DER. */
static unsigned char known_secret[] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a,
	0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
	0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f,
	0x60};
static unsigned char known_point[] = {0x04, 0x20, 0xd7, 0x5a, 0x98, 0x01, 0x82,
	0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
	0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7,
	0x07, 0x51, 0x1a};

/* An object of the template and three attributes more. */
static CK_RV create(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *template,
	CK_ULONG count, CK_OBJECT_CLASS class, CK_ATTRIBUTE own,
	CK_OBJECT_HANDLE *out)
{
	CK_KEY_TYPE type = CKK_EC_EDWARDS;
	CK_ATTRIBUTE all[32];
	CK_ULONG n = 0;

	if (count > 28)
		return CKR_ARGUMENTS_BAD;
	for (CK_ULONG i = 0; i < count; i++)
		if (template[i].type != CKA_EC_PARAMS &&
			template[i].type != CKA_KEY_TYPE &&
			template[i].type != CKA_CLASS)
			all[n++] = template[i];
	all[n++] = (CK_ATTRIBUTE){CKA_CLASS, &class, sizeof(class)};
	all[n++] = (CK_ATTRIBUTE){CKA_KEY_TYPE, &type, sizeof(type)};
	all[n++] = (CK_ATTRIBUTE){
		CKA_EC_PARAMS, (void *)ed25519_oid, sizeof(ed25519_oid)};
	all[n++] = own;
	return real->C_CreateObject(session, all, n, out);
}

static CK_RV faulty_generate_key_pair(CK_SESSION_HANDLE session,
	CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_template,
	CK_ULONG public_count, CK_ATTRIBUTE *private_template,
	CK_ULONG private_count, CK_OBJECT_HANDLE *public_key,
	CK_OBJECT_HANDLE *private_key)
{
	static bool made;
	CK_RV rv;

	ENTER("C_GenerateKeyPair");
	if (fault("known-key") != NULL && !made) {
		made = true;
		rv = create(session, public_template, public_count,
			CKO_PUBLIC_KEY,
			(CK_ATTRIBUTE){
				CKA_EC_POINT, known_point, sizeof(known_point)},
			public_key);
		return rv != CKR_OK
			       ? rv
			       : create(session, private_template,
					 private_count, CKO_PRIVATE_KEY,
					 (CK_ATTRIBUTE){CKA_VALUE, known_secret,
						 sizeof(known_secret)},
					 private_key);
	}
	if (is_unknown(private_template, private_count))
		return CKR_ATTRIBUTE_TYPE_INVALID;
	for (CK_ULONG i = 0; i < public_count; i++) {
		CK_ATTRIBUTE *params = &public_template[i];

		if (params->type != CKA_EC_PARAMS ||
			fault("curve-name") == NULL)
			continue;
		if (holds(params, ed25519_oid, sizeof(ed25519_oid)))
			return CKR_DOMAIN_PARAMS_INVALID;
		if (holds(params, ed25519_name, ED25519_NAME_LEN)) {
			params->pValue = (void *)ed25519_oid;
			params->ulValueLen = sizeof(ed25519_oid);
		}
	}
	if (fault("not-made") != NULL)
		return CKR_DEVICE_ERROR;
	rv = real->C_GenerateKeyPair(session, mechanism, public_template,
		public_count, private_template, private_count, public_key,
		private_key);
	return fault("made-and-failed") != NULL ? CKR_DEVICE_ERROR : rv;
}

static CK_RV faulty_find_objects(CK_SESSION_HANDLE session,
	CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
	const char *lie = fault("objects");
	CK_RV rv;

	ENTER("C_FindObjects");
	rv = real->C_FindObjects(session, objects, max, count);
	if (rv != CKR_OK)
		return rv;
	if (fault("duplicate") != NULL && *count == 1 && max > 1) {
		objects[1] = objects[0];
		*count = 2;
	}
	if (lie != NULL)
		*count = number(lie, 10);
	return rv;
}

static CK_RV faulty_sign_init(CK_SESSION_HANDLE session,
	CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM bare = *mechanism;

	ENTER("C_SignInit");
	if (fault("eddsa-params") != NULL && bare.mechanism == CKM_EDDSA) {
		if (bare.pParameter == NULL)
			return CKR_MECHANISM_PARAM_INVALID;
		bare.pParameter = NULL;
		bare.ulParameterLen = 0;
		return real->C_SignInit(session, &bare, key);
	}
	return real->C_SignInit(session, mechanism, key);
}

static CK_RV faulty_sign(CK_SESSION_HANDLE session, unsigned char *data,
	CK_ULONG data_length, unsigned char *signature, CK_ULONG *length)
{
	const char *lie = fault("sign-length"), *at = fault("sign-wrong-at");
	CK_RV rv;

	signatures++;
	if (is_due("remove-at-sign", signatures))
		removed = true;
	if (is_due("signal-at-sign", signatures) &&
		!is_due("signal-at-sign", signatures - 1))
		raise(SIGTERM);
	ENTER("C_Sign");
	rv = real->C_Sign(session, data, data_length, signature, length);
	if (rv != CKR_OK || signature == NULL)
		return rv;
	if (fault("sign-wrong") != NULL ||
		(at != NULL && number(at, 10) == signatures))
		signature[*length / 2] ^= 0x10;
	if (fault("sign-short") != NULL)
		--*length;
	if (lie != NULL)
		*length = number(lie, 10);
	return rv;
}

static CK_RV faulty_destroy_object(
	CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	static unsigned long destroyed;

	ENTER("C_DestroyObject");
	if (fault("keep-destroyed") != NULL &&
		is_due("keep-destroyed", destroyed++))
		return CKR_OK;
	return real->C_DestroyObject(session, object);
}

static bool load_real(void)
{
	const char *path = getenv("FAULTY_MODULE");
	void *library = path != NULL ? dlopen(path, RTLD_NOW) : NULL;
	void *symbol =
		library != NULL ? dlsym(library, "C_GetFunctionList") : NULL;
	CK_C_GetFunctionList get = NULL;

	memcpy(&get, &symbol, sizeof(get));
	return get != NULL && get(&real) == CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
	if (real == NULL && !load_real())
		return CKR_GENERAL_ERROR;
	list = *real;
	list.C_Initialize = faulty_initialize;
	list.C_Finalize = faulty_finalize;
	list.C_GetSlotList = faulty_get_slot_list;
	list.C_GetTokenInfo = faulty_get_token_info;
	list.C_GetMechanismInfo = faulty_get_mechanism_info;
	list.C_OpenSession = faulty_open_session;
	list.C_CloseAllSessions = faulty_close_all_sessions;
	list.C_Login = faulty_login;
	list.C_Logout = faulty_logout;
	list.C_SetPIN = faulty_set_pin;
	list.C_InitPIN = faulty_init_pin;
	list.C_GetAttributeValue = faulty_get_attribute_value;
	list.C_FindObjectsInit = faulty_find_objects_init;
	list.C_FindObjects = faulty_find_objects;
	list.C_GenerateKeyPair = faulty_generate_key_pair;
	list.C_DestroyObject = faulty_destroy_object;
	list.C_SignInit = faulty_sign_init;
	list.C_Sign = faulty_sign;
	if (fault("no-sign-function") != NULL)
		list.C_Sign = NULL;
	*out = &list;
	return CKR_OK;
}
