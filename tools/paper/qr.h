/* SPDX-License-Identifier: ISC */
/* The door to libqrencode: no other module includes its header. */
#ifndef TOOLS_PAPER_QR_H
#define TOOLS_PAPER_QR_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct qr;

/* Text in capitals and digits makes a small code.  Errors: ERR_INPUT. */
bool qr_new(const char *text, struct qr **out, struct err *err);
void qr_free(struct qr *qr);

/* Modules on a side, without the quiet zone around it. */
size_t qr_width(const struct qr *qr);
bool qr_is_dark(const struct qr *qr, size_t x, size_t y);

#endif
