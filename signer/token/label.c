/* SPDX-License-Identifier: ISC */
/* The labels of a token's keys, byte by byte, and how a person sees them. */
#include "signer/token/cryptoki.h"

#include "lib/base/buf.h"

#include <stdlib.h>
#include <string.h>

static bool add_label(
	struct token_labels *labels, const struct buf *label, struct err *err)
{
	struct buf *grown = reallocarray(
		labels->list, labels->count + 1, sizeof(*labels->list));

	if (grown == NULL)
		return err_nomem(err);
	labels->list = grown;
	grown[labels->count] = (struct buf)BUF_EMPTY;
	buf_bytes(&grown[labels->count], label->data, label->len);
	labels->count++;
	return buf_ok(&grown[labels->count - 1], err);
}

static int compare_labels(const void *a, const void *b)
{
	const struct buf *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = len > 0 ? memcmp(x->data, y->data, len) : 0;

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Sort, and let each stand once: a pair has its label twice. */
static void sort_labels(struct token_labels *labels)
{
	size_t kept = 0;

	if (labels->count == 0)
		return;
	qsort(labels->list, labels->count, sizeof(*labels->list),
		compare_labels);
	for (size_t i = 1; i < labels->count; i++) {
		if (compare_labels(&labels->list[kept], &labels->list[i]) == 0)
			buf_free(&labels->list[i]);
		else
			labels->list[++kept] = labels->list[i];
	}
	labels->count = kept + 1;
}

static bool collect_labels(struct token *token, CK_OBJECT_CLASS class,
	struct token_labels *labels, size_t *unlabelled, struct err *err)
{
	CK_OBJECT_HANDLE *objects = NULL;
	struct buf label = BUF_EMPTY;
	size_t found = 0;
	bool ok = false;

	if (!token_objects(token, class, &objects, &found, err))
		return false;
	for (size_t i = 0; i < found; i++) {
		bool there = false;

		buf_clear(&label);
		if (!token_attribute(
			    token, objects[i], CKA_LABEL, &label, &there, err))
			goto done;
		if (label.len == 0)
			++*unlabelled;
		else if (!add_label(labels, &label, err))
			goto done;
	}
	ok = true;
done:
	buf_free(&label);
	free(objects);
	return ok;
}

bool token_labels(struct token *token, struct token_labels *labels,
	size_t *unlabelled, struct err *err)
{
	struct token_labels list = {.count = 0};
	size_t nameless = 0;

	if (!collect_labels(token, CKO_PUBLIC_KEY, &list, &nameless, err) ||
		!collect_labels(
			token, CKO_PRIVATE_KEY, &list, &nameless, err)) {
		token_labels_free(&list);
		return false;
	}
	sort_labels(&list);
	*labels = list;
	*unlabelled = nameless;
	return true;
}

void token_labels_free(struct token_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		buf_free(&labels->list[i]);
	free(labels->list);
	*labels = (struct token_labels){.count = 0};
}

/* Every byte can be told: what is not printable stands as <hex>. */
void token_label_show(struct buf *out, const void *label, size_t len)
{
	const uint8_t *bytes = label;

	for (size_t i = 0; i < len; i++) {
		bool edge = i == 0 || i + 1 == len;

		if (bytes[i] < 0x20 || bytes[i] > 0x7e ||
			(bytes[i] == ' ' && edge))
			buf_format(out, "<%02x>", bytes[i]);
		else
			buf_u8(out, bytes[i]);
	}
}
