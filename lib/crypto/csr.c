/* SPDX-License-Identifier: ISC */
#include "lib/crypto/csr.h"

#include "lib/crypto/crypto.h"
#include "lib/crypto/openssl.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL 3.5 and later; without it a request by such a key is refused. */
#ifndef NID_ML_DSA_44
#define NID_ML_DSA_44 NID_undef
#endif

struct csr {
	X509_REQ *req;
	EVP_PKEY *pkey;
	const struct algorithm *algorithm;
};

/*
 * How X.509 names the signature of each algorithm.  RSA has the parameters
 * NULL (RFC 4055 section 5), the others have none (RFC 5758, RFC 8410, RFC
 * 9881).
 */
static const struct signature_name {
	uint8_t algorithm;
	int nid;
	int parameters;
} signature_names[] = {
	{ALGORITHM_RSASHA256, NID_sha256WithRSAEncryption, V_ASN1_NULL},
	{ALGORITHM_RSASHA512, NID_sha512WithRSAEncryption, V_ASN1_NULL},
	{ALGORITHM_ECDSAP256SHA256, NID_ecdsa_with_SHA256, V_ASN1_UNDEF},
	{ALGORITHM_ECDSAP384SHA384, NID_ecdsa_with_SHA384, V_ASN1_UNDEF},
	{ALGORITHM_ED25519, NID_ED25519, V_ASN1_UNDEF},
	{ALGORITHM_ED448, NID_ED448, V_ASN1_UNDEF},
	{ALGORITHM_MLDSA44, NID_ML_DSA_44, V_ASN1_UNDEF},
};

static bool refused(struct err *err)
{
	return openssl_err(err, "certification request");
}

/* PrintableString where the characters allow it, else UTF8String. */
static bool add_name(X509_NAME *subject, const struct csr_name *name)
{
	int len = (int)strlen(name->value);
	const unsigned char *value = (const unsigned char *)name->value;
	bool printable =
		ASN1_PRINTABLE_type(value, len) == V_ASN1_PRINTABLESTRING;
	ASN1_OBJECT *oid = OBJ_txt2obj(name->oid, 1);
	bool ok;

	ok = oid != NULL &&
	     X509_NAME_add_entry_by_OBJ(subject, oid,
		     printable ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING,
		     value, len, -1, 0) == 1;
	ASN1_OBJECT_free(oid);
	return ok;
}

bool csr_new(const struct dnskey *key, const struct csr_name *names,
	size_t count, struct csr **out, struct err *err)
{
	struct csr *csr = calloc(1, sizeof(*csr));
	X509_NAME *subject;
	bool ok;

	if (csr == NULL)
		return err_nomem(err);
	openssl_ready();
	csr->algorithm = openssl_algorithm(key->algorithm, err);
	if (csr->algorithm == NULL)
		goto failed;
	csr->pkey = openssl_public(key, err);
	if (csr->pkey == NULL)
		goto failed;
	csr->req = X509_REQ_new();
	ok = csr->req != NULL && X509_REQ_set_version(csr->req, 0) == 1 &&
	     X509_REQ_set_pubkey(csr->req, csr->pkey) == 1;
	subject = ok ? X509_REQ_get_subject_name(csr->req) : NULL;
	for (size_t i = 0; ok && i < count; i++)
		ok = names[i].value == NULL || add_name(subject, &names[i]);
	if (!ok) {
		refused(err);
		goto failed;
	}
	*out = csr;
	return true;
failed:
	csr_free(csr);
	return false;
}

/* Append what OpenSSL has encoded into *der, and release it. */
static bool take(unsigned char *der, int len, struct buf *out, struct err *err)
{
	if (len <= 0)
		return refused(err);
	buf_bytes(out, der, (size_t)len);
	OPENSSL_free(der);
	return buf_ok(out, err);
}

bool csr_signed_data(const struct csr *csr, struct buf *out, struct err *err)
{
	unsigned char *der = NULL;
	int len = i2d_re_X509_REQ_tbs(csr->req, &der);

	return take(der, len, out, err);
}

static bool set_algorithm(struct csr *csr)
{
	X509_ALGOR *name = X509_ALGOR_new();
	bool ok = false;

	for (size_t i = 0;
		name != NULL &&
		i < sizeof(signature_names) / sizeof(*signature_names);
		i++) {
		const struct signature_name *row = &signature_names[i];

		if (row->algorithm == csr->algorithm->number)
			ok = X509_ALGOR_set0(name, OBJ_nid2obj(row->nid),
				     row->parameters, NULL) == 1 &&
			     X509_REQ_set1_signature_algo(csr->req, name) == 1;
	}
	X509_ALGOR_free(name);
	return ok;
}

static bool set_signature(struct csr *csr, const struct buf *signature)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();

	if (bits == NULL || ASN1_BIT_STRING_set(bits, signature->data,
				    (int)signature->len) != 1) {
		ASN1_BIT_STRING_free(bits);
		return false;
	}
	/* Whole bytes: no bit of the last one is unused. */
	bits->flags &= ~(long)(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	X509_REQ_set0_signature(csr->req, bits);
	return true;
}

bool csr_sign(struct csr *csr, const struct buf *signature, struct err *err)
{
	struct buf der = BUF_EMPTY, body = BUF_EMPTY;
	bool ok = true;

	/* X.509 names the algorithm elsewhere. */
	if (!algorithm_body(csr->algorithm, signature, &body))
		return refused(err);
	if (csr->algorithm->family == ALGORITHM_ECDSA)
		ok = crypto_ecdsa_to_der(&body, &der, err);
	else
		buf_bytes(&der, body.data, body.len);
	ok = ok && buf_ok(&der, err);
	if (ok && !(set_algorithm(csr) && set_signature(csr, &der)))
		ok = refused(err);
	if (ok && X509_REQ_verify(csr->req, csr->pkey) != 1) {
		ERR_clear_error();
		ok = err_set(err, ERR_INPUT, "the signature does not verify");
	}
	buf_free(&der);
	return ok;
}

bool csr_write(
	const struct csr *csr, bool pem, struct buf *out, struct err *err)
{
	unsigned char *der = NULL;
	BIO *text;
	bool ok;

	if (!pem) {
		int len = i2d_X509_REQ(csr->req, &der);

		return take(der, len, out, err);
	}
	text = BIO_new(BIO_s_mem());
	ok = text != NULL && PEM_write_bio_X509_REQ(text, csr->req) == 1;
	if (ok) {
		char *bytes = NULL;
		long len = BIO_get_mem_data(text, &bytes);

		buf_bytes(out, bytes, (size_t)len);
		ok = buf_ok(out, err);
	} else {
		refused(err);
	}
	BIO_free(text);
	return ok;
}

void csr_free(struct csr *csr)
{
	if (csr == NULL)
		return;
	X509_REQ_free(csr->req);
	EVP_PKEY_free(csr->pkey);
	free(csr);
}
