/* SPDX-License-Identifier: ISC */
/*
 * A signature over a file, with a key in PEM; it knows nothing of DNS.
 *
 * It is what "openssl pkeyutl -sign -rawin -inkey KEY" makes, and
 * "openssl pkeyutl -verify -rawin -pubin -inkey PUBLIC" checks: Ed25519 over
 * the bytes, RSA and ECDSA over their SHA-256.
 */
#ifndef LIB_CRYPTO_SEAL_H
#define LIB_CRYPTO_SEAL_H

#include "lib/base/buf.h"

/*
 * Append the signature over data, proven before it is given out.  A key with a
 * passphrase asks for it on the terminal.  Errors: ERR_INPUT.
 */
bool seal_sign(const struct buf *key, const struct buf *data, struct buf *out,
	struct err *err);

/* key: the public one.  Errors: ERR_REFUSED: not by this key; ERR_INPUT. */
bool seal_check(const struct buf *key, const struct buf *data,
	const struct buf *seal, struct err *err);

/*
 * Is this a public key?  (The openssl command of version 3.5 takes the secret
 * one for it as well.)  Errors: ERR_INPUT.
 */
bool seal_is_public(const struct buf *key, struct err *err);

#endif
