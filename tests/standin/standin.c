/* SPDX-License-Identifier: ISC */
/*
 * A PKCS#11 module that stands for a vendor's driver of a network HSM: without
 * KEYPER_LIBRARY_PATH it cannot start, without an answer from its HSM (host
 * "keyper", port 5000) there is none, and then it is engine.so beside it that
 * does the work under the name of "Stand-in".  For each signature it asks its
 * HSM again, and waits for as long as it takes.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static CK_FUNCTION_LIST *engine;
static CK_FUNCTION_LIST list;

/* Says something to the HSM and wants to hear it again; 0 s: however late. */
static bool hsm_answers(time_t seconds)
{
	static const char word[] = "stand-in\n";
	const struct timeval patience = {.tv_sec = seconds};
	const struct addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char heard[sizeof(word)] = "";
	bool ok = false;
	int fd = -1;

	if (getaddrinfo("keyper", "5000", &hints, &found) != 0)
		return false;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		goto done;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ok = connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
	     send(fd, word, strlen(word), MSG_NOSIGNAL) ==
		     (ssize_t)strlen(word) &&
	     recv(fd, heard, strlen(word), MSG_WAITALL) ==
		     (ssize_t)strlen(word) &&
	     strcmp(heard, word) == 0;
done:
	if (fd >= 0)
		close(fd);
	freeaddrinfo(found);
	return ok;
}

static CK_RV initialize(void *arguments)
{
	if (!hsm_answers(5))
		return CKR_DEVICE_REMOVED;
	return engine->C_Initialize(arguments);
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv = engine->C_GetTokenInfo(slot, info);

	if (rv == CKR_OK) {
		memset(info->manufacturerID, ' ', sizeof(info->manufacturerID));
		memcpy(info->manufacturerID, "Stand-in", 8);
	}
	return rv;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
	CK_BYTE *signature, CK_ULONG *signature_length)
{
	if (!hsm_answers(0))
		return CKR_DEVICE_ERROR;
	return engine->C_Sign(
		session, data, length, signature, signature_length);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
	const char *folder = getenv("KEYPER_LIBRARY_PATH");
	CK_RV (*get)(CK_FUNCTION_LIST **);
	char path[512];
	void *library, *symbol;

	if (folder == NULL)
		return CKR_GENERAL_ERROR;
	snprintf(path, sizeof(path), "%s/engine.so", folder);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	symbol = library == NULL ? NULL : dlsym(library, "C_GetFunctionList");
	if (symbol == NULL)
		return CKR_GENERAL_ERROR;
	memcpy(&get, &symbol, sizeof(get));
	if (get(&engine) != CKR_OK)
		return CKR_GENERAL_ERROR;
	list = *engine;
	list.C_Initialize = initialize;
	list.C_GetTokenInfo = get_token_info;
	list.C_Sign = sign;
	list.C_GetFunctionList = C_GetFunctionList;
	*out = &list;
	return CKR_OK;
}
