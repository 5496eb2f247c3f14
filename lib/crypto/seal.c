/* SPDX-License-Identifier: ISC */
#include "lib/crypto/seal.h"

#include "lib/crypto/openssl.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static EVP_PKEY *read_key(const struct buf *pem, bool secret, struct err *err)
{
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;

	openssl_ready();
	if (pem->len > 0 && pem->len <= INT_MAX)
		bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	if (bio != NULL)
		key = secret ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL)
			     : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	if (key == NULL)
		openssl_err(err, secret ? "no private key in PEM"
					: "no public key in PEM");
	BIO_free(bio);
	return key;
}

/* NULL: the algorithm has its own. */
static const EVP_MD *digest_of(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448")
		       ? NULL
		       : EVP_sha256();
}

static bool check_with(EVP_PKEY *key, const struct buf *data,
	const struct buf *seal, struct err *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ready = context != NULL && EVP_DigestVerifyInit(context, NULL,
						digest_of(key), NULL, key) == 1;
	bool ok;

	if (!ready)
		ok = openssl_err(err, "the key cannot check signatures");
	else
		ok = EVP_DigestVerify(context, seal->data, seal->len,
			     data->data, data->len) == 1 ||
		     err_set(err, ERR_REFUSED,
			     "the signature is not by this key over these bytes");
	ERR_clear_error();
	EVP_MD_CTX_free(context);
	return ok;
}

static bool sign_with(
	EVP_PKEY *key, const struct buf *data, struct buf *out, struct err *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = 0;
	uint8_t *room = NULL;
	bool ok = context != NULL &&
		  EVP_DigestSignInit(
			  context, NULL, digest_of(key), NULL, key) == 1 &&
		  EVP_DigestSign(context, NULL, &size, data->data, data->len) ==
			  1;

	if (ok)
		room = buf_extend(out, size);
	ok = room != NULL &&
	     EVP_DigestSign(context, room, &size, data->data, data->len) == 1;
	out->len = ok ? size : 0;
	EVP_MD_CTX_free(context);
	return ok || openssl_err(err, "the key cannot sign");
}

bool seal_sign(const struct buf *key, const struct buf *data, struct buf *out,
	struct err *err)
{
	EVP_PKEY *secret = read_key(key, true, err);
	struct buf made = BUF_EMPTY;
	bool ok;

	if (secret == NULL)
		return false;
	ok = sign_with(secret, data, &made, err) &&
	     check_with(secret, data, &made, err);
	if (ok)
		buf_bytes(out, made.data, made.len);
	buf_free(&made);
	EVP_PKEY_free(secret);
	return ok && buf_ok(out, err);
}

bool seal_check(const struct buf *key, const struct buf *data,
	const struct buf *seal, struct err *err)
{
	EVP_PKEY *public = read_key(key, false, err);
	bool ok = public != NULL && check_with(public, data, seal, err);

	EVP_PKEY_free(public);
	return ok;
}

bool seal_is_public(const struct buf *key, struct err *err)
{
	EVP_PKEY *public = read_key(key, false, err);

	EVP_PKEY_free(public);
	return public != NULL;
}
