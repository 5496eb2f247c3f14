/* SPDX-License-Identifier: ISC */
/* One key under several labels: what it is known by, and where it is. */
#include "signer/token/cryptoki.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

struct token_trace {
	enum token_key_type type;
	uint32_t bits;
	struct buf public_key;
	struct buf ids[2]; /* CKA_ID of both halves; empty: none */
};

void token_trace_free(struct token_trace *trace)
{
	if (trace == NULL)
		return;
	buf_free(&trace->public_key);
	buf_free(&trace->ids[0]);
	buf_free(&trace->ids[1]);
	free(trace);
}

bool token_trace_new(
	const struct token_key *key, struct token_trace **out, struct err *err)
{
	const CK_OBJECT_HANDLE objects[] = {
		key_of(key)->public_object, key_of(key)->private_object};
	struct token_trace *trace = calloc(1, sizeof(*trace));
	bool ok, there = false;

	if (trace == NULL)
		return err_nomem(err);
	trace->type = key->type;
	trace->bits = key->bits;
	buf_bytes(
		&trace->public_key, key->public_key.data, key->public_key.len);
	ok = buf_ok(&trace->public_key, err);
	for (size_t i = 0; ok && i < 2; i++)
		ok = objects[i] == CK_INVALID_HANDLE ||
		     token_attribute(key->token, objects[i], CKA_ID,
			     &trace->ids[i], &there, err);
	if (ok)
		*out = trace;
	else
		token_trace_free(trace);
	return ok;
}

static bool has_id(struct token *token, CK_OBJECT_HANDLE object,
	const struct token_trace *trace, bool *same, struct err *err)
{
	struct buf id = BUF_EMPTY;
	bool there = false, ok;

	ok = token_attribute(token, object, CKA_ID, &id, &there, err);
	for (size_t i = 0; i < 2; i++)
		*same |= ok && id.len > 0 && buf_equal(&id, &trace->ids[i]);
	buf_free(&id);
	return ok;
}

/*
 * An object that does not show its public key: a private one says by a
 * signature which it is; where it makes none, CKA_ID has to do.
 */
static bool is_hidden_half(struct token *token, CK_OBJECT_HANDLE object,
	CK_OBJECT_CLASS class, const struct token_trace *trace, bool *same,
	struct err *err)
{
	struct key key = {.key = {.token = token,
				  .label = (char *)"another key",
				  .type = trace->type,
				  .bits = trace->bits,
				  .public_key = trace->public_key,
				  .has_private = true},
		.private_object = object};
	const struct key_kind *wanted = key_kind(trace->type), *kind = NULL;
	enum token_proof proof = TOKEN_UNPROVEN;
	struct buf params = BUF_EMPTY;
	struct err ignored = ERR_EMPTY;
	bool there = false, ok;

	ok = (wanted->params == NULL ||
		     token_attribute(token, object, CKA_EC_PARAMS, &params,
			     &there, err)) &&
	     token_attribute_bool(token, object, CKA_ALWAYS_AUTHENTICATE,
		     &key.always_authenticate, err);
	if (there)
		kind = key_kind_find(wanted->key_type, &params);
	buf_free(&params);
	if (!ok || (kind != NULL && kind != wanted))
		return ok;
	if (class == CKO_PRIVATE_KEY && !key.always_authenticate)
		proof = token_prove(
			&key.key, key_algorithm(trace->type), false, &ignored);
	*same = proof == TOKEN_PROVEN;
	return proof != TOKEN_UNPROVEN ||
	       has_id(token, object, trace, same, err);
}

/* Is this object a half of the key? */
static bool is_half(struct token *token, CK_OBJECT_HANDLE object,
	CK_OBJECT_CLASS class, const struct token_trace *trace, bool *same,
	struct err *err)
{
	struct token_key shown = {
		.token = token, .label = (char *)"another key"};
	struct err why = ERR_EMPTY;
	CK_ULONG type = CK_UNAVAILABLE_INFORMATION;
	bool there = false, ok;

	*same = false;
	if (!token_attribute_ulong(token, object, CKA_KEY_TYPE, &type, err))
		return false;
	if (type != key_kind(trace->type)->key_type)
		return true;
	ok = token_read_public(token, object, type, &shown, &there, &why);
	if (ok && there)
		*same = shown.type == trace->type &&
			buf_equal(&shown.public_key, &trace->public_key);
	buf_free(&shown.public_key);
	if (ok && there)
		return true;
	if (!ok && !why.about_key) {
		*err = why;
		return false;
	}
	return is_hidden_half(token, object, class, trace, same, err);
}

/* The copy of this label, new where there was none. */
static struct token_copy *copy_of(
	struct token_copies *copies, const char *label, struct err *err)
{
	struct token_copy *added;

	for (size_t i = 0; i < copies->count; i++)
		if (strcmp(copies->list[i].label, label) == 0)
			return &copies->list[i];
	added = array_grow(
		&copies->list, &copies->count, sizeof(*copies->list), err);
	if (added == NULL)
		return NULL;
	added->label = text_copy(label, err);
	return added->label != NULL ? added : NULL;
}

static bool add_half(struct token *token, CK_OBJECT_HANDLE object,
	CK_OBJECT_CLASS class, struct token_copies *copies, struct err *err)
{
	struct buf label = BUF_EMPTY, text = BUF_EMPTY;
	struct token_copy *copy = NULL;
	bool there = false;

	if (token_attribute(token, object, CKA_LABEL, &label, &there, err)) {
		token_label_show(&text, label.data, label.len);
		if (buf_ok(&text, err))
			copy = copy_of(copies, buf_string(&text), err);
	}
	if (copy != NULL && class == CKO_PRIVATE_KEY)
		copy->has_private = true;
	else if (copy != NULL)
		copy->has_public = true;
	buf_free(&text);
	buf_free(&label);
	return copy != NULL;
}

static bool look_for_halves(struct token *token,
	const struct token_trace *trace, CK_OBJECT_CLASS class,
	CK_OBJECT_HANDLE passed_over, struct token_copies *copies,
	struct err *err)
{
	CK_OBJECT_HANDLE *objects = NULL;
	size_t found = 0;
	bool same = false;
	bool ok = token_objects(token, class, &objects, &found, err);

	for (size_t i = 0; ok && i < found; i++) {
		if (objects[i] == passed_over)
			continue;
		ok = is_half(token, objects[i], class, trace, &same, err) &&
		     (!same || add_half(token, objects[i], class, copies, err));
	}
	free(objects);
	return ok;
}

bool token_copies(struct token *token, const struct token_trace *trace,
	const struct token_key *but, struct token_copies *out, struct err *err)
{
	CK_OBJECT_HANDLE public_object = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE private_object = CK_INVALID_HANDLE;
	struct token_copies copies = {.count = 0};

	if (but != NULL) {
		public_object = key_of(but)->public_object;
		private_object = key_of(but)->private_object;
	}
	if (!look_for_halves(token, trace, CKO_PUBLIC_KEY, public_object,
		    &copies, err) ||
		!look_for_halves(token, trace, CKO_PRIVATE_KEY, private_object,
			&copies, err)) {
		token_copies_free(&copies);
		return false;
	}
	*out = copies;
	return true;
}

void token_copies_free(struct token_copies *copies)
{
	for (size_t i = 0; i < copies->count; i++)
		free(copies->list[i].label);
	free(copies->list);
	*copies = (struct token_copies){.count = 0};
}
