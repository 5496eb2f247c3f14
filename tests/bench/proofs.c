/* SPDX-License-Identifier: ISC */
#include "proofs.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 16

static struct known {
	struct block der;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ready; /* NULL: signs the message, not a digest */
} keys[KEYS_MAX];

static void must(int done)
{
	if (done == 1)
		return;
	fprintf(stderr, "floor: OpenSSL refuses a proof\n");
	exit(1);
}

static const struct known *unpack(const struct block *der)
{
	const unsigned char *p = der->bytes;
	struct known *key = keys;

	for (; key < keys + KEYS_MAX && key->pkey != NULL; key++)
		if (key->der.len == der->len &&
			memcmp(key->der.bytes, der->bytes, der->len) == 0)
			return key;
	must(key < keys + KEYS_MAX);
	key->der = *der;
	key->pkey = d2i_PUBKEY(NULL, &p, (long)der->len);
	must(key->pkey != NULL);
	if (EVP_PKEY_get_id(key->pkey) == EVP_PKEY_ED25519)
		return key;
	key->ready = EVP_PKEY_CTX_new(key->pkey, NULL);
	must(EVP_PKEY_verify_init(key->ready));
	must(EVP_PKEY_CTX_set_signature_md(key->ready, EVP_sha256()));
	return key;
}

static void check(const struct known *key, const EVP_MD *sha256,
	const struct block *data, const struct block *signature)
{
	uint8_t digest[32];
	EVP_MD_CTX *ctx;

	if (key->ready != NULL) {
		must(EVP_Digest(
			data->bytes, data->len, digest, NULL, sha256, NULL));
		must(EVP_PKEY_verify(key->ready, signature->bytes,
			signature->len, digest, sizeof(digest)));
		return;
	}
	ctx = EVP_MD_CTX_new();
	must(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey));
	must(EVP_DigestVerify(
		ctx, signature->bytes, signature->len, data->bytes, data->len));
	EVP_MD_CTX_free(ctx);
}

int block_read(FILE *in, struct block *block)
{
	if (fread(&block->len, sizeof(block->len), 1, in) != 1)
		return 0;
	if (block->len > sizeof(block->bytes) ||
		fread(block->bytes, 1, block->len, in) != block->len)
		exit(1);
	return 1;
}

void proofs_check(const char *path)
{
	static struct block der, data, signature;
	EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	FILE *in = fopen(path, "rb");

	if (in == NULL)
		exit(1);
	while (block_read(in, &der) && block_read(in, &data) &&
		block_read(in, &signature))
		check(unpack(&der), sha256, &data, &signature);
	EVP_MD_free(sha256);
	fclose(in);
}
