/* SPDX-License-Identifier: ISC */
/* Finding objects and reading attributes; every length is checked here. */
#include "lib/base/buf.h"
#include "lib/cli/waiting.h"
#include "signer/token/cryptoki.h"

#include <stdlib.h>
#include <string.h>

bool token_search(struct token *token, CK_ATTRIBUTE *template, size_t length,
	CK_OBJECT_HANDLE *objects, size_t max, size_t *found, struct err *err)
{
	const CK_FUNCTION_LIST *f = token->module->functions;
	size_t total = 0;
	CK_ULONG got = 0;
	CK_RV rv;

	waiting_begin("its objects");
	rv = f->C_FindObjectsInit(token->session, template, length);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_FindObjectsInit", rv, err);
	do {
		got = 0;
		waiting_begin("its objects");
		rv = f->C_FindObjects(
			token->session, objects + total, max - total, &got);
		waiting_end();
		/* A count beyond the array is a lie, or memory is lost. */
		if (rv == CKR_OK && got > max - total)
			rv = CKR_GENERAL_ERROR;
		if (rv == CKR_OK)
			total += got;
	} while (rv == CKR_OK && got > 0 && total < max);
	(void)f->C_FindObjectsFinal(token->session);
	if (rv != CKR_OK)
		return token_failed(token, "C_FindObjects", rv, err);
	*found = total;
	return true;
}

bool token_objects(struct token *token, CK_OBJECT_CLASS class,
	CK_OBJECT_HANDLE **objects, size_t *found, struct err *err)
{
	CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
	/* One more than are looked at: a list that is cut looks whole. */
	CK_OBJECT_HANDLE *list = calloc(OBJECTS_MAX + 1, sizeof(*list));
	size_t count = 0;
	bool ok;

	if (list == NULL)
		return err_nomem(err);
	ok = token_search(
		token, &template, 1, list, OBJECTS_MAX + 1, &count, err);
	if (ok && count > OBJECTS_MAX)
		ok = token_refuse(token, err,
			"more than %d objects of one class: they are not all looked at",
			OBJECTS_MAX);
	if (!ok) {
		free(list);
		return false;
	}
	*objects = list;
	*found = count;
	return true;
}

bool token_attribute(struct token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, struct buf *out, bool *there, struct err *err)
{
	uint8_t value[ATTRIBUTE_MAX] = {0};
	CK_ATTRIBUTE attribute = {type, value, sizeof(value)};
	CK_RV rv;

	/*
	 * One call with room for the largest, not two with the length asked
	 * first: a length that changes in between has nothing to hurt.
	 */
	waiting_begin("its objects");
	rv = token->module->functions->C_GetAttributeValue(
		token->session, object, &attribute, 1);
	waiting_end();
	if (there != NULL && (rv == CKR_ATTRIBUTE_TYPE_INVALID ||
				     rv == CKR_ATTRIBUTE_SENSITIVE)) {
		*there = false;
		return true;
	}
	if (rv != CKR_OK)
		return token_failed(token, "C_GetAttributeValue", rv, err);
	if (attribute.ulValueLen > sizeof(value))
		return token_refuse(token, err,
			"C_GetAttributeValue: attribute 0x%lx is said to have %lu bytes, more than the %zu there is room for",
			type, attribute.ulValueLen, sizeof(value));
	buf_bytes(out, value, attribute.ulValueLen);
	if (there != NULL)
		*there = true;
	return buf_ok(out, err);
}

bool token_attribute_ulong(struct token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, CK_ULONG *out, struct err *err)
{
	CK_ULONG value = 0;
	CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};
	CK_RV rv;

	waiting_begin("its objects");
	rv = token->module->functions->C_GetAttributeValue(
		token->session, object, &attribute, 1);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_GetAttributeValue", rv, err);
	if (attribute.ulValueLen != sizeof(value))
		return token_refuse(token, err,
			"C_GetAttributeValue: attribute 0x%lx is said to have %lu bytes, not %zu",
			type, attribute.ulValueLen, sizeof(value));
	*out = value;
	return true;
}

bool token_attribute_bool(struct token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, bool *out, struct err *err)
{
	struct buf value = BUF_EMPTY;
	bool there = false;
	bool ok;

	ok = token_attribute(token, object, type, &value, &there, err);
	if (ok)
		*out = there && value.len == sizeof(CK_BBOOL) &&
		       value.data[0] != CK_FALSE;
	buf_free(&value);
	return ok;
}
