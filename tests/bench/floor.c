/* SPDX-License-Identifier: ISC */
/*
 * floor MODULE PIN LABEL MECHANISM IN OUT [PROOFS [SCHEMA DOCUMENT...]]: loads
 * a PKCS#11 module, finds the private key of that label in the first token that
 * has a PIN, and signs each block of IN with the mechanism (a number): the
 * least that any signer with this token must do, and the measure of ours.  With
 * PROOFS, each of these signatures is verified besides: the least that one who
 * checks must do.  With a schema, documents are read and validated, too: the
 * least of one who does all that ours does, before it looks at a field.  That
 * one is linked with libxml2 (-DDOCUMENTS), the others are not.  The form of
 * the files is in proofs.h.
 */
#ifdef DOCUMENTS
#include "documents.h"
#endif
#include "proofs.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call)                                                             \
	do {                                                                   \
		if ((call) != CKR_OK) {                                        \
			fprintf(stderr, "floor: %s failed\n", #call);          \
			exit(1);                                               \
		}                                                              \
	} while (0)

static CK_FUNCTION_LIST *load(const char *path)
{
	CK_FUNCTION_LIST *list = NULL;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get = NULL;

	if (handle != NULL)
		*(void **)&get = dlsym(handle, "C_GetFunctionList");
	if (get == NULL || get(&list) != CKR_OK) {
		fprintf(stderr, "floor: cannot load %s\n", path);
		exit(1);
	}
	return list;
}

static CK_SESSION_HANDLE log_in(CK_FUNCTION_LIST *f, char *pin)
{
	CK_SLOT_ID slots[16];
	CK_ULONG count = 16;
	CK_SESSION_HANDLE session = 0;
	CK_TOKEN_INFO info;

	MUST(f->C_GetSlotList(CK_TRUE, slots, &count));
	for (CK_ULONG i = 0; i < count; i++) {
		MUST(f->C_GetTokenInfo(slots[i], &info));
		if ((info.flags & CKF_USER_PIN_INITIALIZED) == 0)
			continue;
		MUST(f->C_OpenSession(
			slots[i], CKF_SERIAL_SESSION, NULL, NULL, &session));
		MUST(f->C_Login(
			session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)));
		return session;
	}
	fprintf(stderr, "floor: no token\n");
	exit(1);
}

static CK_OBJECT_HANDLE find(
	CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, char *label)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE want[] = {{CKA_CLASS, &class, sizeof(class)},
		{CKA_LABEL, label, strlen(label)}};
	CK_OBJECT_HANDLE key = 0;
	CK_ULONG found = 0;

	MUST(f->C_FindObjectsInit(session, want, 2));
	MUST(f->C_FindObjects(session, &key, 1, &found));
	MUST(f->C_FindObjectsFinal(session));
	if (found != 1) {
		fprintf(stderr, "floor: no key %s\n", label);
		exit(1);
	}
	return key;
}

static void sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
	CK_OBJECT_HANDLE key, CK_MECHANISM *mechanism, FILE *in, FILE *out)
{
	static struct block block;
	static uint8_t made[1024];
	uint32_t made_len;

	while (block_read(in, &block)) {
		CK_ULONG room = sizeof(made);

		MUST(f->C_SignInit(session, mechanism, key));
		MUST(f->C_Sign(session, block.bytes, block.len, made, &room));
		made_len = (uint32_t)room;
		fwrite(&made_len, sizeof(made_len), 1, out);
		fwrite(made, 1, room, out);
	}
}

int main(int argc, char **argv)
{
	CK_MECHANISM mechanism = {0, NULL, 0};
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE session;
	FILE *in, *out;

	if (argc < 7)
		return 2;
	f = load(argv[1]);
	mechanism.mechanism = strtoul(argv[4], NULL, 0);
	in = fopen(argv[5], "rb");
	out = fopen(argv[6], "wb");
	if (in == NULL || out == NULL)
		return 1;
	if (argc > 7)
		proofs_check(argv[7]);
#ifdef DOCUMENTS
	if (argc > 8)
		documents_read(argv[8], argv + 9, argc - 9);
#endif
	MUST(f->C_Initialize(NULL));
	session = log_in(f, argv[2]);
	sign(f, session, find(f, session, argv[3]), &mechanism, in, out);
	MUST(f->C_CloseSession(session));
	MUST(f->C_Finalize(NULL));
	fclose(in);
	return fclose(out) == 0 ? 0 : 1;
}
