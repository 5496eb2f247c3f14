/* SPDX-License-Identifier: ISC */
#include "lib/dns/name.h"
#include "lib/base/buf.h"

#include <string.h>

#define LABEL_MAX 63
#define WIRE_MAX 255

/* The length of the label at text; 0 when it is not one. */
static size_t label_length(const char *text)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/";
	size_t len = strspn(text, allowed);

	return len <= LABEL_MAX ? len : 0;
}

static uint8_t lower(char c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The labels of text, each with its length before it, then the root. */
static bool labels_write(const char *text, struct buf *out)
{
	if (strcmp(text, ".") == 0)
		text++;
	else if (*text == '\0')
		return false;
	while (*text != '\0') {
		size_t len = label_length(text);

		if (len == 0 || (text[len] != '.' && text[len] != '\0'))
			return false;
		buf_u8(out, (uint8_t)len);
		for (size_t i = 0; i < len; i++)
			buf_u8(out, lower(text[i]));
		text += len + (text[len] == '.');
	}
	buf_u8(out, 0);
	return true;
}

bool name_wire(const char *text, struct buf *out, struct err *err)
{
	size_t start = out->len;

	if (strlen(text) > WIRE_MAX || !labels_write(text, out) ||
		out->len - start > WIRE_MAX) {
		out->len = start;
		return err_set(err, ERR_INPUT,
			"\"%.80s\" is not a domain name, expected for example \"example.\"",
			text);
	}
	return buf_ok(out, err);
}

bool name_labels(const char *text, uint8_t *out, struct err *err)
{
	struct buf wire = BUF_EMPTY;
	bool ok = name_wire(text, &wire, err);
	uint8_t labels = 0;

	for (size_t i = 0; ok && wire.data[i] != 0; i += wire.data[i] + 1U)
		labels++;
	if (ok)
		*out = labels;
	buf_free(&wire);
	return ok;
}

bool name_equal(const char *a, const char *b)
{
	struct buf wire_a = BUF_EMPTY, wire_b = BUF_EMPTY;
	struct err ignored = ERR_EMPTY;
	bool equal;

	equal = name_wire(a, &wire_a, &ignored) &&
		name_wire(b, &wire_b, &ignored) && buf_equal(&wire_a, &wire_b);
	buf_free(&wire_a);
	buf_free(&wire_b);
	return equal;
}
