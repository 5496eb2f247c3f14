/* SPDX-License-Identifier: ISC */
#include "tools/paper/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

/* struct qr is libqrencode's QRcode under our name. */

bool qr_new(const char *text, struct qr **out, struct err *err)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

	if (code == NULL)
		return err_set(err, ERR_INPUT, "cannot make a QR code: %s",
			strerror(errno));
	*out = (struct qr *)code;
	return true;
}

void qr_free(struct qr *qr)
{
	QRcode_free((QRcode *)qr);
}

size_t qr_width(const struct qr *qr)
{
	return (size_t)((const QRcode *)qr)->width;
}

bool qr_is_dark(const struct qr *qr, size_t x, size_t y)
{
	const QRcode *code = (const QRcode *)qr;

	return (code->data[y * (size_t)code->width + x] & 1) != 0;
}
