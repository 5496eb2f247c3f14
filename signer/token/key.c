/* SPDX-License-Identifier: ISC */
/* Keys: from a label to a public key in the form of a DNSKEY. */
#include "token/cryptoki.h"

#include "base/text.h"
#include "dns/algorithm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_MAX 4096

void key_free(struct key *key)
{
	if (key == NULL)
		return;
	buf_free(&key->key.public_key);
	free(key->key.label);
	free(key);
}

/* Modulus and exponent into the form of RFC 3110. */
static bool read_rsa(struct token *token, CK_OBJECT_HANDLE object,
	struct token_key *key, bool *there, struct err *err)
{
	struct buf modulus = BUF_EMPTY, exponent = BUF_EMPTY;
	struct dnskey dnskey = {.algorithm = ALGORITHM_RSASHA256};
	struct dnskey_rsa rsa;
	bool ok = false;

	if (!token_attribute(token, object, CKA_MODULUS, &modulus, there, err))
		goto done;
	if (*there && !token_attribute(token, object, CKA_PUBLIC_EXPONENT,
			      &exponent, there, err))
		goto done;
	ok = true;
	if (!*there)
		goto done;
	dnskey_rsa_field(exponent.data, exponent.len, modulus.data, modulus.len,
		&dnskey.public_key);
	ok = buf_ok(&dnskey.public_key, err) && dnskey_rsa(&dnskey, &rsa, err);
	if (!ok) {
		token_refuse(token, err, "key %s: %s", key->label,
			(const char *)(struct err){.kind = err->kind}.text);
		goto done;
	}
done:
	buf_free(&dnskey.public_key);
	buf_free(&modulus);
	buf_free(&exponent);
	return ok;
}
