/* SPDX-License-Identifier: ISC */
/* Shared by the files of this folder only: the OpenSSL side of things. */
#ifndef LIB_CRYPTO_OPENSSL_H
#define LIB_CRYPTO_OPENSSL_H

#include "lib/crypto/crypto.h"
#include "lib/dns/algorithm.h"

#include <openssl/evp.h>

/*
 * Before any other call: no openssl.cnf is read, so that the environment
 * cannot change what verifies.
 */
void openssl_ready(void);

/* err: "what: OpenSSL's first reason"; empties OpenSSL's queue. */
bool openssl_err(struct err *err, const char *what);

/* The digest an algorithm signs; NULL where it signs the message. */
const EVP_MD *openssl_md(const struct algorithm *algorithm);

/* OpenSSL's name of an algorithm's curve or key type: "P-256", "ED25519",
 * "ML-DSA-44". */
const char *openssl_curve(const struct algorithm *algorithm);

/* The supported algorithm of that number, or NULL and err. */
const struct algorithm *openssl_algorithm(uint8_t number, struct err *err);

/* A public key object; the caller frees it. */
EVP_PKEY *openssl_public(const struct dnskey *key, struct err *err);

#endif
