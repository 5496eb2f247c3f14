/* SPDX-License-Identifier: ISC */
#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct err_exit err_exit_table[] = {
	{0, "done"},
	{ERR_REFUSED, "refused by the operator or by a check"},
	{ERR_USAGE, "usage or configuration"},
	{ERR_INPUT, "input that cannot be read"},
	{ERR_HSM, "HSM"},
	{ERR_OUTPUT, "output or log"},
	{0, NULL},
};

bool(err_set)(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	err->kind = kind;
	err->about_key = false;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return false;
}

bool(err_prefix)(struct err *err, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;
	size_t len;

	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	/* A cut message still says the beginning: that is wanted here. */
	if (snprintf(err->text + len, sizeof(err->text) - len, ": %s", old) < 0)
		err->text[len] = '\0';
	return false;
}

bool(err_nomem)(struct err *err)
{
	return err_set(err, ERR_INPUT, "memory exhausted");
}
