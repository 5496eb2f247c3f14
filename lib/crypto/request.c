/* SPDX-License-Identifier: ISC */
#include "lib/crypto/request.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/openssl.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* "id-dnssec-resource-record-ds": the DS as text. */
#define OID_DS "1.3.6.1.4.1.1000.53"
#define POINT_MAX 200

static bool refused(struct err *err)
{
	return openssl_err(err, "certification request");
}

static bool show(X509_REQ *req, struct buf *out, struct err *err)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char *text = NULL;
	bool ok;
	long len;

	ok = memory != NULL &&
	     X509_REQ_print_ex(memory, req,
		     ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_ESC_MSB |
			     ASN1_STRFLGS_UTF8_CONVERT | XN_FLAG_SEP_CPLUS_SPC,
		     0) == 1;
	if (ok) {
		len = BIO_get_mem_data(memory, &text);
		buf_bytes(out, text, len > 0 ? (size_t)len : 0);
	}
	BIO_free(memory);
	return ok ? buf_ok(out, err) : refused(err);
}

static bool add_ds(
	struct request *request, const ASN1_STRING *value, struct err *err)
{
	struct buf *ds =
		array_grow(&request->ds, &request->ds_count, sizeof(*ds), err);
	unsigned char *text = NULL;
	int len = ASN1_STRING_to_UTF8(&text, value);

	if (ds == NULL || len < 0) {
		OPENSSL_free(text);
		return ds == NULL ? false : refused(err);
	}
	buf_bytes(ds, text, (size_t)len);
	OPENSSL_free(text);
	return buf_ok(ds, err);
}

static bool find_ds(X509_REQ *req, struct request *request, struct err *err)
{
	const X509_NAME *subject = X509_REQ_get_subject_name(req);

	for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
		char oid[sizeof(OID_DS)];

		if (OBJ_obj2txt(oid, sizeof(oid),
			    X509_NAME_ENTRY_get_object(entry),
			    1) != (int)sizeof(OID_DS) - 1 ||
			strcmp(oid, OID_DS) != 0)
			continue;
		if (!add_ds(request, X509_NAME_ENTRY_get_data(entry), err))
			return false;
	}
	return true;
}

/* The DNSSEC algorithm of a key; 0: there is none. */
static uint8_t algorithm_of(X509_REQ *req, const EVP_PKEY *pkey)
{
	char curve[80] = "";
	size_t len;

	if (EVP_PKEY_is_a(pkey, "RSA"))
		return X509_REQ_get_signature_nid(req) ==
				       NID_sha512WithRSAEncryption
			       ? ALGORITHM_RSASHA512
			       : ALGORITHM_RSASHA256;
	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return ALGORITHM_ED25519;
	if (EVP_PKEY_is_a(pkey, "ED448"))
		return ALGORITHM_ED448;
	if (!EVP_PKEY_is_a(pkey, "EC") ||
		EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), &len) != 1)
		return 0;
	if (strcmp(curve, SN_X9_62_prime256v1) == 0)
		return ALGORITHM_ECDSAP256SHA256;
	return strcmp(curve, SN_secp384r1) == 0 ? ALGORITHM_ECDSAP384SHA384 : 0;
}

static bool rsa_field(const EVP_PKEY *pkey, struct buf *out, struct err *err)
{
	BIGNUM *n = NULL, *e = NULL;
	uint8_t *modulus = NULL, *exponent = NULL;
	bool ok;

	ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	     EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1;
	if (ok) {
		modulus = malloc((size_t)BN_num_bytes(n) + 1);
		exponent = malloc((size_t)BN_num_bytes(e) + 1);
		ok = modulus != NULL && exponent != NULL;
	}
	if (ok)
		dnskey_rsa_field(exponent, (size_t)BN_bn2bin(e, exponent),
			modulus, (size_t)BN_bn2bin(n, modulus), out);
	free(modulus);
	free(exponent);
	BN_free(n);
	BN_free(e);
	return ok ? buf_ok(out, err) : refused(err);
}

static bool point_field(
	const EVP_PKEY *pkey, bool curve, struct buf *out, struct err *err)
{
	uint8_t point[POINT_MAX];
	size_t len = sizeof(point);
	bool ok;

	if (curve)
		ok = EVP_PKEY_get_octet_string_param(pkey,
			     OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
			     &len) == 1 &&
		     len > 0 && point[0] == POINT_CONVERSION_UNCOMPRESSED;
	else
		ok = EVP_PKEY_get_raw_public_key(pkey, point, &len) == 1;
	if (!ok)
		return refused(err);
	buf_bytes(out, point + curve, len - curve);
	return buf_ok(out, err);
}

static bool read_key(
	X509_REQ *req, EVP_PKEY *pkey, struct request *request, struct err *err)
{
	request->key.flags = DNSKEY_FLAGS_KSK;
	request->key.protocol = DNSKEY_PROTOCOL;
	request->key.algorithm = algorithm_of(req, pkey);
	if (request->key.algorithm == 0)
		return true;
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return rsa_field(pkey, &request->key.public_key, err);
	return point_field(
		pkey, EVP_PKEY_is_a(pkey, "EC"), &request->key.public_key, err);
}

static bool read_request(
	X509_REQ *req, struct request *request, struct err *err)
{
	EVP_PKEY *pkey = X509_REQ_get0_pubkey(req);

	/* A key that OpenSSL does not know verifies nothing. */
	if (!show(req, &request->text, err) || !find_ds(req, request, err))
		return false;
	if (pkey == NULL) {
		ERR_clear_error();
		return true;
	}
	request->signature_good = X509_REQ_verify(req, pkey) == 1;
	ERR_clear_error();
	return read_key(req, pkey, request, err);
}

struct list {
	struct request *requests;
	size_t count;
};

/* Frees req. */
static bool add_request(struct list *list, X509_REQ *req, struct err *err)
{
	struct request *request = array_grow(
		&list->requests, &list->count, sizeof(*request), err);
	bool ok = request != NULL && read_request(req, request, err);

	X509_REQ_free(req);
	return ok;
}

static bool read_der(const struct buf *file, struct list *list, struct err *err)
{
	const unsigned char *at = file->data;
	X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)file->len);

	if (req == NULL)
		return refused(err);
	if (at != file->data + file->len) {
		X509_REQ_free(req);
		return err_set(err, ERR_INPUT,
			"%zu bytes stand behind the certification request",
			(size_t)(file->data + file->len - at));
	}
	return add_request(list, req, err);
}

/* A block that is another thing is passed over. */
static bool read_block(const char *name, const unsigned char *data, long len,
	struct list *list, struct err *err)
{
	const unsigned char *at = data;
	X509_REQ *req;

	if (strcmp(name, PEM_STRING_X509_REQ) != 0 &&
		strcmp(name, PEM_STRING_X509_REQ_OLD) != 0)
		return true;
	req = d2i_X509_REQ(NULL, &at, len);
	if (req != NULL && at == data + len)
		return add_request(list, req, err);
	X509_REQ_free(req);
	ERR_clear_error();
	return err_set(err, ERR_INPUT, "request %zu of the file is damaged",
		list->count + 1);
}

static bool read_pem(const struct buf *file, struct list *list, struct err *err)
{
	BIO *memory = BIO_new_mem_buf(file->data, (int)file->len);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	bool ok = true;
	long len;

	if (memory == NULL)
		return refused(err);
	while (ok && PEM_read_bio(memory, &name, &header, &data, &len) == 1) {
		ok = read_block(name, data, len, list, err);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	BIO_free(memory);
	/* It ends where no further block begins; else one is damaged. */
	if (ok && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		ok = err_set(err, ERR_INPUT, "block %zu of the file is damaged",
			list->count + 1);
	ERR_clear_error();
	return ok;
}

static bool is_at(const struct buf *file, size_t at, const char *text)
{
	size_t len = strlen(text);

	return len <= file->len - at && memcmp(file->data + at, text, len) == 0;
}

/*
 * In how many lines does a request begin, for whoever reads them?  OpenSSL
 * passes over a line that is indented, quoted or short of a dash.
 */
static size_t count_begun(const struct buf *file)
{
	size_t count = 0;
	bool begun = false;

	for (size_t i = 0; i < file->len; i++) {
		if (file->data[i] == '\n' || file->data[i] == '\r') {
			begun = false;
		} else if (is_at(file, i, "BEGIN")) {
			begun = true;
		} else if (begun && is_at(file, i, PEM_STRING_X509_REQ)) {
			count++;
			begun = false;
		}
	}
	return count;
}

/* DER begins with a SEQUENCE, and so does text that begins with a 0. */
static bool is_der(const struct buf *file)
{
	const unsigned char *at = file->data;
	X509_REQ *req;

	if (file->data[0] != 0x30)
		return false;
	if (memmem(file->data, file->len, "-----BEGIN ", 11) == NULL)
		return true;
	req = d2i_X509_REQ(NULL, &at, (long)file->len);
	X509_REQ_free(req);
	ERR_clear_error();
	return req != NULL;
}

/* What a reader sees and we do not would be signed unseen. */
static bool read_all(const struct buf *file, struct list *list, struct err *err)
{
	size_t begun = count_begun(file), read = 0;

	if (is_der(file)) {
		if (!read_der(file, list, err))
			return false;
	} else {
		if (!read_pem(file, list, err))
			return false;
		read = list->count;
	}
	if (read < begun)
		return err_set(err, ERR_INPUT,
			"%zu lines begin a certification request in PEM, and %zu can be read: the others are indented, quoted or changed",
			begun, read);
	return true;
}

bool requests_read(const struct buf *file, struct request **out, size_t *count,
	struct err *err)
{
	struct list list = {.count = 0};
	bool ok;

	openssl_ready();
	if (file->len == 0 || file->len > INT_MAX)
		return err_set(err, ERR_INPUT, "no certification request");
	ok = read_all(file, &list, err);
	if (ok && list.count == 0)
		ok = err_set(err, ERR_INPUT, "no certification request");
	if (!ok) {
		requests_free(list.requests, list.count);
		return false;
	}
	*out = list.requests;
	*count = list.count;
	return true;
}

void requests_free(struct request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t n = 0; n < requests[i].ds_count; n++)
			buf_free(&requests[i].ds[n]);
		free(requests[i].ds);
		buf_free(&requests[i].text);
		dnskey_free(&requests[i].key);
	}
	free(requests);
}
