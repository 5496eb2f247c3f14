/* SPDX-License-Identifier: ISC */
/* Private keys as the tools of zones write them. */
#ifndef SIGNER_KSRGEN_PRIVATE_H
#define SIGNER_KSRGEN_PRIVATE_H

#include "lib/crypto/crypto.h"

/*
 * Read an unencrypted private key for the algorithm from the text of a file:
 * PEM with PKCS#8, PKCS#1 or SEC1, or the "Private-key-format" of BIND and
 * ldns.  On success *out is new.  Errors: ERR_INPUT.
 */
bool private_read(const char *text, uint8_t algorithm, struct crypto_key **out,
	struct err *err);

#endif
